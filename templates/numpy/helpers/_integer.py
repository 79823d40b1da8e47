def _integer(name, value, axes):
    """An argument of whole numbers."""
    return _array(name, value, axes, "iu")
