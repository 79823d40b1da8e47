def _whose(thing, wanted):
    """A class's name in a message; of a namesake of the wanted one, the module that it is from."""
    kind = type(thing)
    if kind.__name__ != wanted.__name__:
        return kind.__name__
    older = ", from before it was loaded again" if kind.__module__ == wanted.__module__ else ""
    return f"{kind.__name__} of the module {kind.__module__}{older}"
