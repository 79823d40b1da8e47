def _by_position(array, places, at, axis=0):
    """The array, the axes of `places` as one; `at` is filled with where the places lie on it."""
    lengths = array.shape[axis : axis + len(places)]
    np.copyto(at, places[0])
    for place, length in zip(places[1:], lengths[1:], strict=True):
        at *= length
        at += place
    return array.reshape(*array.shape[:axis], -1, *array.shape[axis + len(places) :])
