"""Letters for the axes of whole tensors, before their equations are elaborated."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from symgrad.algebra.program import Tensor
from symgrad.notation.syntax import Name, Node, Read, Reduce, Statement, children, nodes

OWN = frozenset("ijkluvwxy")
"""What layers call their own indices; no leading axis is called so."""

LETTERS = ("b", "t", "n", "m", "p", "q", "r", "s")
"""What leading axes are called where nothing suggests a letter."""


def free_letter(wanted: str, taken: Iterable[str]) -> str:
    """An index of its own: the wanted letter, or the first of a row that is free."""
    known = set(taken)
    for letter in (wanted, *LETTERS):
        if letter not in known:
            return letter
    return next(f"{wanted}{n}" for n in range(2, len(known) + 3) if f"{wanted}{n}" not in known)


def clear(letters: Collection[str], bare: Collection[str]) -> dict[str, tuple[str, ...]]:
    """New letters for the indices that would be taken for a size or a tensor of rank 0."""
    used = set(letters)
    found: dict[str, tuple[str, ...]] = {}
    for letter in sorted(used & set(bare)):
        found[letter] = (free_letter(f"{letter}1", {*used, *bare}),)
        used.add(found[letter][0])
    return found


def letters_from_shape(tensor: Tensor, taken: Collection[str]) -> tuple[str, ...]:
    """B is b, T is t; any other size gets a free letter."""
    texts = [str(size) for size in tensor.shape]
    plain = [text.lower() if text.isalpha() and len(text) == 1 else "n" for text in texts]
    return _apart(plain, taken)


def letters_from_left(statement: Statement, taken: Collection[str]) -> tuple[str, ...]:
    """The letters that the statement itself uses."""
    subscripts = statement.left.subscripts
    return _apart([s.name if isinstance(s, Name) else "n" for s in subscripts], taken)


def fresh_letters(lead: Sequence[str], count: int, taken: Collection[str]) -> tuple[str, ...]:
    """The leading letters, and as many new ones."""
    return (*lead, *_apart(["n"] * count, {*taken, *lead}))


def _apart(wanted: Sequence[str], taken: Collection[str]) -> tuple[str, ...]:
    """Each letter as wanted, where nobody has it."""
    found: list[str] = []
    for letter in wanted:
        found.append(free_letter(letter, {*taken, *found, *OWN}))
    return tuple(found)


def free_indices(node: Node, bare: Collection[str]) -> tuple[str, ...]:
    """The indices in subscripts that no reduction binds, in order of appearance."""
    return tuple(dict.fromkeys(name.name for name in _free(node, bare, True)))


def free_names(node: Node, bare: Collection[str]) -> tuple[Name, ...]:
    """The names outside of subscripts that no reduction binds, and that do not stand bare."""
    return _free(node, bare, False)


def _free(node: Node, bare: Collection[str], subscripts: bool) -> tuple[Name, ...]:
    found: list[Name] = []

    def walk(node: Node, bound: frozenset[str], inside: bool) -> None:
        is_free = isinstance(node, Name) and node.name not in bound and node.name not in bare
        if isinstance(node, Name) and is_free and inside == subscripts:
            found.append(node)
        if isinstance(node, Reduce):
            bound |= {index.name for index in node.indices}
        for child in children(node):
            walk(child, bound, inside or isinstance(node, Read))

    walk(node, frozenset(), False)
    return tuple(found)


def axes_of(node: Node, bare: Collection[str]) -> tuple[str, ...] | None:
    """The axes of an expression, in the order of a read that has them all; None if none has."""
    letters = free_indices(node, bare)
    if len(letters) < 2:
        return letters
    orders = {
        order
        for read in nodes(node)
        if isinstance(read, Read) and set(order := _order(read)) == set(letters)
    }
    return orders.pop() if len(orders) == 1 else None


def _order(read: Read) -> tuple[str, ...]:
    """The indices that stand by themselves in a read's subscripts."""
    return tuple(dict.fromkeys(s.name for s in read.subscripts if isinstance(s, Name)))


def has_plain(node: Node, letters: Iterable[str]) -> bool:
    """Whether each index stands by itself in a read, which gives it its range."""
    plain = {letter for n in nodes(node) if isinstance(n, Read) for letter in _order(n)}
    return plain >= set(letters)
