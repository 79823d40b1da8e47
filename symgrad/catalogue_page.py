"""docs/catalogue.md: all that has a name, written from the rows. `symgrad list --page` makes it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator, Sequence

from symgrad import listing, returns, statistics
from symgrad.algebra.sizes import Size
from symgrad.catalog.activations import ROWS as ACTIVATIONS
from symgrad.catalog.distributions import ROWS as DISTRIBUTIONS
from symgrad.catalog.formula import REDUCTION, Given, NamedLoss, Option
from symgrad.catalog.layer import Layer, Signal
from symgrad.catalog.layers import ROWS as LAYERS
from symgrad.catalog.losses import ROWS as LOSSES
from symgrad.expand.losses import pattern
from symgrad.notation.hints import SOUGHT
from symgrad.notation.parser import parse
from symgrad.notation.syntax import Call, Name, Node, Read, Source, Statement, nodes

HEAD = """\
# The catalogue

Everything that a spec may name: losses, distributions, layers, activations, and the specs that come
with symgrad. How it is written is said in [the notation](notation.md); `symgrad list losses` prints
a table of one kind. This page is made of the rows of `symgrad/catalog`, by

```sh
symgrad list --page docs/catalogue.md
```

A test compares it with them.
"""

OF_LOSSES = """\
Each loss is to be minimised. `b` stands for all axes that come first: a batch, batch and time, or
none; `_tm1` in a name is the step before and `_t` the step after a transition. The equations define
`each[b]`, one number for each place of the batch, and the loss is their mean; below a line
`# option` stand those that it changes or adds. `stop(x)` is held constant: it has the value of x,
and the derivative 0. All losses take
"""

OF_DISTRIBUTIONS = """\
A log-probability, an entropy or a divergence: one number for each `b`, read at its places, as in
`normal_entropy(log_std)[b]`. Entries of the last axis are independent, and add up.
"""

OF_NAMES = """\
What one may look for by another name. An unknown name in a spec is answered in these words.
"""

OF_RETURNS = """\
Functions of `symgrad.returns` and `symgrad.statistics` in plain NumPy, which nothing
differentiates; `help(symgrad.returns.gae)` says more.
"""


def page() -> str:
    """The whole page."""
    reduction = "".join(f"- {_option(option)}.\n" for option in REDUCTION)
    parts = (
        HEAD,
        "## Losses\n",
        OF_LOSSES,
        reduction,
        _table(("loss", "value"), ((_link(r), code(r.formula)) for r in LOSSES)),
        *(line for row in LOSSES for line in _formula(row)),
        "## Losses by other names\n",
        OF_NAMES,
        _table(("elsewhere", "here"), ((_listed(w), cell(h)) for w, h in SOUGHT.items())),
        "## Data for losses\n",
        OF_RETURNS,
        _table(("function", "value"), _returns()),
        "## Distributions\n",
        OF_DISTRIBUTIONS,
        *(line for row in DISTRIBUTIONS for line in _formula(row)),
        "## Layers\n",
        _table(LAYER_TITLES, map(_layer, LAYERS)),
        "## Activations\n",
        _table(("activation", "is", "convention at its kinks", "source"), _activations()),
        "## Specs\n",
        _table(("spec", "parameters", "sizes", "what it is", "source"), _specs()),
    )
    return "\n".join(parts)


# ---- losses and distributions -------------------------------------------------------------------


def _formula(row: NamedLoss) -> Iterator[str]:
    """One row: how it is called, its equations, and what there is to know of it."""
    yield f"### {row.name}\n"
    yield f"`{row.form}`\n"
    yield f"`{row.formula}`\n"
    shown = "\n".join(equations(row))
    yield f"```text\n{shown}\n```\n"
    yield "".join(f"- {said}.\n" for said in _facts(row))


def equations(row: NamedLoss) -> Iterator[str]:
    """Those without options, and for each option those that it changes."""
    plain = _lines(row, frozenset())
    yield from plain
    for option in row.options:
        (name,) = names([option.name])
        changed = [line for line in _lines(row, frozenset({name})) if line not in plain]
        if changed:
            yield f"# {name}"
            yield from changed


def _lines(row: NamedLoss, given: Given) -> list[str]:
    """An equation each."""
    lines = [line.strip() for line in row.written(given).strip().split("\n")]
    return [line for line in lines if line]


def _facts(row: NamedLoss) -> Iterator[str]:
    yield f"Arguments: {', '.join(f'`{a}`{_notes(row, a)}' for a in row.arguments)}"
    if row.options:
        options = "; ".join(_option(option, _notes(row, option.name)) for option in row.options)
        apart = f"; at most one of {_listed(row.apart, ' and ')}" if row.apart else ""
        yield f"Options: {options}{apart}"
    stopped = _listed(held(row))
    yield f"Held constant: {row.held}{f' ({stopped})' if stopped else ''}"
    if row.elsewhere:
        yield f"Elsewhere: {row.elsewhere}"
    yield f"Source: {row.source}"


def _notes(row: NamedLoss, text: str) -> str:
    """What is no real number, or may come without a batch."""
    (name,) = names([text])
    kind = kind_of(row, name)
    said = [kind] if kind != "real" else []
    said += ["or one for all of the batch"] if name in row.shared else []
    return f" ({', '.join(said)})" if said else ""


def _option(option: Option, notes: str = "") -> str:
    above = ", above 0" if option.positive else ""
    means = f": {option.means}" if option.means else ""
    return f"`{option.name}={option.default}`{notes}{above}{means}"


def names(patterns: Iterable[str]) -> list[str]:
    """Arguments without their axes."""
    return [pattern(text).name for text in patterns]


def kind_of(row: NamedLoss, name: str) -> str:
    """A name that is a subscript counts, one that is a condition is a bool."""
    every = (node for s in _statements(row, frozenset()) for node in nodes(s.right))
    for node in every:
        if isinstance(node, Read) and any(_is(s, name) for s in node.subscripts):
            return "int"
        if isinstance(node, Call) and node.name == "where" and _is(node.arguments[0], name):
            return "bool"
    return "real"


def held(row: NamedLoss) -> list[str]:
    """The arguments and options that go into a stop, whatever option is set."""
    options = names(option.name for option in row.options)
    inside: set[str] = set()
    for given in (frozenset(), *(frozenset({name}) for name in options)):
        for statement in reversed(_statements(row, given)):
            every = nodes(statement.right)
            stops: list[Node] = [n for n in every if isinstance(n, Call) and n.name == "stop"]
            if statement.left.name in inside:  # it goes on into one
                stops = [statement.right]
            inside |= {name for stop in stops for name in _names(stop)}
    return [name for name in (*names(row.arguments), *options) if name in inside]


def _statements(row: NamedLoss, given: Given) -> tuple[Statement, ...]:
    return parse(Source("\n".join(_lines(row, given))))


def _names(tree: Node) -> set[str]:
    return {node.name for node in nodes(tree) if isinstance(node, Name | Read)}


def _is(node: Node, name: str) -> bool:
    return isinstance(node, Name | Read) and node.name == name


def _link(row: NamedLoss) -> str:
    return f"[`{row.name}`](#{row.name})"


def _returns() -> Iterator[tuple[str, str]]:
    """The public functions, each with the first line of its docstring."""
    every = [
        f
        for module in (returns, statistics)
        for f in inspect.getmembers(module, inspect.isfunction)
    ]
    for name, function in every:
        if function.__module__ in (returns.__name__, statistics.__name__) and name[0] != "_":
            arguments = ", ".join(inspect.signature(function).parameters)
            said = inspect.getdoc(function) or ""
            yield f"`{name}({arguments})`", cell(said.split("\n")[0])


# ---- layers, activations, specs ------------------------------------------------------------------

LAYER_TITLES = ("layer", "computes", "parameters, and PyTorch's names", "options", "source")


def _layer(row: Layer) -> tuple[str, ...]:
    sizes = tuple(Size.of(3) for _ in row.sizes)
    own = tuple(Size.of(4) for _ in range(3 if row.axes is None else row.axes))
    built = row.build(Signal(("b",), own[:1], own, Size.of(5)), sizes, dict(row.options))
    theirs = dict(row.torch)
    params = [f"`{n}` {theirs[n]}" if n in theirs else f"`{n}`" for n in built.params]
    options = _listed(f"{name}={default}" for name, default in row.options)
    called = code(" ".join((row.name, *row.sizes)))
    return called, code(row.formula), ", ".join(params), options, cell(row.source)


def _activations() -> Iterator[tuple[str, ...]]:
    for row in ACTIVATIONS:
        options = ", ".join(f"{name}={default}" for name, default in row.options)
        called = f"{row.name}({options})" if options else row.name
        yield code(called), code(row.formula), cell(row.kink), cell(row.source)


def _specs() -> Iterator[tuple[str, ...]]:
    for entry in listing.specs():
        count, sizes = entry.cells
        yield (
            code(entry.name),
            cell(count),
            _listed(sizes.split()),
            cell(entry.about),
            cell(entry.source),
        )


# ---- Markdown ------------------------------------------------------------------------------------


def cell(text: str) -> str:
    """Plain words with code between backticks, in a cell of a table."""
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(
        p.replace("|", "\\|") if p.startswith("`") else re.sub(r"([\\*\[\]<>|])", r"\\\1", p)
        for p in parts
    )


def code(text: str) -> str:
    """Code, in a cell of a table, where a bar alone would end it."""
    return f"`{text}`".replace("|", "\\|")


def _listed(found: Iterable[str] | str, between: str = ", ") -> str:
    every = found.split() if isinstance(found, str) else found
    return between.join(f"`{one}`" for one in every)


def _table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [titles, ["---"] * len(titles), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
