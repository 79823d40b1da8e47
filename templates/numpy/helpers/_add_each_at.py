def _add_each_at(target, places, values, at):
    """target[places] += values, where places may come twice; `at` is room for positions."""
    np.add.at(_by_position(target, places, at), at, values)
