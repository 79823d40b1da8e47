def _arrays(path, *sizes):
    """The file's arrays by name: the parameters, and the sizes that their shapes do not show."""
    with open(path, "rb") as file:
        loaded = np.load(file, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            raise ValueError(f"{path} holds one array; expected an npz file")
        arrays = {name: loaded[name] for name in loaded.files}
    expected = sorted([*PARAMETERS, *sizes])
    if sorted(arrays) != expected:
        raise ValueError(f"{path} holds {sorted(arrays)}; expected {expected}")
    for name, about in PARAMETERS.items():
        axes = about["axes"]
        if arrays[name].dtype.kind != "f" or arrays[name].ndim != len(axes):
            came = f"{arrays[name].dtype}{arrays[name].shape}"
            raise ValueError(f"{path}: {name} is {came}; expected real numbers on axes {axes}")
    return arrays
