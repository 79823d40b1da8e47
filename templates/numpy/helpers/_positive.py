def _positive(name, value):
    """Every entry is above 0."""
    low = np.min(value)
    if not low > 0:
        raise ValueError(f"{name} holds {low}; expected {INPUTS[name]}")
