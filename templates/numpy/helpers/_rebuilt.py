def _rebuilt(kind, state):
    """A copy whose views are views on its own vector: for copy.deepcopy and pickle."""
    views = kind(state["flat"], **state["_sizes"])
    for name in state:
        if not name.startswith("_"):
            setattr(views, name, state[name])
    return views
