"""m <- m + momentum (batch's m - m): the running statistics of batchnorm, in plain NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[Any]


def running_statistics(
    mean: ArrayLike,
    var: ArrayLike,
    batch_mean: ArrayLike,
    batch_var: ArrayLike,
    *,
    count: int,
    momentum: float = 0.1,
) -> tuple[Array, Array]:
    """m + momentum (batch_m - m), for the mean and the variance, that of count/(count - 1).

    batch_mean and batch_var are what the layer computes, m1 and v1 of the first layer: batch_var
    divides by count, the entries of each feature in the batch (for images times positions), and the
    running variance by count - 1. Start with zeros and ones.

    Shapes: all the same. Errors: shapes that differ; count below 2; momentum outside [0, 1].
    Source: Ioffe and Szegedy 2015, algorithm 2. PyTorch's momentum, 0.1, is Keras's 0.9.
    """
    arrays = [np.asarray(a) for a in (mean, var, batch_mean, batch_var)]
    shapes = [a.shape for a in arrays]
    if len({*shapes}) > 1:
        raise ValueError(f"mean, var, batch_mean and batch_var have shapes {shapes}; expected one")
    if count < 2:
        raise ValueError(f"count is {count}; a variance needs at least 2 entries")
    if not 0 <= momentum <= 1:
        raise ValueError(f"momentum is {momentum}; expected a number in [0, 1]")
    m, v, of_batch, spread = arrays
    unbiased = spread * (count / (count - 1))
    return m + momentum * (of_batch - m), v + momentum * (unbiased - v)
