def _softplus(x):
    """log(1 + exp(x))."""
    return np.logaddexp(x, 0.0)
