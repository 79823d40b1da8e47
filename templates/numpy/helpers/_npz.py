def _npz(path):
    """The arrays of an npz file by name."""
    with open(path, "rb") as file:
        try:
            loaded = np.load(file, allow_pickle=False)
        except (ValueError, EOFError):
            raise ValueError(f"{path} is not an npz file") from None
        if isinstance(loaded, np.ndarray):
            raise ValueError(f"{path} holds one array; expected an npz file")
        return {name: loaded[name] for name in loaded.files}
