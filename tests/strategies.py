"""Random valid programs, as TOML text: so a failure shrinks to a spec that one can read.

A program is a few productions, each a row of a table: some have a free form (any contraction, any
gather), the others are templates. What a production reads is taken from what is there already or
declared anew, so programs grow skip connections and shared weights by themselves.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from hypothesis import strategies as st

Draw = Callable[[Any], Any]
Dims = tuple[str, ...]

FREE = {"B": (3, 1, 2), "T": (5, 6)}  # sizes without a default, and what they are run at
NAMED = {"H": (4, 3), "K": (2, 3)}  # the first is the default
AXES = ("B", "H", "T", "K", "3", "2")
LETTERS = "ijklmnopqrs"


@dataclass(frozen=True)
class Case:
    """A spec's text, and the sizes to run it at."""

    text: str
    sizes: dict[str, int]

    def __repr__(self) -> str:
        return f"Case({self.sizes})\n{self.text}"


@dataclass(frozen=True)
class Template:
    """Equations over local names.

    reads: each real tensor read and its axes; "<" gives an int's bound, "#" an int without one,
    "?" a bool.
    gives: the tensors defined; those with "!" are declared in [tensors].
    """

    reads: dict[str, str]
    text: str
    gives: dict[str, str]


@dataclass
class Writer:
    """The program so far. tensors: what a production may read, real, with its axes."""

    draw: Draw
    tensors: dict[str, Dims] = field(default_factory=dict)
    ints: dict[str, tuple[Dims, str]] = field(default_factory=dict)
    bools: dict[str, Dims] = field(default_factory=dict)
    declared: dict[str, dict[str, str]] = field(
        default_factory=lambda: {"params": {}, "data": {}, "tensors": {}}
    )
    lines: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)

    # ---- drawing ------------------------------------------------------------------------------

    def chosen(self, options: Sequence[Any]) -> Any:
        return self.draw(st.sampled_from(list(options)))

    def chance(self) -> bool:
        return bool(self.draw(st.booleans()))

    def subset(self, items: Sequence[str], least: int = 0) -> list[str]:
        """Some of the items, in any order."""
        count = self.draw(st.integers(min(least, len(items)), len(items)))
        return list(self.draw(st.permutations(list(items))))[:count]

    def dims(self, least: int, most: int) -> Dims:
        return tuple(self.draw(st.lists(st.sampled_from(AXES), min_size=least, max_size=most)))

    # ---- what can be read ---------------------------------------------------------------------

    def name(self, stem: str) -> str:
        taken = [*self.tensors, *self.ints, *self.bools]
        return f"{stem}{sum(name.rstrip('0123456789') == stem for name in taken) + 1}"

    def leaf(self, dims: Dims) -> str:
        role = self.chosen(("params", "data"))
        name = self.name("w" if role == "params" else "x")
        self.declared[role][name] = _type("real", dims)
        if role == "data" and not dims and self.chance():
            self.declared[role][name] += " = 0.75"
        self.tensors[name] = dims
        return name

    def tensor(self, dims: Dims) -> str:
        """A real tensor of that shape, there already or new."""
        known = [name for name, have in self.tensors.items() if have == dims]
        name = self.chosen([*reversed(known), ""]) or self.leaf(dims)
        self.unread = [n for n in self.unread if n != name]
        return str(name)

    def any_tensor(self, least: int, most: int = 4) -> tuple[str, Dims]:
        known = [n for n, have in self.tensors.items() if least <= len(have) <= most]
        name = self.chosen([*reversed(known), ""]) or self.leaf(self.dims(least, min(most, 3)))
        self.unread = [n for n in self.unread if n != name]
        return name, self.tensors[name]

    def integer(self, dims: Dims, bound: str = "") -> str:
        known = [n for n, have in self.ints.items() if have == (dims, bound)]
        name = self.chosen([*known, ""])
        if not name:
            name = self.name("a")
            self.declared["data"][name] = _type("int", dims) + (f" < {bound}" if bound else "")
            self.ints[name] = (dims, bound)
        return str(name)

    def boolean(self, dims: Dims) -> str:
        known = [n for n, have in self.bools.items() if have == dims]
        name = self.chosen([*known, ""])
        if not name:
            name = self.name("f")
            self.declared["data"][name] = _type("bool", dims)
            self.bools[name] = dims
        return str(name)

    def read(self, name: str, indices: dict[str, str], letters: Sequence[str]) -> tuple[str, bool]:
        """name[letters], and whether they all stand plain: or padded, or gathered along one axis."""
        at, form = list(letters), self.chosen(READS)
        if not letters or form == "{}":
            return _read(name, at), True
        k = self.draw(st.integers(0, len(at) - 1))
        if form == "gathered":
            key = self.subset(list(indices))
            at[k] = _read(self.integer(tuple(indices[i] for i in key), indices[at[k]]), key)
            return _read(name, at), False
        at[k] = form.format(at[k])
        return f"pad({_read(name, at)})", False

    # ---- what is written ----------------------------------------------------------------------

    def define(self, dims: Dims, letters: Sequence[str], body: str, ranges: str = "") -> str:
        name = self.name("v")
        self.lines.append(f"{_read(name, letters)} = {body}{ranges}")
        self.tensors[name] = dims
        self.unread.append(name)
        return name

    def template(self, row: Template) -> None:
        names: dict[str, str] = {}
        for local, axes in row.reads.items():
            text, _, bound = axes.partition("<")
            dims = _dims(text.rstrip("?#"))
            if bound or text.endswith("#"):
                names[local] = self.integer(dims, bound.strip())
            else:
                names[local] = self.boolean(dims) if text.endswith("?") else self.tensor(dims)
        for local, axes in row.gives.items():
            dims = _dims(axes.removesuffix("!"))
            names[local] = self.name("v")
            self.tensors[names[local]] = dims
            self.unread.append(names[local])
            if axes.endswith("!"):
                self.declared["tensors"][names[local]] = _type("real", dims)
        pattern = rf"\b({'|'.join(names)})\b"
        text = re.sub(pattern, lambda m: names[m.group()], row.text)
        self.lines += [line.strip() for line in text.strip().splitlines()]


