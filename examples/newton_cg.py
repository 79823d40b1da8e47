"""Newton's method with the emitted product H v: `python examples/newton_cg.py`.

SciPy's Newton-CG and its trust region fit a logistic regression of handwritten digits, which is
convex; L-BFGS, which has gradients alone, beside them. The loss, its gradient and H v are
generated/numpy/digits_logistic.py, which `symgrad generate --all` writes; PYTHONPATH can name
another folder that holds the module.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from scipy.optimize import minimize
from sklearn.datasets import load_digits

sys.path.append(str(Path(__file__).resolve().parents[1] / "generated" / "numpy"))

import digits_logistic as m  # found in the folder above

TEST_IMAGES = 360  # a fifth, never trained on
DECAY = 1e-3


def split(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Training pixels and digits, then those for the test; pixels from 0 to 1."""
    images = load_digits()
    order = rng.permutation(len(images.data))
    pixels, digit = images.data[order] / 16.0, images.target[order]
    train, test = slice(TEST_IMAGES, None), slice(TEST_IMAGES)
    return pixels[train], digit[train], pixels[test], digit[test]


def main() -> None:
    rng = np.random.default_rng(0)
    pixels, digit, test_pixels, test_digit = split(rng)
    batch = {"pixels": pixels, "digit": digit, "decay": DECAY}

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        value, grads = m.value_and_grad(m.Params(flat), **batch)
        return float(value), grads.flat

    def product(flat: np.ndarray, v: np.ndarray) -> np.ndarray:
        return m.hvp(m.Params(flat), v, **batch).flat

    methods = (
        ("Newton-CG", {"hessp": product, "options": {"xtol": 1e-10}}),
        ("trust-ncg", {"hessp": product, "options": {"gtol": 1e-8}}),
        ("L-BFGS-B", {"options": {"gtol": 1e-8, "ftol": 0.0, "maxiter": 5000}}),
    )
    for name, more in methods:
        start = m.init(rng).flat
        found = minimize(loss, start, jac=True, method=name, **more)
        flat = np.ascontiguousarray(found.x)
        value, gradient = loss(flat)
        logits = m.forward(m.Params(flat), test_pixels)
        accuracy = np.mean(np.argmax(logits, axis=1) == test_digit)
        steps = f"{found.nit} steps, {found.nfev} gradients, {found.get('nhev', 0)} products"
        print(f"{name}: {steps}; loss {value:.10f}, |gradient| {np.abs(gradient).max():.0e}")
        print(f"  test accuracy: {accuracy:.2%} of {TEST_IMAGES} images")


if __name__ == "__main__":
    main()
