def _real(name, value, axes, dtype):
    """The argument as a C-contiguous array of `dtype`, whose number of axes is checked."""
    array = np.asarray(value)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{name} has dtype {array.dtype}; expected real numbers")
    return _axes(name, np.ascontiguousarray(array, dtype=dtype).reshape(array.shape), axes)


def _integer(name, value, axes, limit):
    """The argument as an array of places 0 <= value < limit (None: any integer)."""
    array = np.asarray(value)
    if array.dtype.kind not in "iu":
        raise TypeError(f"{name} has dtype {array.dtype}; expected integers")
    _axes(name, array, axes)
    if limit is not None and (array.min() < 0 or array.max() >= limit):
        raise ValueError(f"{name} has values from {array.min()} to {array.max()}; expected 0 to {limit - 1}")
    return np.ascontiguousarray(array, dtype=np.intp).reshape(array.shape)


def _boolean(name, value, axes):
    """The argument as an array of bools."""
    array = np.asarray(value)
    if array.dtype != np.bool_:
        raise TypeError(f"{name} has dtype {array.dtype}; expected bool")
    return _axes(name, np.ascontiguousarray(array).reshape(array.shape), axes)


def _axes(name, array, axes):
    if array.ndim != axes:
        raise ValueError(f"{name} has shape {array.shape}; expected {axes} axes")
    if 0 in array.shape:
        raise ValueError(f"{name} has shape {array.shape}; every axis needs at least one entry")
    return array


def _shape(name, array, expected, axes):
    if array.shape != expected:
        raise ValueError(f"{name} has shape {array.shape}; expected {expected}, that is ({axes})")


def _split(flat, *shapes):
    """Views on consecutive parts of a vector."""
    views, start = [], 0
    for shape in shapes:
        stop = start + int(np.prod(shape))
        views.append(flat[start:stop].reshape(shape))
        start = stop
    return views


def _vector(flat, length):
    flat = np.asarray(flat)
    if flat.dtype not in (np.float32, np.float64):
        raise TypeError(f"the vector has dtype {flat.dtype}; expected float32 or float64")
    if flat.shape != (length,) or not flat.flags.c_contiguous:
        raise ValueError(f"the vector has shape {flat.shape}; expected ({length},), contiguous")
    return flat


def _memory(workspace, kind, dtype, **sizes):
    """The buffers of one function: of the workspace if there is one, else new."""
    if workspace is None:
        return kind(dtype, **sizes)
    if not isinstance(workspace, Workspace):
        raise TypeError(f"workspace is a {type(workspace).__name__}; expected this module's Workspace")
    for name, size in sizes.items():
        if workspace.sizes[name] != size:
            made = workspace.sizes[name]
            raise ValueError(f"the workspace is made for {name}={made}; this call has {name}={size}")
    key = kind, np.dtype(dtype)
    if key not in workspace.memory:
        workspace.memory[key] = kind(dtype, **sizes)
    return workspace.memory[key]
