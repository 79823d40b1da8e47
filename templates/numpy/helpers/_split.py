def _split(flat, *shapes):
    """Views on consecutive parts of a vector."""
    views, start = [], 0
    for shape in shapes:
        stop = start + int(np.prod(shape, dtype=np.intp))
        views.append(flat[start:stop].reshape(shape))
        start = stop
    return views
