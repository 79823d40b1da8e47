def _parts(flat):
    """A function that gives the next part of a vector, in the shape that it is asked for."""
    start = 0

    def part(*shape):
        nonlocal start
        first, start = start, start + int(np.prod(shape, dtype=np.intp))
        return flat[first:start].reshape(shape)

    return part
