def _joined(arrays):
    """A vector with room for the arrays, in a type that holds them all."""
    return np.empty(sum(array.size for array in arrays), np.result_type(*arrays))
