class _Group(_Views):
    """Named views on a part of the parameters' vector, and that part itself as `flat`."""

    def __init__(self, flat, **shapes):
        self._sizes = shapes
        self.flat = flat
        part = _parts(flat)
        for name, shape in shapes.items():
            setattr(self, name, part(*shape))
        self._closed = True
