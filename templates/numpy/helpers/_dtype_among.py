def _dtype_among(*values):
    """float32 if some value is an array of it and none of a wider type, else float64."""
    types = [value.dtype for value in values if hasattr(value, "dtype")]
    floats = {np.dtype(dtype) for dtype in types if np.dtype(dtype).kind == "f"}
    narrow = np.dtype(np.float32) in floats and max(dtype.itemsize for dtype in floats) == 4
    return np.dtype(np.float32 if narrow else np.float64)