def _dims(text: str) -> Dims:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _type(kind: str, dims: Dims) -> str:
    return f"{kind}[{', '.join(dims)}]" if dims else kind


def _read(name: str, subscripts: Sequence[str]) -> str:
    return f"{name}[{','.join(subscripts)}]" if subscripts else name


# ---- free forms -----------------------------------------------------------------------------------

READS = ("{}", "{}", "{}", "{}", "{}-1", "{}+2", "2*{}-1", "gathered")  # the others are padded

FACTORS = ("{}", "{}", "tanh({})", "(1 - {})", "{}**2", "stop({})", "1/(1 + {}**2)", "relu({})")


def number(w: Writer, dims: Dims) -> str:
    """A real tensor, an int or a bool."""
    whole = (partial(w.integer, bound="4"), w.integer, w.boolean, w.boolean)
    made = w.chosen((w.tensor, w.tensor, w.tensor, *whole))
    return str(made(dims))


def contraction(w: Writer) -> None:
    """out[O] = sum over the rest of f1[I1]*f2[I2]*..., any index sets."""
    axes = w.dims(1, 4)
    indices = dict(zip(LETTERS, axes, strict=False))
    sets = [w.subset(list(indices), 1) for _ in range(w.draw(st.integers(1, 3)))]
    missing = [i for i in indices if not any(i in s for s in sets)]
    sets[-1] += missing
    factors, ranged = [], []
    for letters in sets:
        read, plain = w.read(number(w, tuple(indices[i] for i in letters)), indices, letters)
        factors.append(w.chosen(FACTORS).format(read))
        ranged += letters if plain else []
    out = w.subset(list(indices))
    bound = [i for i in indices if i not in out]
    body = w.chosen(("{}", "2*{}", "-{}", "{}/B")).format("*".join(factors))
    if bound:
        body = f"{w.chosen(('sum', 'mean'))}({','.join(bound)}: {body})"
    for _ in range(w.draw(st.integers(0, 2))):
        letters = w.subset(out)
        kept = {i: indices[i] for i in out}
        read, _ = w.read(number(w, tuple(indices[i] for i in letters)), kept, letters)
        body += w.chosen((" + {}", " - {}", " + 2*{}")).format(read)
    fixed = [*out, *(i for i in bound if i not in ranged)]
    w.define(tuple(indices[i] for i in out), out, body, _ranges(indices, fixed))


def _ranges(indices: dict[str, str], letters: Sequence[str]) -> str:
    return (" for " if letters else "") + ", ".join(f"{i} < {indices[i]}" for i in letters)


ELEMENTWISE = (
    "tanh({x})", "exp(tanh({x}))", "expm1(tanh({x}))", "log(1 + {x}**2)", "log1p({x}**2)",
    "sqrt(0.5 + {x}**2)", "sin({x})", "cos({x})", "sinh(tanh({x}))", "cosh(tanh({x}))",
    "arctan({x})", "sigmoid({x})", "softplus({x})", "erf({x})", "relu({x})", "abs({x})", "sign({x})*{z}",
    "leaky_relu({x}, 0.1)", "leaky_relu({x}, {z})", "minimum({x}, {z})", "maximum({x}, {z})",
    "clip({x}, -0.5, 0.5)", "clip({x}, -abs({z}), 1)", "power(1 + {x}**2, tanh({z}))",
    "(1 + {x}**2)**sin({z})", "expdiff(tanh({x}), tanh({z}))",
    "{x} + {z}", "{x} - {z}", "2*{x} - {z}/3", "-{x} - {z}", "{x}*(1 - {z})", "{x}*{z} - {z}",
    "-({x} + {z})*{x}", "{x}**3", "{x}**4 + {z}", "{x}**5", "{x}/(1 + {z}**2)", "1/(1 + {x}**2)",
    "(1 + {x}**2)**(-1.5)", "(1 + {x}**2)**0.5*{z}", "{z}/(2 + {x}**2)**2", "-{x}/3", "PI*{x}",
    "{x}*{n}", "{x} + {n}/10", "tanh({n}*{x})*{z}",
    "{x}*H + {z}/K", "{x}/(H*K) - 1", "{x}*({i} + 1)", "{x} + {i}/7",
    "sin({x})*cos({x})", "softplus({x}) - {x}", "tanh({x})*sigmoid({x})", "log(sigmoid({x}))",
    "log(1 - sigmoid({x}))*{z}", "{x}*sigmoid({x})", "exp(-{x}**2)*{z}", "0*{x} + {z}", "{x}*{x}*{z}",
    "(1 - {x})*(1 + {z})*({x} + {z})", "tanh(tanh({x}) + {z})",
)  # fmt: skip

# Whole numbers and bools as numbers: f is a bool, n an int below 4, k an int without a bound.
WHOLE = (
    "{x}*{f}", "{x}*{n}*{f}", "{x} - {k}/3", "{x}*(1 - {f})", "{f}", "{n}", "{k}/2 + {f}", "{f}*{n}", "{x}/(1 + {n})", "{z}/(1 + {k}**2)",
    "{x}*{n}**2", "(1 + {x}**2)**{f}", "(1 + {x}**2)**({n}/4)", "power(1 + {z}**2, {k}/4)", "minimum({x}, {n})", "maximum({f}, {x})*{z}", "minimum({n}, {k})*{x}",
    "clip({x}, -{f}, {n})", "clip({k}, 0, 2)*{x}", "abs({k})*{x}", "sign({k})*{x}", "relu({k} - {n})*{x}", "leaky_relu({k}, 0.1)*{x}", "sqrt({n})*{x}",
    "log(1 + {n})*{x}", "exp(-{n})*{x}", "tanh({k})*{x}", "sigmoid({f})*{x}", "softplus({k})*{x}", "{x}*stop({k})", "({x} + {n})*({x} - {f})",
    "[{n} < {i}]*{x}", "[{n} == {i}]*{x} + {f}", "[{f}]*{x}", "[{k} < {n}]*{x}", "[{n} == 1]*{k}", "where({n} < {x}, {n}, {x})", "where({k} <= {z}, {x}, {k})",
    "where({f} and {n} != 1, {x}, {z})", "where(not {f} or {k} == {n}, {x}**2, 0)", "where({f} == {g}, {x}, -{x})", "where({f}, {n}, {x})", "where({f}, {k}, {n})*{x}",
    "where({f}, where({g}, {x}, {z}), tanh({x}))", "{x}*{f}*{g}", "{f}*{g} + {n}*{n}", "{k}*{n} - {k}", "sin({k})*cos({n})", "expdiff({n}, {k})*{x}",
)  # fmt: skip

