def _state(source, prefix):
    """A state_dict's parameters, layer by layer: {"0": {"weight": ..., "bias": ...}, "2": ...}."""
    statistics = ("running_mean", "running_var", "num_batches_tracked")  # data, not parameters
    if not hasattr(source, "items"):
        source = _npz(source)
    found: dict = {}
    for name, value in source.items():
        if name.startswith(prefix):
            layer, _, kind = name.removeprefix(prefix).rpartition(".")
            array = value.detach().cpu() if hasattr(value, "detach") else value
            if kind not in statistics:
                found.setdefault(layer, {})[kind] = array
    if all(layer.isdigit() for layer in found):  # nn.Sequential, whatever the order in a file
        found = {layer: found[layer] for layer in sorted(found, key=int)}
    return found
