"""Spec and plans -> the text of one NumPy module."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from symgrad.algebra.live import drop_dead
from symgrad.algebra.program import Program, Tensor, fresh_name
from symgrad.algebra.sizes import Size
from symgrad.emit.containers import (
    Container,
    by_keyword,
    class_of,
    init,
    layers,
    parameters,
    save_and_load,
    sizes_in,
)
from symgrad.emit.docstring import declared, function_doc, module_doc
from symgrad.emit.entry import closing, make_entry, opening, signature
from symgrad.emit.layout import WIDTH, code
from symgrad.emit.literals import (
    camel,
    dict_text,
    keywords,
    literal,
    quoted,
    size_expression,
    tuple_text,
)
from symgrad.emit.memory import buffers_of, memory_class, memory_names
from symgrad.emit.naming import atoms, named, named_in
from symgrad.emit.numpy import Printer
from symgrad.emit.render import helpers_for, render
from symgrad.emit.tidy import tidied
from symgrad.plan.steps import Plan
from symgrad.plan.views import Array
from symgrad.spec import Loss, Spec
from symgrad.version import VERSION

AMBIGUOUS = frozenset("lIO")
"""Names that look like digits, which linters refuse; a spec may use them all the same."""


@dataclass(frozen=True)
class Along:
    """The direction of a product: the tensor v_X of each X, and what the product is, in words."""

    tensors: Mapping[str, str]
    said: str


@dataclass(frozen=True)
class Function:
    """One function of the module.

    name:       as it is called.
    program:    what it computes; its outputs are `results` and the gradients.
    plan:       how.
    results:    the values returned, the loss first.
    gradient:   the derivative tensor of each name in wrt, for what returns a gradient or its like.
    shown:      what the module's docstring says of it: a heading, and equations.
    loss:       whose function it is; None where it takes data by place, as `forward` does.
    along:      of a product, its direction.
    """

    name: str
    program: Program
    plan: Plan
    results: tuple[str, ...]
    gradient: Mapping[str, str] = field(default_factory=dict)
    shown: tuple[str, ...] = ()
    loss: Loss | None = None
    along: Along | None = None

    @property
    def positional(self) -> bool:
        return self.loss is None

    @property
    def wrt(self) -> tuple[str, ...]:
        """The tensors that a gradient or a direction has a part for."""
        return (*self.gradient, *(self.along.tensors if self.along else ()))

    @property
    def own(self) -> tuple[Tensor, ...]:
        """Data that no spec declares, such as a damping."""
        along = self.along.tensors.values() if self.along else ()
        data = (t for t in self.program.tensors if t.role == "data" and t.name not in along)
        declared = self.loss.program.tensor_of if self.loss else self.program.tensor_of
        return tuple(t for t in data if t.name not in declared)


def module_text(
    spec: Spec,
    functions: Sequence[Function],
    identities: Sequence[str] = (),
    printer: type[Printer] = Printer,
) -> str:
    """The source of the spec's module, its steps as the printer writes them."""
    params = tuple(t for t in spec.tensors if t.role == "param")
    containers = _containers(spec, functions, params)
    memories = memory_names(f.name for f in functions)
    doc = module_doc(spec, [f.shown for f in functions if f.shown], identities)
    direction = fresh_name("v", _names(spec, functions))
    parts = [
        _function(spec, f, containers.get(_wrt(spec, f)), memories[f.name], direction, printer)
        for f in functions
    ]
    sizes = [name for name, _ in spec.sizes]
    signature = ", ".join(["self", *(["*"] if sizes else []), *by_keyword(spec, sizes)])
    context = {
        "noqa": _exempt(doc, _names(spec, functions)),
        "doc": doc,
        "constants": _constants(spec, functions, params),
        "containers": [class_of(spec, c) for c in containers.values()],
        "workspace": {
            "signature": code(f"def __init__({signature}):", 4),
            "body": code(f"self.sizes = _sizes({', '.join(f'{n}={n}' for n in sizes)})", 8),
        },
        "init": init(spec, params) if params else None,
        "files": save_and_load(spec, params) if params else None,
        "layers": bool(spec.layers),
        "functions": parts,
    }
    text = render("numpy", "module.py.j2", context)
    if _is_wide(text):
        rules = ", ".join(filter(None, [str(context["noqa"]), "E501", "RUF100"]))
        text = render("numpy", "module.py.j2", {**context, "noqa": rules})
    body = text.partition('"""')[2].partition('"""')[2]
    return text + "".join(f"\n\n{helper}\n" for helper in helpers_for("numpy", body))


def _is_wide(text: str) -> bool:
    """Whether names are so long that a line beside SPEC, which marks itself, cannot be broken."""
    before, _, rest = text.partition("\nSPEC = ")
    after = rest.partition("\n\n\n")[2]
    return any(len(line) > WIDTH for line in (before + after).splitlines())


def _exempt(doc: Sequence[str], names: Iterable[str]) -> str:
    """The lint rules that the spec's own names and words may break."""
    rules = ["E741"] if AMBIGUOUS & set(names) else []
    if not all(line.isascii() for line in doc):
        rules.append("RUF002")  # a dash for a hyphen
    return ", ".join([*rules, "RUF100"] if rules else [])  # where there is none of them after all


def _names(spec: Spec, functions: Sequence[Function]) -> set[str]:
    """The names that become Python's: tensors, sizes, and the indices of loops."""
    return {n for f in functions for n in f.program.names} | {n for n, _ in spec.sizes}


def _wrt(spec: Spec, function: Function) -> tuple[str, ...]:
    """What a function differentiates by, in declared order."""
    return tuple(t.name for t in spec.tensors if t.name in function.wrt)