STOPS = (
    "{x}*stop({x})",
    "stop(tanh({x}))*{z}",
    "tanh({x} - stop({z}))",
    "{x}*stop({x} + {z}) + {x}",
    "stop({x})*{z}**2",
)

SELECTIONS = (
    "where({x} < {z}, {x}*{z}, -{x})", "where({f}, {x}, 0)", "where(not {f} and {x} < 0.3, {z}, {x}**2)",
    "where({x} >= 0 or {f}, tanh({x}), {z})", "[{x} < {z}]*{x}", "[{x} != 0.5]*{x}*{z}", "{f}*{x} + {z}",
    "where({z} > 0, 0, {x})", "where({x} < 0.2, {z}, 1)", "where({f}, {z}, {x})*{x}", "where({i} < 1, {x}, {z})",
    "where({i} <= {n}, tanh({x}), {z}) + where({f}, {i}, {x})",
)  # fmt: skip


def elementwise(rows: Sequence[str], w: Writer) -> None:
    """out[I] = f(x[I], z[J], ...), with J within I."""
    name, axes = w.any_tensor(0)
    indices = dict(zip(LETTERS, axes, strict=False))
    body = filled(w, w.chosen(rows), _read(name, list(indices)), indices)
    out = w.subset(list(indices), len(indices)) if w.chance() else list(indices)
    w.define(tuple(indices[i] for i in out), out, body, _ranges(indices, out))


def filled(w: Writer, row: str, x: str, indices: dict[str, str]) -> str:
    """A row's text: reads of tensors of some of the indices, and an index."""
    made = {
        "z": w.tensor,
        "f": w.boolean,
        "g": w.boolean,
        "n": lambda d: w.integer(d, "4"),
        "k": w.integer,
    }
    parts = {"x": x, "i": w.chosen(list(indices) or ["2"])}
    for key, new in made.items():
        if f"{{{key}}}" in row:
            letters = w.subset(list(indices))
            parts[key], _ = w.read(new(tuple(indices[i] for i in letters)), indices, letters)
    return row.format(**parts)


REDUCED = (
    "{x}", "{x}**2", "-{x}", "{x}*{z}", "tanh({x})", "where({x} > 0, {x}, {z})", "{x} + {z}", "({x} - {z})**2",
    "{x}*{f}", "{x}*{n}", "{n}", "{k}*{f}", "where({f}, {x}, {z})", "where({f}, {n}, {k})", "[{n} == {i}]*{x}",
)  # fmt: skip


def reduction(w: Writer) -> None:
    """out[O] = op over the rest of f(x[I])."""
    name, axes = w.any_tensor(1)
    indices = dict(zip(LETTERS, axes, strict=False))
    op = w.chosen(("sum", "logsumexp", "max", "mean", "logsumexp", "min"))
    bound = w.subset(list(indices), 1)
    bound = bound[:1] if op in ("max", "min") else bound
    out = [i for i in indices if i not in bound]
    out = w.subset(out, len(out)) if w.chance() else out
    body = filled(w, w.chosen(REDUCED), _read(name, list(indices)), indices)
    body = w.chosen(("{}", "{} + 1", "-{}")).format(f"{op}({','.join(bound)}: {body})")
    w.define(tuple(indices[i] for i in out), out, body, _ranges(indices, [*out, *bound]))


def gather(w: Writer) -> None:
    """out[O] = x[.., a[D], ..]: on one axis or two; D new, or shared with another axis of x."""
    name, axes = w.any_tensor(1)
    places = w.subset([str(n) for n in range(len(axes))], 1)[:2]
    letters = {n: LETTERS[n] for n in range(len(axes)) if str(n) not in places}
    indices = {letters[n]: axes[n] for n in letters}
    spare = iter(LETTERS[len(axes) :])
    subscripts: list[str] = [letters.get(n, "") for n in range(len(axes))]
    for place in sorted(places):
        keys = []
        for axis in w.dims(0, 2):
            same = [i for i, have in indices.items() if have == axis and i not in keys]
            letter = same[0] if same and w.chance() else next(spare)
            indices[letter] = axis
            keys.append(letter)
        bound = axes[int(place)]
        read = _read(w.integer(tuple(indices[i] for i in keys), bound), keys)
        if w.chance() and w.chance():
            inner = _read(w.integer(tuple(indices[i] for i in keys), "K"), keys)
            read = _read(w.integer(("K",), bound), [inner])
        subscripts[int(place)] = read
    out = w.subset(list(indices), len(indices)) if w.chance() else list(indices)
    body = w.chosen(("{}", "tanh({})", "{} + 1", "-2*{}")).format(_read(name, subscripts))
    w.define(tuple(indices[i] for i in out), out, body)


# ---- templates ------------------------------------------------------------------------------------

