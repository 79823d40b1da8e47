def _sigmoid(x, out=None, scratch=None, where=True):
    """1/(1 + exp(-x)) = exp(min(x, 0))/(1 + exp(-abs(x))): no overflow, and the tail is kept."""
    below = np.abs(x, out=scratch, where=where)
    below = np.exp(np.negative(below, out=scratch, where=where), out=scratch, where=where)
    above = np.exp(np.minimum(x, 0.0, out=out, where=where), out=out, where=where)
    below = np.add(below, 1.0, out=scratch, where=where)
    return np.divide(above, below, out=out, where=where)
