"""Trees: any expression of reads, functions, selections and reductions, to a depth."""

from __future__ import annotations

from dataclasses import dataclass, field

from benchmarks.fuzzing.writer import LETTERS, Writer, read_of

UNARY = (
    "tanh({})", "-{}", "sin({})", "stop({})", "({})**2", "relu({})", "abs({})", "sigmoid({})", "({})/2", "1/(1 + ({})**2)",
    "sqrt(1 + ({})**2)", "log(1 + ({})**2)", "softplus({})", "exp(tanh({}))", "erf({})", "clip({}, -0.5, 0.5)", "tanh(({})/2)**3",
)  # fmt: skip
BINARY = (
    "({} + {})", "({} - {})", "({})*({})", "minimum({}, {})", "maximum({}, {})", "({})/(2 + ({})**2)", "({})*stop({})",
    "expdiff(tanh({}), tanh({}))", "leaky_relu({}, {})", "power(1 + ({})**2, tanh({}))",
)  # fmt: skip
SELECT = (
    "where({} < {}, {}, {})", "where({} <= {} and {} > 0, {}, {})", "[{} < {}]*({})", "where(not {} == {}, {}, {})",
    "where({} < 0.2, where({} > 0, {}, {}), {})", "where(stop({}) > 0, log(1 + ({})**2)/2, {})",
)  # fmt: skip
REDUCE = ("sum", "mean", "logsumexp", "max", "min")


@dataclass
class Tree:
    """An expression over indices. bound: what its reductions bind, each its own letter."""

    w: Writer
    indices: dict[str, str]
    bound: dict[str, str] = field(default_factory=dict)

    def text(self, known: dict[str, str], depth: int) -> str:
        """An expression of some of the known indices."""
        forms = ("read", "read", "unary", "binary", "select", "reduce")
        form = self.w.chosen(forms) if depth else "read"
        if form == "read":
            return self.read(known)
        if form == "reduce" and len(self.indices) + len(self.bound) < len(LETTERS) - 1:
            return self.reduced(known, depth)
        row = self.w.chosen({"unary": UNARY, "binary": BINARY}.get(form, SELECT))
        count = row.count("{}")
        return str(row.format(*(self.text(known, depth - 1) for _ in range(count))))

    def read(self, known: dict[str, str]) -> str:
        """A tensor at a few of the indices, moved or not; or an index, or a number."""
        w, form = self.w, self.w.chosen(("real", "real", "real", "real", "int", "bool", "index"))
        if form == "index":
            return f"{w.chosen([*known, '0.5'])}/3"
        letters = w.subset(list(known))[:3]
        made = {"real": w.tensor, "int": w.integer, "bool": w.boolean}[form]
        return w.read(made(tuple(known[i] for i in letters)), known, letters)[0]

    def reduced(self, known: dict[str, str], depth: int) -> str:
        letter = LETTERS[len(self.indices) + len(self.bound)]
        axis = self.w.chosen(("H", "3", "K", "T"))
        self.bound[letter] = axis
        body = self.text(known | {letter: axis}, depth - 1)
        return f"{self.w.chosen(REDUCE)}({letter}: {body})"


def _ranges(w: Writer, tree: Tree) -> str:
    """Of all indices; some of the target's may leave the first place as it is, 0."""
    parts = [f"{w.chosen(('', '', '', '1 <= '))}{i} < {axis}" for i, axis in tree.indices.items()]
    parts += [f"{i} < {axis}" for i, axis in tree.bound.items()]
    return f" for {', '.join(parts)}" if parts else ""


def nested(w: Writer) -> None:
    """v[I] = a tree, once or as several contributions."""
    w.drawn.append("tree")
    indices = dict(zip(LETTERS, w.dims(0, 3), strict=False))
    trees = [Tree(w, indices)]
    lines = [trees[0].text(indices, 3)]
    while len(lines) < 2 and w.chance() and w.chance():
        trees.append(Tree(w, indices))
        lines.append(trees[-1].text(indices, 2))
    name = w.name("v")
    sign = "=" if len(lines) == 1 else "+="
    for tree, line in zip(trees, lines, strict=True):
        w.lines.append(f"{read_of(name, list(indices))} {sign} {line}{_ranges(w, tree)}")
    w.declare(name, tuple(indices.values()))


def picked(w: Writer) -> None:
    """a[I] = argmax of a tree: a place that is computed, for any gather or scatter to use."""
    w.drawn.append("computed place")
    indices = dict(zip(LETTERS, w.dims(0, 2), strict=False))
    axis = w.chosen(("H", "K", "3", "T"))
    letter = LETTERS[len(indices)]
    tree = Tree(w, indices, {letter: axis})
    body = tree.text(indices | {letter: axis}, 2)
    parts = [f"{i} < {size}" for i, size in (indices | tree.bound).items()]
    name = w.name("a")
    op = w.chosen(("argmax", "argmin"))
    w.lines.append(
        f"{read_of(name, list(indices))} = {op}({letter}: {body}) for {', '.join(parts)}"
    )
    w.ints[name] = (tuple(indices.values()), axis)