# fmt: off
AFFINE = (
    Template({"xx": "T"}, "vv[t] = xx[t+1] - xx[t] for t < T-1", {"vv": "T-1"}),
    Template({"xx": "B,T"}, "vv[b,t] = xx[b,T-1-t]*xx[b,t] for t < T", {"vv": "B,T"}),
    Template({"xx": "T,H"}, "vv[t,i] = xx[2*t,i]*xx[0,i] + xx[T-1,i] for t < (T+1)//2", {"vv": "(T+1)//2,H"}),
    Template({"xx": "T,H"}, "vv[i,t] = tanh(xx[2*t+1,i]) for t < T//2", {"vv": "H,T//2"}),
    Template({"xx": "B,T"}, "vv[b,t] = pad(xx[b,t-1]) + pad(xx[b,t+2])*xx[b,t] for t < T", {"vv": "B,T"}),
    Template({"xx": "T"}, "vv[t] = pad(xx[2*t-1])**2 for t < T", {"vv": "T"}),
    Template({"xx": "T"}, "vv[t] = xx[t-2]*xx[t] for 2 <= t < T", {"vv": "T"}),
    Template({"xx": "T,B"}, "vv[t,b] = xx[t,b]*(t - 1)/T for 1 <= t < T-1", {"vv": "T-1,B"}),
    Template({"xx": "T", "ww": "K"}, "vv[t] = sum(k: ww[k]*xx[t+k]) for t < T-K+1", {"vv": "T-K+1"}),
    Template({"xx": "B,3,T", "ww": "H,3,K"}, "vv[b,o,t] = sum(c,k: ww[o,c,k]*pad(xx[b,c,2*t+3*k-2])) for t < T//2", {"vv": "B,H,T//2"}),
    Template({"xx": "B,T", "ww": "K"}, "vv[b,t] = sum(k: ww[k]*xx[b,t-k+K-1]) for t < T-K+1", {"vv": "B,T-K+1"}),
    Template({"xx": "T", "ww": "K,2"}, "vv[t] = sum(k,l: ww[k,l]*xx[t+k+l]) for t < T-K-1", {"vv": "T-K-1"}),
    Template({"xx": "T,H", "ww": "K,2"}, "vv[t,i] = sum(k,l: ww[k,l]*pad(xx[t+k-1,i-l])) for t < T, i < H", {"vv": "T,H"}),
    Template({"xx": "B,T"}, "vv[b,t,k] = xx[b,t+k] for t < T-1, k < 2", {"vv": "B,T-1,2"}),
    Template({"xx": "B,T,T"}, "vv[b,t] = xx[b,t,t] - max(u: xx[b,t,u])", {"vv": "B,T"}),
    Template({"xx": "B,B"}, "vv[b,c] = (xx[b,c] - xx[b,b])*xx[c,c]", {"vv": "B,B"}),
    Template({"xx": "T,T"}, "vv[t] = xx[t,t+1] for t < T-1", {"vv": "T-1"}),
    Template({"xx": "T", "ww": "K"}, "vv[t+k] += xx[t]*ww[k]", {"vv": "T+K-1"}),
    Template({"xx": "B,T", "ww": "K,H"}, "vv[b,i,2*t+k] += xx[b,t]*ww[k,i] for k < K", {"vv": "B,H,2*T+K-2"}),
    Template({"xx": "T,H", "ww": "K"}, "pad(vv[t+k-1,i]) += xx[t,i]*ww[k]", {"vv": "T,H!"}),
    Template({"xx": "T,T"}, "vv[t,t] += sum(u: xx[t,u]) for t < T\nvv[t,u] += xx[u,t]", {"vv": "T,T"}),
    Template({"xx": "B,H", "yy": "B,K"}, "vv[b,i] = xx[b,i] for i < H\nvv[b,H+k] = yy[b,k]", {"vv": "B,H+K"}),
    Template({"xx": "T", "yy": "T"}, "vv[2*t] = xx[t]\nvv[2*t+1] = yy[t]*xx[t]", {"vv": "2*T"}),
    Template({"xx": "H", "cc": ""}, "vv[0] = cc\nvv[i+1] = vv0[i]*cc\nvv0[i] = tanh(xx[i])", {"vv": "H+1", "vv0": "H"}),
    Template({"xx": "H,3", "cc": "3"}, "vv[i,c] += xx[i,c]\nvv[0,c] += cc[c]*2\nvv[i,1] += xx[i,2] for i < H-1", {"vv": "H,3"}),
    Template({"xx": "B,H", "yy": "H"}, "vv[b,i] += xx[b,i]*yy[i]\nvv[b,i] += -yy[i] for b < B\nvv[b,i] += xx[b,j]*xx[b,i]/H", {"vv": "B,H"}),
    Template({"xx": "B,H", "cc": "H"}, "vv[b,i] = tanh(xx[b,i]) + 2*cc[i] - 0.1*cc[0]", {"vv": "B,H"}),
    Template({"xx": "B", "cc": ""}, "vv += xx[b]*cc\nvv += -cc/2\nvv += cc*sum(b: xx[b]**2)", {"vv": ""}),
    Template({"xx": "B,H"}, "vv[b] = sum(i: xx[b,i] - xx[b,0]) + sum(k: 1)*xx[b,1] for k < H", {"vv": "B"}),
    Template({"xx": "H,H"}, "vv[i,j] = where(j <= i, xx[i,j], 0) + where(i == j, 1, xx[j,i])", {"vv": "H,H"}),
    Template({"xx": "T,T"}, "vv[t] = logsumexp(u: where(u <= t, xx[t,u], -inf))", {"vv": "T"}),
    Template({"xx": "H,3"}, "vv[i] = logsumexp(j,k: xx[j,k]*i - xx[i,k]) for i < H", {"vv": "H"}),
    Template({"xx": "T"}, "vv[t] = sum(u: where(u < t, xx[u], 0)) for t < T", {"vv": "T"}),
    Template({"xx": "B,T"}, "vv[b] = max(t: pad(xx[b,t-1])) + logsumexp(t: xx[b,t+1]) for t < T-1", {"vv": "B"}),
    Template({"xx": "B,T", "ff": "B,T?"}, "vv[b,t] = where(pad(ff[b,t-1]), xx[b,t], -xx[b,T-1-t]) for t < T", {"vv": "B,T"}),
    Template({"xx": "T,H", "nn": "T < 4"}, "vv[t,i] = xx[t,i]*pad(nn[t+1])", {"vv": "T,H"}),
    Template({"xx": "B,T", "ff": "T?", "nn": "K < 3"}, "vv[b,t] = sum(k: nn[k]*pad(xx[b,t+k-1])*pad(ff[t-k])) for t < T", {"vv": "B,T"}),
    Template({"ff": "B,T?", "ww": "K"}, "vv[b,t] = sum(k: ww[k]*pad(ff[b,t+k-1])) for t < T", {"vv": "B,T"}),
    Template({"nn": "B,T#", "ww": "K"}, "vv[b,t] = sum(k: ww[k]*pad(nn[b,2*t-k])) for t < T", {"vv": "B,T"}),
    Template({"nn": "B,T < 3", "ww": "H,K"}, "vv[b,i,t] = sum(k: ww[i,k]*nn[b,t+k]) for t < T-K+1", {"vv": "B,H,T-K+1"}),
    Template({"xx": "T", "ff": "T?"}, "vv[t] = logsumexp(u: where(u == t or pad(ff[u-1]), xx[u], -inf)) for t < T", {"vv": "T"}),
    Template({"xx": "T,H", "ff": "T,H?"}, "vv[t,i] = where(pad(ff[t-1,i]) == ff[t,i], xx[t,i], pad(xx[t+1,i]))", {"vv": "T,H"}),
    Template({"nn": "T#", "ww": "K"}, "pad(vv[t+k-1]) += nn[t]*ww[k]", {"vv": "T!"}),
    Template({"ff": "B,T?", "ww": "B"}, "vv[b,2*t] = ff[b,t]*ww[b]\nvv[b,2*t+1] = 1 - ff[b,t]", {"vv": "B,2*T"}),
    Template({"ff": "B,H?"}, "vv[b] = sum(i: ff[b,i])\nuu[b] = max(i: ff[b,i]*i)", {"vv": "B", "uu": "B"}),
    Template({"xx": "B,H", "nn": "B,H#", "ff": "H?"}, "vv[b] = xx[b,top[b]]*nn[b,top[b]] + where(ff[top[b]], 1, xx[b,0])\ntop[b] = argmax(i: nn[b,i] - pad(ff[i-1]))", {"vv": "B", "top": "B"}),
)

