def _by_position(array, places, at, axis=0):
    """The array, the axes of `places` as one; `at` is filled with where the places lie on it."""
    joined, *lengths = array.shape[axis : axis + len(places)]
    np.copyto(at, places[0])
    for place, length in zip(places[1:], lengths, strict=True):
        at *= length
        at += place
        joined *= length
    return array.reshape(*array.shape[:axis], joined, *array.shape[axis + len(places) :])
