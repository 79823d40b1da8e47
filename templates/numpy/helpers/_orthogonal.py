def _orthogonal(rng, shape, gain):
    """gain * Q: orthonormal rows or columns, whichever are fewer."""
    rows, columns = shape[0], int(np.prod(shape[1:]))
    q, r = np.linalg.qr(rng.normal(size=(max(rows, columns), min(rows, columns))))
    q *= np.sign(np.diag(r))
    return gain * (q if rows >= columns else q.T).reshape(shape)
