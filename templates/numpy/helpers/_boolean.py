def _boolean(name, value, axes):
    """An argument of truth values."""
    return _array(name, value, axes, "b")