INDEXED = (
    Template({"xx": "B,H", "aa": "B < H"}, "vv[b] = xx[b,aa[b]] - logsumexp(i: xx[b,i])", {"vv": "B"}),
    Template({"xx": "H,3", "aa": "B,T < H"}, "vv[b,t,c] = xx[aa[b,t],c]", {"vv": "B,T,3"}),
    Template({"xx": "B,3,H", "aa": "B < H"}, "vv[b,c] = xx[b,c,aa[b]]*2", {"vv": "B,3"}),
    Template({"xx": "B,T,H", "aa": "B,T < H"}, "vv[b,t] = xx[b,t,aa[b,t]]", {"vv": "B,T"}),
    Template({"xx": "B,H,3", "aa": "B < H", "cc": "B < 3"}, "vv[b] = xx[b,aa[b],cc[b]]", {"vv": "B"}),
    Template({"xx": "H,3", "aa": "T < H", "cc": "B < 3"}, "vv[t,b] = xx[aa[t],cc[b]]", {"vv": "T,B"}),
    Template({"xx": "B,H", "aa": "B < H"}, "vv[aa[b],b] += xx[b,aa[b]]", {"vv": "H,B!"}),
    Template({"xx": "B,H", "aa": "B < T"}, "vv[aa[b],i] += xx[b,i]**2", {"vv": "T,H!"}),
    Template({"xx": "B,3,H", "aa": "B < T"}, "vv[b,c,aa[b]] += xx[b,c,i]", {"vv": "B,3,T!"}),
    Template({"xx": "B,H", "yy": "B,H"}, "best = 0*xx[0,0]\nvv[b] = yy[b,top[b]] - xx[b,top[b]]\ntop[b] = argmax(i: xx[b,i])", {"vv": "B", "best": "", "top": "B"}),
    Template({"xx": "B,H,3"}, "top[b,c] = argmin(i: xx[b,i,c])\nvv[c,b] = xx[b,top[b,c],c]*top[b,c]", {"vv": "3,B", "top": "B,3"}),
    Template({"xx": "H", "aa": "< H"}, "vv[i] = xx[i] - xx[aa]", {"vv": "H"}),
    Template({"xx": "T,H", "aa": "B < T"}, "vv[b,i] = xx[aa[b],H-1-i] for i < H", {"vv": "B,H"}),
    Template({"xx": "B,T,H", "aa": "B < H"}, "vv[b,t] = xx[b,t+1,aa[b]] for t < T-1", {"vv": "B,T-1"}),
    Template({"xx": "H,T", "aa": "B < H"}, "vv[b,t] = xx[aa[b],T-1-t] + pad(xx[aa[b],t-1]) for t < T", {"vv": "B,T"}),
    Template({"xx": "3,3,H", "aa": "T < H"}, "vv[t,i] = xx[i,i,aa[t]]*xx[i,0,aa[t]]", {"vv": "T,3"}),
    Template({"xx": "B,T", "aa": "B < H"}, "vv[aa[b],T-1-t] += xx[b,t]**2", {"vv": "H,T!"}),
    Template({"xx": "B,H", "aa": "B,H < H", "cc": "H < 3"}, "vv[b,cc[i]] += xx[b,aa[b,i]]*xx[b,i]", {"vv": "B,3!"}),
    Template({"xx": "B,T,K", "aa": "B < K"}, "vv[b,t] = logsumexp(u: xx[b,u,aa[b]]*xx[b,t,aa[b]])", {"vv": "B,T"}),
    Template({"xx": "B,H", "aa": "B < H", "nn": "B < 3"}, "vv[b,i] = where(aa[b] == i, xx[b,i]*nn[b], 0) + where(nn[b] < 1, 1, xx[b,aa[b]])", {"vv": "B,H"}),
    Template({"xx": "H,K", "aa": "B < H"}, "vv[b,c] = sum(k: xx[aa[b],k]*xx[aa[c],k]) for c < B", {"vv": "B,B"}),
    Template({"xx": "B,H", "aa": "T < B"}, "vv[i,j] = sum(t: xx[aa[t],i]*xx[aa[t],j])", {"vv": "H,H"}),
    Template({"xx": "B", "ff": "H?", "aa": "B < H"}, "vv[b] = where(ff[aa[b]], xx[b], 1)*ff[aa[b]]", {"vv": "B"}),
    Template({"xx": "B,T", "nn": "H,3 < T", "aa": "B < H"}, "vv[b,c] = xx[b,nn[aa[b],c]]*nn[aa[b],c]", {"vv": "B,3"}),
    Template({"xx": "B,H", "aa": "B,T < H"}, "vv[b,t] = xx[b,aa[b,t+1]] - xx[b,aa[b,T-1-t]] for t < T-1", {"vv": "B,T-1"}),
    Template({"xx": "B,H", "ff": "B,H?", "aa": "B < H"}, "vv[b,i] = pad(xx[b,i+1])*ff[b,aa[b]] + [aa[b] < i]*pad(ff[b,i-1]) for i < H", {"vv": "B,H"}),
    Template({"xx": "B,H", "aa": "B < H"}, "vv[b] = sum(i: [aa[b] == i]*xx[b,i])\nuu[b] = sum(c: [aa[b] == aa[c]]*xx[c,0]) for c < B", {"vv": "B", "uu": "B"}),
    Template({"xx": "B", "ff": "B?", "nn": "B < H", "kk": "B#"}, "vv[nn[b]] += where(ff[b], xx[b], kk[b])", {"vv": "H!"}),
    Template({"nn": "B < H", "ff": "B,3?"}, "vv[nn[b],c] += ff[b,c]\nuu[nn[b]] += 1 for b < B", {"vv": "H,3!", "uu": "H!"}),
    Template({"xx": "H,T", "aa": "B < H"}, "vv[b,t] = pad(xx[aa[b],2*t-1])*aa[b] for t < T", {"vv": "B,T"}),
)

