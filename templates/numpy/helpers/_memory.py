def _memory(workspace, kind, dtype, /, **sizes):
    """One function's memory: the workspace's if there is one, else new."""
    if workspace is None:
        return kind(dtype, **sizes)
    if not isinstance(workspace, Workspace):
        came = _whose(workspace, Workspace)
        raise TypeError(f"workspace is of type {came}; expected this module's Workspace")
    for name, size in sizes.items():
        if workspace.sizes[name] != size:
            made = workspace.sizes[name]
            raise ValueError(f"workspace is made for {name}={made}; this call has {name}={size}")
    key = kind, np.dtype(dtype)
    if key not in workspace._memory:
        workspace._memory[key] = kind(dtype, **sizes)
    return workspace._memory[key]
