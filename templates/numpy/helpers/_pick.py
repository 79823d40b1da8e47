def _pick(array, places, out, at, axis=0):
    """array[places], the first of the places on `axis`; `at` is room for positions.

    The places were checked on entry: mode="clip" only spares np.take a copy of `out`.
    """
    return np.take(_by_position(array, places, at, axis), at, axis=axis, out=out, mode="clip")
