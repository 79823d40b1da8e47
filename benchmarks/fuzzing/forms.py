"""Free forms: any contraction, any elementwise function, any reduction, any gather."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from hypothesis import strategies as st

from benchmarks.fuzzing.writer import LETTERS, Dims, Writer, ranges_of, read_of

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
    w.define(tuple(indices[i] for i in out), out, body, ranges_of(indices, fixed))


def elementwise(rows: Sequence[str], w: Writer) -> None:
    """out[I] = f(x[I], z[J], ...), with J within I."""
    name, axes = w.any_tensor(0)
    indices = dict(zip(LETTERS, axes, strict=False))
    body = filled(w, w.chosen(rows), read_of(name, list(indices)), indices)
    out = w.subset(list(indices), len(indices)) if w.chance() else list(indices)
    w.define(tuple(indices[i] for i in out), out, body, ranges_of(indices, out))


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
    body = filled(w, w.chosen(REDUCED), read_of(name, list(indices)), indices)
    body = w.chosen(("{}", "{} + 1", "-{}")).format(f"{op}({','.join(bound)}: {body})")
    w.define(tuple(indices[i] for i in out), out, body, ranges_of(indices, [*out, *bound]))


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
        read = read_of(w.integer(tuple(indices[i] for i in keys), bound), keys)
        if w.chance() and w.chance():
            inner = read_of(w.integer(tuple(indices[i] for i in keys), "K"), keys)
            read = read_of(w.integer(("K",), bound), [inner])
        subscripts[int(place)] = read
    out = w.subset(list(indices), len(indices)) if w.chance() else list(indices)
    body = w.chosen(("{}", "tanh({})", "{} + 1", "-2*{}")).format(read_of(name, subscripts))
    w.define(tuple(indices[i] for i in out), out, body)
