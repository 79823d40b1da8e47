def _expdiff(x, m, out=None):
    """exp(x - m), and 0 where both are -inf: the lowest finite number stands in for -inf in m."""
    lowest = np.finfo(np.asarray(x).dtype).min
    return np.exp(np.subtract(x, np.maximum(m, lowest, out=out), out=out), out=out)