RECURRENT = (
    Template({"uu": "H,H", "xx": "B,T,H", "cc": "B,H"}, "hh[b,0,i] = cc[b,i]\nhh[b,t+1,i] = tanh(sum(j: uu[i,j]*hh[b,t,j]) + xx[b,t,i])", {"hh": "B,T+1,H"}),
    Template({"rr": "B,T", "cc": "B", "gg": ""}, "hh[b,T] = cc[b]\nhh[b,t] = rr[b,t] + tanh(gg)*hh[b,t+1]", {"hh": "B,T+1"}),
    Template({"xx": "T", "aa": "", "cc": ""}, "hh[0] = cc\nhh[1] = aa\nhh[t+2] = hh[t+1]/2 - tanh(aa)*hh[t] + xx[t]", {"hh": "T+2"}),
    Template({"xx": "T,H"}, "gg[0,i] = 0 for i < H\nhh[0,i] = xx[0,i]\ngg[t+1,i] = tanh(hh[t,i]) for t < T\nhh[t+1,i] = gg[t+1,i]*xx[t,i] + hh[t,i]/2", {"gg": "T+1,H", "hh": "T+1,H"}),
    Template({"ee": "T,H", "mm": "H,H"}, "hh[0,i] = ee[0,i]\nhh[t+1,j] = logsumexp(i: hh[t,i] + mm[i,j]) + ee[t,j]", {"hh": "T+1,H"}),
    Template({"ee": "T,H", "mm": "H,H"}, "hh[0,i] = ee[0,i]\nhh[t+1,j] = max(i: hh[t,i] + mm[i,j]) + ee[t,j]", {"hh": "T+1,H"}),
    Template({"ee": "K,H", "aa": "B,T < K"}, "hh[b,0,i] = 0 for b < B, i < H\nhh[b,t+1,i] = hh[b,t,i]/2 + ee[aa[b,t],i]", {"hh": "B,T+1,H"}),
    Template({"xx": "B,T,H", "aa": "B,H < H"}, "hh[b,0,i] = 1 for b < B, i < H\nhh[b,t+1,i] = tanh(hh[b,t,aa[b,i]]) + xx[b,t,i]", {"hh": "B,T+1,H"}),
    Template({"xx": "B,T", "aa": "B,T < H"}, "hh[b,0,i] = 0 for b < B, i < H\nhh[b,t+1,i] = hh[b,t,i]*xx[b,t] - hh[b,t,aa[b,t]] + 1 for i < H", {"hh": "B,T+1,H"}),
    Template({"xx": "T,H", "aa": "T,H < H"}, "hh[0,i] = 1 for i < H\nhh[t+1,i] = tanh(hh[t,aa[t,i]]*xx[t,i])", {"hh": "T+1,H"}),
    Template({"xx": "T,3"}, "gg[t,i] = tanh(hh[t,i]) for 1 <= t < T, i < 3\nhh[0,i] = xx[0,i]\nhh[t+1,i] = gg[t,i]/2 + xx[t,i]", {"gg": "T,3", "hh": "T+1,3"}),
    Template({"xx": "B,T,H", "ff": "B,T?", "uu": "H,H"}, "hh[b,0,i] = 0 for b < B, i < H\ngg[b,t,i] = sum(j: uu[i,j]*hh[b,t,j]) for t < T\nhh[b,t+1,i] = where(ff[b,t], 0, sin(gg[b,t,i])) + xx[b,t,i]", {"hh": "B,T+1,H", "gg": "B,T,H"}),
    Template({"xx": "B,T,H", "uu": "H,H"}, "hh[b,t+1,i] += xx[b,t,i]\nhh[b,t+1,i] += uu[i,j]*hh[b,t,j]/H for t < T, b < B", {"hh": "B,T+1,H"}),
    Template({"uu": "T,H,H", "cc": "H"}, "hh[0,i] = cc[i]\nhh[l+1,i] = tanh(sum(j: uu[l,i,j]*hh[l,j])) + hh[l,i]", {"hh": "T+1,H"}),
    Template({"xx": "T,H", "cc": ""}, "hh[t,i] = tanh(pad(hh[t-1,i])*cc + xx[t,i]) for t < T, i < H", {"hh": "T,H"}),
    Template({"xx": "T,H"}, "hh[0,i] = 1 for i < H\nhh[t+1,i] = pad(hh[t,i-1])*xx[t,i] + hh[t,i]", {"hh": "T+1,H"}),
    Template({"ww": "3", "cc": "H"}, "hh[0,i] = cc[i]\nhh[t+1,i] = sum(k: ww[k]*pad(hh[t,i+k-1])) for t < T, i < H", {"hh": "T+1,H"}),
    Template({"xx": "T,H"}, "mm[t] = max(i: hh[t,i]) for t < T\nhh[0,i] = xx[0,i]\nhh[t+1,i] = hh[t,i] - mm[t] + xx[t,i]", {"mm": "T", "hh": "T+1,H"}),
    Template({"xx": "B,T,H"}, "ll[b,t] = logsumexp(i: hh[b,t,i]) for t < T\nhh[b,0,i] = xx[b,0,i]\nhh[b,t+1,i] = exp(hh[b,t,i] - ll[b,t]) + xx[b,t,i]", {"ll": "B,T", "hh": "B,T+1,H"}),
    Template({"xx": "T", "aa": "T < H"}, "hh[t+1,i] += hh[t,i]/2 for t < T, i < H\nhh[t+1,aa[t]] += tanh(hh[t,0])*xx[t] for t < T\nhh[0,i] += i for i < H", {"hh": "T+1,H!"}),
    Template({"xx": "T,3", "cc": "3,3"}, "hh[0,i,j] = cc[i,j]\nhh[t+1,i,j] = hh[t,i,i]*xx[t,j] + hh[t,j,i]/2 for i < 3", {"hh": "T+1,3,3"}),
    Template({"uu": "T,3,3", "cc": "3,K"}, "hh[0,i,j] = cc[i,j]\nhh[t+1,i,j] = sum(k: uu[t,i,k]*hh[t,k,j])/2 for j < K", {"hh": "T+1,3,K"}),
    Template({"xx": "T"}, "hh[0] = 1\nhh[t+1] = sin(stop(hh[t])*xx[t]) + hh[t]/2", {"hh": "T+1"}),
    Template({"xx": "B,T"}, "hh[b,0] = 1 for b < B\nhh[b,t+1] = sin(hh[b,t]*mean(c: hh[c,t])*xx[b,t]) for c < B", {"hh": "B,T+1"}),
    Template({"xx": "H,H"}, "hh[i,j] = xx[i,j]*tanh(pad(hh[i-1,j])) + 1 for i < H, j < H", {"hh": "H,H"}),
    Template({"xx": "T,H"}, "hh[t+1,i] += tanh(hh[t,i]) for t < T, i < H\nhh[t,i] += xx[t,i]*gg[t,i] + 1\ngg[t+1,i] = hh[t,i]/2 for t < T, i < H", {"hh": "T+1,H", "gg": "T+1,H"}),
    Template({"ee": "H,H", "xx": "H"}, "bb[t] = argmax(i: hh[t,i]) for t < T, i < H\nhh[0,i] = xx[i]\nhh[t+1,i] = sin(hh[t,i]) + ee[bb[t],i]", {"bb": "T", "hh": "T+1,H"}),
    Template({"xx": "B,T,H"}, "bb[b,t] = argmax(i: hh[b,t,i]) for t < T, i < H\nhh[b,0,i] = xx[b,0,i]\nhh[b,t+1,i] = sin(hh[b,t,bb[b,t]]*hh[b,t,i]) + xx[b,t,i]", {"bb": "B,T", "hh": "B,T+1,H"}),
    Template({"xx": "T", "ww": "2", "cc": ""}, "hh[0] = cc\nhh[t+1] = tanh(hh[t])*sum(k: ww[k]*xx[t+k]) for t < T-1", {"hh": "T"}),
    Template({"xx": "H", "aa": "T < H"}, "hh[0] = 1\nhh[t+1] = sin(hh[t])*xx[aa[t]] + t/T", {"hh": "T+1"}),
    Template({"xx": "3,H", "yy": "T,H"}, "hh[0,i] = 0 for i < H\nhh[l+1,i] = hh[l,i]/2 + sum(t: where(t <= l, yy[t,i]*xx[l,i], 0)) for l < 3", {"hh": "4,H"}),
    Template({"xx": "T,H"}, "hh[T,i] = 1 for i < H\nhh[t,i] = where(t < 2, sin(hh[t+1,i]), xx[t,i]) + xx[0,i]", {"hh": "T+1,H"}),
    Template({"xx": "B,T,H", "aa": "B,T < B"}, "hh[b,0,i] = 1 for b < B, i < H\nhh[b,t+1,i] = tanh(hh[aa[b,t],t,i]) + xx[b,t,i]", {"hh": "B,T+1,H"}),
    Template({"xx": "T,H", "cc": "H"}, "ll[t] = logsumexp(i,j: hh[t,i] - hh[t,j]*xx[t,i]) for t < T, j < H\nhh[0,i] = cc[i]\nhh[t+1,i] = hh[t,i]/2 - ll[t] for i < H", {"ll": "T", "hh": "T+1,H"}),
    Template({"xx": "T,H"}, "hh[t,i] = tanh(pad(hh[t-1,i]) + pad(hh[t-2,H-1-i])*xx[t,i]) + xx[t,i] for t < T, i < H", {"hh": "T,H"}),
    Template({"xx": "T", "ff": "T?", "gg": ""}, "hh[t] = xx[t] + tanh(gg)*pad(hh[t+1])*(1 - pad(ff[t+1])) for t < T", {"hh": "T"}),
    Template({"xx": "B,T,H", "ff": "B,T?"}, "hh[b,t,i] = where(pad(ff[b,t-1]), 0, sin(pad(hh[b,t-1,i]))) + xx[b,t,i] for t < T", {"hh": "B,T,H"}),
    Template({"xx": "T,H", "nn": "T,H < H", "kk": "T#"}, "hh[0,i] = 1 for i < H\nhh[t+1,i] = sin(hh[t,i])*[nn[t,i] < i] + pad(nn[t-1,i])*xx[t,i] - kk[t]/4", {"hh": "T+1,H"}),
    Template({"xx": "T", "ff": "T?"}, "hh[0] = 0\nhh[t+1] = where(ff[t], hh[t] + 1, 0)\nvv[t] = hh[t+1]*xx[t]", {"hh": "T+1", "vv": "T"}),
    Template({"xx": "T,H", "ww": "2,2"}, "hh[0,i] = xx[0,i]\nhh[t+1,i] = sin(sum(k,l: ww[k,l]*pad(hh[t,i+k-l]))) + xx[t,i]", {"hh": "T+1,H"}),
    Template({"rr": "T,B", "dd": "T,B", "gg": ""}, "ee[t,b] = rr[t,b] - hh[t+1,b]*dd[t,b]\nhh[T,b] = 0 for b < B\nhh[t,b] = ee[t,b] + sin(gg)*hh[t+1,b]*(1 - dd[t,b])\n", {"ee": "T,B", "hh": "T+1,B"}),
    Template({"xx": "B,T,H", "uu": "H,H", "yy": "B,T,H"},
             "zz[b,t,i] = sigmoid(sum(j: uu[i,j]*hh[b,t,j]) + xx[b,t,i])\nnn[b,t,i] = tanh(yy[b,t,i] + zz[b,t,i]*hh[b,t,i])\n"
             "hh[b,0,i] = 0 for b < B, i < H\nhh[b,t+1,i] = (1 - zz[b,t,i])*nn[b,t,i] + zz[b,t,i]*hh[b,t,i]", {"zz": "B,T,H", "nn": "B,T,H", "hh": "B,T+1,H"}),
)
# fmt: on


