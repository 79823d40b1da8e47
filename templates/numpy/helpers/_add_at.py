def _add_at(target, places, values, scratch):
    """target[places] += values, where no place comes twice."""
    np.take(target, places, axis=0, out=scratch, mode="clip")
    scratch += values
    target[places] = scratch
