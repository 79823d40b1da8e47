def _he_normal(rng, shape):
    """Normal with variance 2/fan_in."""
    return rng.normal(0.0, np.sqrt(2.0 / np.prod(shape[1:])), shape)