def from_rows(rows: Sequence[Template]) -> Callable[[Writer], None]:
    return lambda w: w.template(w.chosen(rows))


PRODUCTIONS: tuple[Callable[[Writer], None], ...] = (
    partial(elementwise, ELEMENTWISE),
    partial(elementwise, SELECTIONS),
    partial(elementwise, STOPS),
    partial(elementwise, WHOLE),
    contraction,
    reduction,
    gather,
    from_rows([row for row in AFFINE if "pad(" not in row.text]),
    from_rows([row for row in AFFINE if "pad(" in row.text]),
    from_rows(INDEXED),
    from_rows(RECURRENT),
    from_rows([row for row in RECURRENT if "logsumexp" not in row.text]),
    from_rows([row for row in (*AFFINE, *INDEXED, *RECURRENT) if "logsumexp" in row.text]),
    from_rows([row for row in (*AFFINE, *INDEXED, *RECURRENT) if "pad(ff" in row.text]),
    from_rows([row for row in (*AFFINE, *INDEXED, *RECURRENT) if "pad(nn" in row.text]),
)

# ---- whole programs ---------------------------------------------------------------------------

LOSSES = ("mean({i}: sin({v}))", "sum({i}: {v}**2)", "mean({i}: tanh({v})*{v})", "-sum({i}: {v})/2")


