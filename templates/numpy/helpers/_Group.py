class _Group(_Views):
    """Named views on a part of the parameters' vector, and that part itself as `flat`."""

    def __init__(self, flat, **shapes):
        self._sizes = shapes
        self.flat = flat
        for name, view in zip(shapes, _split(flat, *shapes.values()), strict=True):
            setattr(self, name, view)
        self._closed = True

    def __getattr__(self, name):
        raise AttributeError(f"there is no array {name} in this group")
