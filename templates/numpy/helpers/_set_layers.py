def _set_layers(params, layers, source, prefix):
    """The parameters of each layer from the weight and the bias of the source's next layer."""
    found = _state(source, prefix)
    if len(found) != len(layers):
        here, there = ", ".join(layer[0] for layer in layers), ", ".join(found) or "none"
        raise ValueError(
            f"the state_dict has {len(found)} layers: {there}; expected {len(layers)}: {here}; "
            "network= or prefix= takes a part"
        )
    arrays = {}
    for (layer, entries), names in zip(found.items(), layers, strict=True):
        kinds = ("weight", "bias")[: len(names)]
        if sorted(entries) != sorted(kinds):
            wanted = f"{' and '.join(kinds)}, for {' and '.join(names)}"
            raise ValueError(
                f"layer {layer!r} has {' and '.join(sorted(entries))}; expected {wanted}"
            )
        for kind, name in zip(kinds, names, strict=True):
            arrays[name] = np.asarray(entries[kind])
            came, expected = arrays[name].shape, _place(params, name).shape
            if came != expected:
                raise ValueError(f"{layer}.{kind} has shape {came}; expected {expected}, as {name}")
            if arrays[name].dtype.kind != "f":
                raise ValueError(f"{layer}.{kind} has dtype {arrays[name].dtype}; expected reals")
    for name, array in arrays.items():
        _place(params, name)[...] = array
