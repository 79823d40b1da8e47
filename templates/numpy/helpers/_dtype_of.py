def _dtype_of(params):
    """The parameters choose the type of every number: float32 or float64."""
    if not isinstance(params, Params):
        raise TypeError(f"params is a {type(params).__name__}; expected this module's Params")
    return params.flat.dtype