def _by(spec: Spec, function: Function) -> tuple[str, ...]:
    """What a function differentiates by, in words: whole groups by their name."""
    wrt = _wrt(spec, function)
    found: dict[str, None] = {}
    for name in wrt:
        group = next((g for g, names in spec.groups if name in names and {*names} <= {*wrt}), None)
        found[group or spec.paths.get(name, name)] = None
    return tuple(found)


def _containers(
    spec: Spec, functions: Sequence[Function], params: tuple[Tensor, ...]
) -> dict[tuple[str, ...], Container]:
    """Params, and a class for each other set of tensors that a loss is differentiated by."""
    taken = _names(spec, functions)
    found: dict[tuple[str, ...], Container] = {}
    if params:
        found[tuple(t.name for t in params)] = Container("Params", params)
    for function in functions:
        wrt = _wrt(spec, function)
        if wrt and wrt not in found:
            stem = function.name.removesuffix("value_and_grad")
            name = fresh_name(camel(stem) + "Gradients", taken)
            taken.add(name)
            chosen = [t for t in spec.tensors if t.name in wrt]
            by_role = {r: tuple(t for t in chosen if t.role == r) for r in ("param", "data")}
            found[wrt] = Container(name, by_role["param"], by_role["data"])
    return found


def _constants(spec: Spec, functions: Sequence[Function], params: Sequence[Tensor]) -> list[str]:
    """What the module states of itself, one assignment after another."""
    data = [t for t in spec.tensors if t.role == "data"] + [t for f in functions for t in f.own]
    inputs = dict.fromkeys(f"{quoted(t.name)}: {quoted(declared(t))}" for t in data)
    outputs = [f"{quoted(n)}: {tuple_text(map(quoted, p.outputs))}" for n, p in spec.forwards]
    known = atoms(spec)
    counts = [_count(f.name, named(f.plan.operations, known)) for f in functions]
    return [
        f"VERSION = {quoted(VERSION)}",
        *code(f"SIZES = {dict_text(spec.sizes)}", 0),
        *_table("PARAMETERS", parameters(spec, params)),
        *(_table("LAYERS", layers(spec)) if spec.layers else []),
        *_table("INPUTS", [f"    {line}," for line in inputs]),
        *_table("OUTPUTS", [f"    {line}," for line in outputs]),
        "BRANCHES = ()",
        *_table("OPERATIONS", counts),
        f"SPEC_HASH = {quoted(spec.hash)}",
        f"SPEC = {literal(spec.canonical(), len('SPEC = '))}",
    ]


def _count(name: str, size: Size) -> str:
    """A function's count of operations, over several strings where it is long."""
    line = f"    {quoted(name)}: {quoted(size_expression(size))},"
    if len(line) <= WIDTH:
        return line
    pieces = textwrap.wrap(size_expression(size), WIDTH - 24, break_long_words=False)
    texts = [quoted(p + " ") for p in pieces[:-1]] + [quoted(pieces[-1])]
    return f"    {quoted(name)}: (\n" + "".join(f"        {t}\n" for t in texts) + "    ),"


def _table(name: str, lines: Sequence[str]) -> list[str]:
    return [f"{name} = {{", *lines, "}"] if lines else [f"{name}: dict = {{}}"]


def _data(spec: Spec, function: Function) -> list[Tensor]:
    """What the function takes: the data that its loss, or its outputs, are computed from.

    That is read off the loss as it was written: what cancels in it is still asked for.
    """
    own = () if function.loss is None else (function.loss,)
    programs = [function.program, *(drop_dead(loss.program) for loss in own)]
    read = {a.tensor for p in programs for e in p.equations for a in e.reads}
    wrt = {name for loss in own for name in loss.wrt}
    declared = [t for t in spec.tensors if t.role == "data" and t.name in read | wrt]
    return [*declared, *function.own]


def _function(
    spec: Spec,
    function: Function,
    gradients: Container | None,
    memory: str,
    direction: str,
    printer: type[Printer],
) -> dict[str, object]:
    """What the template lays out as one function and the class of its buffers."""
    names = {new: old for old, new in function.gradient.items()}

    def home(array: Array) -> str:
        if array.storage != "gradient":
            return f"ws.{array.name}"
        return f"grads.{spec.paths.get(names[array.name], names[array.name])}"

    known = atoms(spec)
    plan = named_in(function.plan, known)
    scalars = [old for old in function.gradient if not function.program.tensor_of[old].shape]
    places = {old: spec.paths.get(old, old) for old in scalars}
    outputs = function.positional or (function.along is not None and not function.gradient)
    ending = closing(function.results, function.gradient, places, outputs)
    steps = tidied(printer(plan, home, depth=0).run(plan.steps), ending)
    buffers = buffers_of(plan)
    data = _data(spec, function)
    entry = make_entry(spec, data, function.program, [*steps, *buffers])
    if function.along is not None:
        entry = replace(entry, direction=direction, along=function.along.tensors)
    if gradients is not None:
        made = f"{gradients.name}(dtype{keywords(sizes_in(spec, gradients.tensors))})"
        buffers += [f"self.grads = {made}"] if function.gradient else []
        buffers += [f"self._along = {made}"] if function.along else []
    return {
        "signature": signature(entry, function.name, function.positional),
        "doc": function_doc(
            data,
            entry.given,
            function.results,
            _by(spec, function),
            function.positional,
            (direction, function.along.said) if function.along else None,
        ),
        "body": [
            *opening(entry, memory, steps, bool(function.gradient)),
            *steps,
            *ending,
        ],
        "memory": memory_class(entry, memory, function.name, buffers),
    }
