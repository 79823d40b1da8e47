def _sigmoid(x, out=None, scratch=None):
    """1/(1 + exp(-x)) = exp(min(x, 0))/(1 + exp(-abs(x))): no overflow, and the tail is kept."""
    below = np.negative(np.abs(x, out=scratch), out=scratch)
    below = np.exp(below, out=scratch)
    above = np.exp(np.minimum(x, 0.0, out=out), out=out)
    return np.divide(above, np.add(below, 1.0, out=scratch), out=out)
