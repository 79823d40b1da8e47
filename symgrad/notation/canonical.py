"""A program, or a whole spec, as TOML text that reads back to the same equations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from symgrad.algebra.program import Equation, Program, Tensor
from symgrad.algebra.sizes import Size
from symgrad.notation.context import Context, context_of
from symgrad.notation.places import Check, bound_text
from symgrad.notation.printer import equation_line, number_text


@dataclass(frozen=True)
class Part:
    """One loss: its program holds the shared equations and its own."""

    name: str
    program: Program
    wrt: tuple[str, ...]


@dataclass(frozen=True)
class Preamble:
    """What a spec says beside its programs."""

    aux: tuple[str, ...] = ()
    description: str = ""
    notes: tuple[tuple[str, str], ...] = ()
    derived: tuple[tuple[str, Size], ...] = ()
    checks: tuple[Check, ...] = ()
    groups: tuple[tuple[str, tuple[str, ...]], ...] = ()
    products: tuple[str, ...] = ()


def program_toml(program: Program, notes: tuple[tuple[str, str], ...] = ()) -> str:
    """A TOML text of any program; it declares no loss, so a gradient program reads back too.

    notes: the descriptions of free sizes.
    """
    context = context_of(program)
    top = [
        f"outputs = {_names(program.outputs)}",
        "wrt = []",
        *_equations(program.equations, context),
    ]
    return _joined(["\n".join(top), *_tables(program, Preamble(notes=notes), [context])])


def canonical_text(shared: Program, parts: Sequence[Part], preamble: Preamble) -> str:
    """The spec's canonical text: what the shared equations are, then each loss."""
    contexts = [context_of(shared), *(context_of(p.program) for p in parts)]
    single = len(parts) == 1 and len(parts[0].program.equations) == len(shared.equations)
    rows = (
        ("description", bool(preamble.description), _string(preamble.description)),
        ("outputs", bool(shared.outputs), _names(shared.outputs)),
        ("aux", bool(preamble.aux), _names(preamble.aux)),
        ("wrt", single or not parts, _names(parts[0].wrt if parts else ())),
        ("require", bool(_required(preamble)), _names(_required(preamble))),
        ("with", bool(preamble.products), _names(preamble.products)),
    )
    top = [f"{key} = {value}" for key, there, value in rows if there]
    if shared.equations:
        top += _equations(shared.equations, contexts[0])
    blocks = ["\n".join(top), *_tables(shared, preamble, contexts)]
    if not single:
        blocks += [
            _loss(p, shared, preamble.aux, c) for p, c in zip(parts, contexts[1:], strict=True)
        ]
    return _joined(blocks)


def _required(preamble: Preamble) -> list[str]:
    """The checks that the equations do not say by themselves, such as a mean's count."""
    bounds = [(bound_text(size), message) for size, message in preamble.checks]
    return [
        f"{left} >= {least}"
        for (left, least), message in bounds
        if message == f"{left} must be at least {least}"
    ]


def _loss(part: Part, shared: Program, aux: tuple[str, ...], context: Context) -> str:
    own = tuple(name for name in part.program.outputs[1:] if name not in aux)
    lines = [f"[losses.{part.name}]", f"wrt = {_names(part.wrt)}"]
    lines += [f"aux = {_names(own)}"] if own else []
    lines += _equations(part.program.equations[len(shared.equations) :], context)
    return "\n".join(lines)


def _equations(equations: Iterable[Equation], context: Context) -> list[str]:
    return ['equations = """', *(equation_line(e, context) for e in equations), '"""']


def _tables(program: Program, preamble: Preamble, contexts: Iterable[Context]) -> Iterator[str]:
    notes = dict(preamble.notes)
    sizes = [
        f"{name} = {_string(notes.get(name, 'free')) if value is None else value}"
        for name, value in program.sizes
    ]
    yield _table("sizes", sizes + [f'{name} = "={size}"' for name, size in preamble.derived])
    grouped = {name: group for group, names in preamble.groups for name in names}
    params = [t for t in program.tensors if t.role == "param"]
    yield _table("params", [_tensor(t) for t in params if t.name not in grouped])
    for group, _ in preamble.groups:
        own = [t for t in params if grouped.get(t.name) == group]
        named = [replace(t, name=t.name.removeprefix(f"{group}_")) for t in own]
        yield _table(f"params.{group}", [_tensor(t) for t in named])
    yield _table("data", [_tensor(t) for t in program.tensors if t.role == "data"])
    yield _table("functions", [f"{name} = {arity}" for name, arity in program.functions])
    shapes = {t.name: t for c in contexts for t in c.program.tensors if t.name in c.declared}
    yield _table("tensors", [_tensor(t) for t in shapes.values()])


def _table(name: str, lines: Sequence[str]) -> str:
    return "\n".join([f"[{name}]", *lines]) if lines else ""


def _tensor(tensor: Tensor) -> str:
    return f'{tensor.name} = "{type_text(tensor)}"'


def type_text(tensor: Tensor) -> str:
    """A tensor's type as a spec declares it: int[B] < 2, real = 0.99."""
    text: str = tensor.kind
    if tensor.shape:
        text += f"[{', '.join(str(size) for size in tensor.shape)}]"
    if tensor.below is not None:
        text += f" < {tensor.below}"
    if tensor.positive:
        text += " > 0"
    if tensor.default is not None:
        text += f" = {number_text(tensor.default)}"
    if tensor.init is not None:
        text += f" init={tensor.init}"
    return text


def _names(names: Iterable[str]) -> str:
    return "[" + ", ".join(f'"{name}"' for name in names) + "]"


def _string(text: str) -> str:
    """A TOML basic string in ASCII."""
    out = ""
    for character in text:
        code = ord(character)
        if character in '"\\':
            out += f"\\{character}"
        elif 32 <= code < 127:
            out += character
        else:
            out += f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
    return f'"{out}"'


def _joined(blocks: Iterable[str]) -> str:
    return "\n\n".join(block for block in blocks if block) + "\n"
