"""Random valid programs, as TOML text: so a failure shrinks to a spec that one can read.

A program is a few productions. Some have a free form (any contraction, any gather, any
recurrence), some are templates, some take a row of the catalogue: its layers, activations and
losses are drawn from its own tables. What a production reads is taken from what is there already
or declared anew, so programs grow skip connections and shared weights by themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from hypothesis import strategies as st

from benchmarks.fuzzing import bodies, moving, nested, networks
from benchmarks.fuzzing.forms import contraction, elementwise, gather, reduction
from benchmarks.fuzzing.named import named_loss
from benchmarks.fuzzing.templates import AFFINE, INDEXED, RECURRENT
from benchmarks.fuzzing.text import FREE, NAMED, document
from benchmarks.fuzzing.writer import LETTERS, Case, Draw, Template, Writer, parsed, read_of
from symgrad.errors import SymgradError

Production = Callable[[Writer], None]


def from_rows(rows: Sequence[Template]) -> Production:
    return lambda w: w.template(w.chosen(rows))


def attempt(production: Production) -> Production:
    """A production that symgrad may refuse; then nothing of it stays but what was said."""

    def tried(w: Writer) -> None:
        before = w.snapshot()
        try:
            production(w)
            parsed(document(w, {"": _equations([*w.terms, "1"], True)}, outputs=("loss",)))
        except SymgradError as error:
            w.restore(before)
            w.refused.append(str(error).splitlines()[0])

    return tried


def upon_networks(w: Writer) -> None:
    """A copy or an application, where there is a network, else a network."""
    made = w.chosen((networks.copied, networks.applied)) if w.networks else networks.network
    attempt(made)(w)


CATALOGUE = (
    attempt(networks.network),
    upon_networks,
    attempt(networks.function),
    attempt(named_loss),
)
"""What is drawn from the catalogue's tables."""
TEMPLATES = (*AFFINE, *INDEXED, *RECURRENT)
EQUATIONS: tuple[Production, ...] = (
    partial(elementwise, bodies.ELEMENTWISE),
    partial(elementwise, bodies.SELECTIONS),
    partial(elementwise, bodies.STOPS),
    partial(elementwise, bodies.WHOLE),
    contraction,
    reduction,
    gather,
    from_rows([row for row in AFFINE if "pad(" not in row.text]),
    from_rows([row for row in AFFINE if "pad(" in row.text]),
    from_rows(INDEXED),
    from_rows(RECURRENT),
    from_rows([row for row in TEMPLATES if "logsumexp" in row.text]),
    from_rows([row for row in TEMPLATES if "pad(ff" in row.text]),
    from_rows([row for row in TEMPLATES if "pad(nn" in row.text]),
    moving.window,
    moving.scatter,
    moving.powers,
    attempt(moving.recurrence),
    attempt(nested.nested),
    attempt(nested.nested),
    attempt(nested.picked),
)
"""What is drawn of equations alone."""
PRODUCTIONS = (*EQUATIONS, *CATALOGUE)

TERMS = ("mean({i}: sin({v}))", "sum({i}: {v}**2)", "mean({i}: tanh({v})*{v})", "-sum({i}: {v})/2")
SMALL = {"B": (1, 2), "T": (1, 2, 3), "H": (1, 2), "K": (1, 2)}
"""Axes of one entry, and ranges that may be empty."""


def term(w: Writer, name: str) -> str:
    letters = list(LETTERS[: len(w.tensors[name])])
    if not letters:
        return str(w.chosen(("sin({})", "{}", "{}**2")).format(name))
    return str(w.chosen(TERMS).format(i=",".join(letters), v=read_of(name, letters)))


@st.composite
def _another(draw: Draw, w: Writer, productions: Sequence[Production]) -> bool:
    """One more production, or the end: a strategy, so that shrinking takes it out as a whole."""
    goes_on = draw(st.integers(0, 9)) > 0
    if goes_on:
        w.chosen(productions)(w)
    return goes_on


@st.composite
def programs(draw: Draw, productions: Sequence[Production] = PRODUCTIONS, most: int = 9) -> Case:
    """A valid spec: productions, then losses that read what is left."""
    w = Writer(draw)
    w.chosen(productions)(w)
    for _ in range(most - 1):
        if not draw(_another(w, productions)):
            break
    computed = list(dict.fromkeys([*w.unread, *w.networks]))  # each network is in some loss
    terms = [*w.terms, *(term(w, name) for name in computed)]
    wrt = _by(w, terms)
    outputs = w.subset(computed) if w.chance() else []
    aux = [n for n in w.subset(computed) if w.chance()]
    several = len(terms) > 1 and w.chance()
    groups = {"one": terms[::2], "two": terms[1::2]} if several else {"": terms}
    losses = {name: _equations(some, w.chance()) for name, some in groups.items()}
    text = document(w, losses, wrt, outputs, aux)
    values = w.chosen(("ordinary", "ordinary", "grid"))
    return Case(text, _sizes(w, text), values, tuple(w.drawn), tuple(w.refused))


def _by(w: Writer, terms: list[str]) -> list[str]:
    """What the losses are differentiated by: parameters, and data too."""
    params = [*w.declared["params"], *(n for n, net in w.networks.items() if net.learned)]
    reals = [n for n, kind in w.declared["data"].items() if kind.startswith("real")]
    wrt = params or reals[:1]
    if not wrt or not terms:
        wrt = [*wrt, w.leaf(())]
        terms.append(f"{wrt[-1]}**2")
    choice = w.chosen(("params", "params", "some", "all"))
    if choice == "some":
        return w.subset([*wrt, *(n for n in reals if n not in wrt)], 1)
    return wrt if choice == "params" else [*wrt, *(n for n in reals if n not in wrt)]


def _equations(terms: Sequence[str], summed: bool) -> str:
    if summed:
        return "\n".join(f"loss += {t}" for t in terms)
    return f"loss = {' + '.join(terms)}".replace("+ -", "- ")


def _sizes(w: Writer, text: str) -> dict[str, int]:
    """Ordinary sizes, or small ones if they fulfil what the spec asks of sizes."""
    ordinary = {n: w.chosen(v) for n, v in (FREE | NAMED).items()}
    small = {n: w.chosen(v) for n, v in SMALL.items()}
    if not (w.chance() and w.chance()):
        return ordinary
    try:
        checks = parsed(text).checks
    except SymgradError:  # whoever runs the case will say so
        return ordinary
    return small if all(size.evaluate(small) >= 0 for size, _ in checks) else ordinary
