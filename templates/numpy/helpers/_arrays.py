def _arrays(path, *sizes):
    """The file's arrays by name: the parameters, and the sizes that their shapes do not show."""
    with open(path, "rb") as file:
        try:
            loaded = np.load(file, allow_pickle=False)
        except (ValueError, EOFError):
            raise ValueError(f"{path} is not an npz file; expected one that save wrote") from None
        if isinstance(loaded, np.ndarray):
            raise ValueError(f"{path} holds one array; expected an npz file")
        arrays = {name: loaded[name] for name in loaded.files}
    expected = sorted([*PARAMETERS, *sizes])
    if sorted(arrays) != expected:
        raise ValueError(f"{path} holds {sorted(arrays)}; expected {expected}")
    for name in PARAMETERS:
        dtype = arrays[name].dtype
        if dtype.kind != "f":
            raise ValueError(f"{path}: {name} has dtype {dtype}; expected real numbers")
    return arrays
