def _glorot_uniform(rng, shape):
    """Uniform within sqrt(6/(fan_in + fan_out)); the axes after the second are a kernel's."""
    kernel = np.prod(shape[2:])
    bound = np.sqrt(6.0 / (kernel * (shape[0] + np.prod(shape[1:2]))))
    return rng.uniform(-bound, bound, shape)
