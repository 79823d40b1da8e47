"""What a reduction that came without its index has to become: sum(x[b]) is sum(b: x[b])."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from symgrad.notation.syntax import Name, Node, Read, nodes

INSTEAD_OF_TWO = {"max": "maximum", "min": "minimum"}
LONGEST_EXAMPLE = 40
FREE = "ijkuvw"


def letters_elsewhere(name: str, text: str) -> tuple[str, ...]:
    """The indices with which a text writes a tensor: b and i, if h[b,i] stands there; or none."""
    found = re.search(rf"\b{re.escape(name)}\[\s*([a-zA-Z]\w*(?:\s*,\s*[a-zA-Z]\w*)*)\s*\]", text)
    return tuple(re.split(r"\s*,\s*", found[1])) if found else ()


def no_binder(
    name: str, arguments: Sequence[Node], text: str, bound: Collection[str], equations: str
) -> str:
    """The message.

    text: that of all arguments; bound: the indices that the equation has there; equations: all.
    """
    alone = len(arguments) == 1
    body = text.strip() if len(text) <= LONGEST_EXAMPLE and "\n" not in text else "..."
    bare = [a.name for a in arguments if isinstance(a, Name)]
    reads = [r for a in arguments for r in nodes(a) if isinstance(r, Read)]
    inside = [n.name for r in reads for n in nodes(r) if isinstance(n, Name)]
    letters = [n for n in dict.fromkeys(inside) if n not in bound]
    named = [n for n in bare if n in letters]
    if not alone and not named and name in INSTEAD_OF_TWO:
        two = INSTEAD_OF_TWO[name]
        form = f"{two}({body})" if len(arguments) == 2 and body != "..." else f"{two}(a, b)"
        return (
            f'{name} of {len(arguments)} values; did you mean "{two}"? write {form}; '
            f"{name}(v: q[b,v]) runs over an index"
        )
    if named:
        return f"an index is bound with a colon: {name}({','.join(named)}: ...)"
    needs = f"{name} needs the index that it runs over, as"
    if letters:
        return f"{needs} {name}({','.join(letters)}: {body if alone else '...'})"
    free = next(letter for letter in FREE if letter not in inside)
    known = letters_elsewhere(bare[0], equations) if bare else ()
    if bare and (alone or known):
        over = ",".join(known if known and not set(known) & set(bound) else free)
        return f"{needs} {name}({over}: {bare[0]}[{over}])"
    if alone and isinstance(arguments[0], Read) and body.endswith("]"):
        return f"{needs} {name}({free}: {body[:-1]},{free}])"
    return f"{needs} {name}({free}: ...): one that is not bound around it"
