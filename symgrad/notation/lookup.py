"""What a name in an equation stands for; one that stands for nothing is an error with its mend."""

from __future__ import annotations

from collections.abc import Iterable

from symgrad.algebra.scalars import FUNCTIONS
from symgrad.errors import SpecError, did_you_mean, nearest
from symgrad.notation import hints
from symgrad.notation.binding import letters_elsewhere
from symgrad.notation.names import fault_of, shown
from symgrad.notation.operators import REDUCTIONS
from symgrad.notation.symbols import CONSTANTS, FORMS, Signature, Symbols
from symgrad.notation.syntax import Call, Name, Read, Statement, nodes


def check_names(statement: Statement, symbols: Symbols) -> None:
    """Every function that is called and every tensor that is read exists, and what follows fits."""
    for node in nodes(statement.right):
        if isinstance(node, Call):
            _check_function(node, statement, symbols)
        elif isinstance(node, Read):
            signature(node, statement, symbols)


def _check_function(node: Call, statement: Statement, symbols: Symbols) -> None:
    base, prime, _ = node.name.partition("'")
    if base in symbols.functions or node.name in FUNCTIONS or node.name in FORMS:
        return
    if prime and base in FUNCTIONS:
        message = f"{node.name}: primes are for functions declared in [functions]"
    elif base in symbols.tensors:
        message = f"{shown(base)} is a tensor; its subscripts stand in [ ]"
    else:
        known = [*FUNCTIONS, *REDUCTIONS, *FORMS, *symbols.functions, *symbols.calls]
        hint = hints.call(node.name) or did_you_mean(base, known)
        message = f"unknown function {shown(node.name)}{hint}"
    raise statement.error(message, node.at)


def signature(node: Read, statement: Statement, symbols: Symbols) -> Signature:
    """Rank and kind of the tensor that is read with subscripts."""
    name = node.name
    if name in symbols.tensors:
        return symbols.tensors[name]
    if name in FUNCTIONS or name in FORMS or name in symbols.functions:
        message = f"{shown(name)} is a function; its arguments stand in ( )"
    elif name in symbols.sizes:
        message = f"{shown(name)} is a size and has no subscripts"
    else:
        hint = hints.call(name) or did_you_mean(name, symbols.tensors)
        message = f"unknown tensor {shown(name)}: neither declared nor defined{hint}"
        if nearest(name, symbols.tensors) is None:
            message += "; inputs are declared in [data], what is learned in [params]"
    raise statement.error(message, node.at)


def bare_tensor(
    node: Name, statement: Statement, symbols: Symbols, indices: Iterable[str]
) -> Signature:
    """The tensor of rank 0 that a bare name is, where it is no index, size or constant."""
    name = node.name
    if name not in symbols.tensors:
        raise _unknown(node, statement, symbols, indices)
    found = symbols.tensors[name]
    if found.rank:
        came = f"{shown(name)} has {axes(found.rank)} and came without subscripts"
        write = subscripted(name, symbols, indices, statement.source.text)
        raise statement.error(f"{came}: {write}", node.at)
    return found


def _unknown(
    node: Name, statement: Statement, symbols: Symbols, indices: Iterable[str]
) -> SpecError:
    name = node.name
    if name in FUNCTIONS or name in symbols.functions or name in symbols.calls:
        message = f"{shown(name)} is a function and came without its arguments"
    elif "'" in name:
        message = f"{shown(name)}: a prime follows the name of a function declared in [functions]"
    else:
        message = f"unknown name {shown(name)}: neither declared, defined nor an index here"
        fault = fault_of(name)
        hint = hints.bare_name(name) or (f"; {shown(name)} {fault}" if fault else "")
        hint = hints.comment(statement.source.before(node.at)) or hint
        known = [*indices, *symbols.sizes, *symbols.tensors, *CONSTANTS]
        message += hint or did_you_mean(name, known)
    return statement.error(message, node.at)


def subscripted(name: str, symbols: Symbols, inside: Iterable[str], equations: str) -> str:
    """`write W[i,j]`, with the indices that there are, if they are enough, or those of the text."""
    rank = symbols.tensors[name].rank
    known = list(dict.fromkeys(inside))
    letters = [letter for letter in "ijklmn" if not symbols.stands_bare(letter)]
    elsewhere = letters_elsewhere(name, equations)
    for some in (elsewhere if set(elsewhere) <= set(known) else (), known, elsewhere):
        if len(some) >= rank:
            return f"write {name}[{','.join(some[:rank])}]"
    return f"write {name}[{','.join(letters[:rank])}]"


def axes(rank: int) -> str:
    return "1 axis" if rank == 1 else f"{rank} axes"
