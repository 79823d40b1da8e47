def _lecun_uniform(rng, shape):
    """Uniform within sqrt(3/fan_in): variance 1/fan_in."""
    bound = np.sqrt(3.0 / np.prod(shape[1:]))
    return rng.uniform(-bound, bound, shape)
