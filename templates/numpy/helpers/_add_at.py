def _add_at(target, places, values, at, scratch):
    """target[places] += values, where no place comes twice; `at` is room for positions."""
    joined = _by_position(target, places, at)
    np.take(joined, at, axis=0, out=scratch, mode="clip")
    scratch += values
    joined[at] = scratch
