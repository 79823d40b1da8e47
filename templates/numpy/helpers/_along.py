def _along(name, v, own, *inputs):
    """The direction as views on memory of the call: from its like, or from one vector."""
    arrays = {"flat": v}
    if isinstance(v, type(own)):
        arrays = vars(v)
        if v._sizes != own._sizes:
            raise ValueError(f"{name} has sizes {v._sizes}; expected {own._sizes}")
    elif inputs or not isinstance(v, np.ndarray):
        came, expected = _whose(v, type(own)), f"this module's {type(own).__name__}"
        vector = "" if inputs else " or a vector laid out as its flat"
        raise TypeError(f"{name} is of type {came}; expected {expected}{vector}")
    for part in ("flat", *inputs):
        array, room = arrays[part], vars(own)[part]
        if array.shape != np.shape(room) or array.dtype.kind not in "fiu":
            came = f"shape {array.shape} and dtype {array.dtype}"
            raise ValueError(f"{name} has {came}; expected real numbers of shape {np.shape(room)}")
        np.copyto(room, array, casting="unsafe")
    return own
