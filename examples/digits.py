"""Handwritten digits, trained with NumPy alone: `python examples/digits.py`.

The network and its gradient are generated/numpy/digits_mlp.py, which `symgrad generate --all`
writes. PYTHONPATH can name another folder that holds the module.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

sys.path.append(str(Path(__file__).resolve().parents[1] / "generated" / "numpy"))

import digits_mlp  # found in the folder above

EPOCHS, BATCH, STEP = 30, 32, 1e-3
TEST_IMAGES = 360  # a fifth, never trained on


def split(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Training pixels and digits, then those for the test; pixels from 0 to 1."""
    images = load_digits()
    order = rng.permutation(len(images.data))
    pixels, digit = images.data[order] / 16.0, images.target[order]
    train, test = slice(TEST_IMAGES, None), slice(TEST_IMAGES)
    return pixels[train], digit[train], pixels[test], digit[test]


def train(
    params: digits_mlp.Params, pixels: np.ndarray, digit: np.ndarray, rng: np.random.Generator
) -> None:
    """Adam on the one vector that holds every weight."""
    workspace = digits_mlp.Workspace(B=BATCH)
    mean, square = np.zeros_like(params.flat), np.zeros_like(params.flat)
    steps = 0
    for epoch in range(EPOCHS):
        order = rng.permutation(len(digit))
        for start in range(0, len(order) - BATCH + 1, BATCH):
            batch = order[start : start + BATCH]
            loss, grads = digits_mlp.value_and_grad(
                params, pixels=pixels[batch], digit=digit[batch], workspace=workspace
            )
            steps += 1
            mean += 0.1 * (grads.flat - mean)
            square += 0.001 * (grads.flat**2 - square)
            root = np.sqrt(square / (1 - 0.999**steps)) + 1e-8
            params.flat -= STEP * mean / (1 - 0.9**steps) / root
        if epoch % 5 == 4:
            print(f"epoch {epoch + 1:2d}: loss {loss:.4f}")


def main() -> None:
    rng = np.random.default_rng(0)
    pixels, digit, test_pixels, test_digit = split(rng)
    params = digits_mlp.init(rng)
    train(params, pixels, digit, rng)
    logits = digits_mlp.forward(params, test_pixels)
    accuracy = np.mean(np.argmax(logits, axis=1) == test_digit)
    print(f"test accuracy: {accuracy:.2%} of {TEST_IMAGES} images")


if __name__ == "__main__":
    main()
