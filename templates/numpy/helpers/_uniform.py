def _uniform(rng, shape, reach):
    """Uniform within the reach on either side of 0."""
    return rng.uniform(-reach, reach, shape)
