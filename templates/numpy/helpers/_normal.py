def _normal(rng, shape, deviation):
    """Normal with mean 0."""
    return rng.normal(0.0, deviation, shape)
