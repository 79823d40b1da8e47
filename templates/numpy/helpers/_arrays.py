def _arrays(path, *sizes):
    """The file's arrays by name: the parameters, and the sizes that their shapes do not show."""
    arrays = _npz(path)
    expected = sorted([*PARAMETERS, *sizes])
    if sorted(arrays) != expected:
        raise ValueError(f"{path} holds {sorted(arrays)}; expected {expected}")
    for name in PARAMETERS:
        dtype = arrays[name].dtype
        if dtype.kind != "f":
            raise ValueError(f"{path}: {name} has dtype {dtype}; expected real numbers")
    return arrays