def term(w: Writer, name: str) -> str:
    letters = list(LETTERS[: len(w.tensors[name])])
    if not letters:
        return str(w.chosen(("sin({})", "{}", "{}**2")).format(name))
    return str(w.chosen(LOSSES).format(i=",".join(letters), v=_read(name, letters)))


@st.composite
def programs(draw: Draw) -> Case:
    """A valid spec: productions, then losses that read what is left."""
    w = Writer(draw)
    for _ in range(draw(st.integers(1, 9))):
        w.chosen(PRODUCTIONS)(w)
    computed = list(w.unread)
    terms = [term(w, name) for name in computed]
    params = list(w.declared["params"])
    reals = [n for n in w.declared["data"] if w.declared["data"][n].startswith("real")]
    wrt = params or reals[:1]
    if not wrt:
        wrt = [w.leaf(())]
        terms.append(f"{wrt[0]}**2")
    choice = draw(st.integers(0, 3))
    if choice == 1:
        wrt = w.subset([*wrt, *(n for n in reals if n not in wrt)], 1)
    elif choice == 2:
        wrt = [*wrt, *(n for n in reals if n not in wrt)]
    outputs = w.subset(computed) if w.chance() else []
    aux = [n for n in w.subset(computed) if w.chance()]
    several = len(terms) > 1 and w.chance()
    groups = {"one": terms[::2], "two": terms[1::2]} if several else {"": terms}
    sizes = {n: w.chosen(v) for n, v in FREE.items()}
    sizes |= {n: w.chosen(v) for n, v in NAMED.items()}
    return Case(_toml(w, groups, wrt, outputs, aux, w.chance()), sizes)


def _toml(
    w: Writer,
    groups: dict[str, list[str]],
    wrt: list[str],
    outputs: list[str],
    aux: list[str],
    summed: bool,
) -> str:
    shared = "\n".join(w.lines)
    parts = []
    bodies = {
        name: "\n".join(f"loss += {t}" for t in terms) if summed else f"loss = {' + '.join(terms)}"
        for name, terms in groups.items()
    }
    if outputs:
        parts.append(f"outputs = {_names(outputs)}")
    if aux:
        parts.append(f"aux = {_names(aux)}")
    parts.append(f"wrt = {_names(wrt)}")
    own = f"\n{bodies['']}" if "" in bodies else ""
    parts.append(f'equations = """\n{shared}{own}\n"""')
    text = "\n".join(parts)
    used = {
        n for n in (*FREE, *NAMED) if re.search(rf"\b{n}\b", str(w.declared) + text + str(bodies))
    }
    sizes = dict.fromkeys(FREE, '"free"') | {n: str(v[0]) for n, v in NAMED.items()}
    text += "\n[sizes]\n" + "".join(f"{n} = {v}\n" for n, v in sizes.items() if n in used)
    for section, types in w.declared.items():
        if types:
            text += f"[{section}]\n" + "".join(f'{n} = "{t}"\n' for n, t in types.items())
    for name, body in bodies.items():
        if name:
            text += f'[losses.{name}]\nequations = """\n{body}\n"""\n'
    return text


def _names(names: Sequence[str]) -> str:
    return "[" + ", ".join(f'"{n}"' for n in names) + "]"
