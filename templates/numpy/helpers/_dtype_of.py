def _dtype_of(params):
    """The parameters choose the type of every number: float32 or float64."""
    if not isinstance(params, Params):
        came = _whose(params, Params)
        raise TypeError(f"params is of type {came}; expected this module's Params")
    return params.flat.dtype
