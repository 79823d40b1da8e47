def _view(a, start, shape, steps):
    """out[p] = a[start + sum of p[d] * steps[d]], without a copy."""
    origin = a[tuple(slice(place, None) for place in start)]
    strides = [sum(k * s for k, s in zip(step, a.strides, strict=True)) for step in steps]
    return np.lib.stride_tricks.as_strided(origin, shape, strides)
