"""Free forms whose reads move: windows, scatters, products of one tensor, recurrences."""

from __future__ import annotations

from hypothesis import strategies as st

from benchmarks.fuzzing.writer import LETTERS, Writer, ranges_of, read_of


def _affine(*terms: tuple[int, str], offset: int = 0) -> str:
    """2*t+3*k-1."""
    text = "".join(f"{c:+d}*{i}" for c, i in terms) + (f"{offset:+d}" if offset else "")
    return text.replace("+1*", "+").replace("-1*", "-").removeprefix("+")


def window(w: Writer) -> None:
    """v[.., t, ..] = sum(k: w[k]*x[.., s*t + d*k - p, ..]), or its transpose; s, d, p are drawn."""
    name, axes = w.any_tensor(1, 3)
    place = w.draw(st.integers(0, len(axes) - 1))
    taps = w.chosen(("K", "2", "3"))
    stride, dilation = w.chosen((1, 2, 3, -1)), w.chosen((1, 2, 3))
    offset = w.chosen((0, 1, -1, -2, 3))
    letters = list(LETTERS[: len(axes)])
    indices = dict(zip(letters, axes, strict=True)) | {"u": taps}
    count = w.chosen(("{}", "({}+1)//2", "2*{}", "{}+1")).format(axes[place])
    keys = w.chosen((["u"], ["u"], [letters[place - 1], "u"], ["u", letters[place]]))
    keys = list(dict.fromkeys(k for k in keys if k != letters[place])) or ["u"]
    weight = read_of(w.tensor(tuple(indices[i] for i in keys)), keys)
    moved = list(letters)
    moved[place] = _affine((stride, letters[place]), (dilation, "u"), offset=offset)
    if w.chance():
        read = f"pad({read_of(name, moved)})"
        body = w.chosen(("{}*{}", "tanh({})*{}", "{}**2*{}")).format(read, weight)
        indices[letters[place]] = count
        dims = tuple(indices[i] for i in letters)
        w.define(dims, letters, f"sum(u: {body})", ranges_of(indices, [*letters, "u"]))
        return
    out = w.name("v")
    dims = tuple(count if k == place else axis for k, axis in enumerate(axes))
    w.lines.append(f"pad({read_of(out, moved)}) += {read_of(name, letters)}*{weight}")
    w.declare(out, dims)


def scatter(w: Writer) -> None:
    """v[.., a[..], ..] += f(x): into places that data choose, several into one, or none."""
    name, axes = w.any_tensor(0, 3)
    indices = dict(zip(LETTERS, axes, strict=False))
    subscripts, dims = [], []
    for _ in range(w.draw(st.integers(1, 3))):
        form = w.chosen(("gathered", "gathered", "twice", "plain", "number"))
        left = [i for i in indices if i not in subscripts]
        if form == "plain" and left:
            subscripts.append(left[0])
            dims.append(indices[left[0]])
        elif form == "number":
            dims.append(w.chosen(("2", "3")))
            subscripts.append(w.chosen(("0", "1")))
        else:
            bound = w.chosen(("B", "H", "K", "2", "T"))
            dims.append(bound)
            keys = w.subset(list(indices))
            own = tuple(indices[i] for i in keys)
            if form == "twice":
                inner = read_of(w.integer(own, "K"), keys)
                subscripts.append(read_of(w.integer(("K",), bound), [inner]))
            else:
                subscripts.append(read_of(w.integer(own, bound), keys))
    out = w.name("v")
    bodies = ("{}", "{}**2", "-tanh({})/2", "sin({})*stop({})")
    ranges = ranges_of(indices, list(indices))
    for source in (name, w.tensor(axes))[: w.draw(st.integers(1, 2))]:
        body = w.chosen(bodies).replace("{}", read_of(source, list(indices)))
        w.lines.append(f"{read_of(out, subscripts)} += {body}{ranges}")
    w.declare(out, tuple(dims))


def powers(w: Writer) -> None:
    """v[..] = sum(..: x[i,j]*x[j,k]*x[i,i]): a tensor with itself, its indices in any order."""
    axis = w.chosen(("H", "B", "3", "K"))
    rank = w.draw(st.integers(1, 3))
    letters = LETTERS[: w.draw(st.integers(rank, 4))]
    name, reads = w.tensor((axis,) * rank), []
    for _ in range(w.draw(st.integers(2, 3))):
        at = [w.chosen(letters) for _ in range(rank)]
        reads.append(read_of(name, at))
    used = [i for i in letters if any(i in read.partition("[")[2] for read in reads)]
    out = w.subset(used)
    bound = [i for i in used if i not in out]
    body = "*".join(reads)
    body = f"{w.chosen(('sum', 'mean'))}({','.join(bound)}: {body})" if bound else body
    w.define((axis,) * len(out), out, f"tanh({body})" if w.chance() else body)


MIXED = (
    "{}", "tanh({})", "sin({})", "{}/2", "stop({})", "where({} < 0.1, {}, 0)", "relu({})", "1/(2 + {}**2)",
)  # fmt: skip
WRAPPED = ("tanh({})", "sin({})", "({})/2", "{}", "where({} > 0, {}/2, stop({}))")


def recurrence(w: Writer) -> None:
    """h[t+1] = f(h[t], g[t+1], ..): up to three tensors in one cycle, forward or backward in time."""
    w.drawn.append("free recurrence")
    indices = dict(zip(LETTERS, w.dims(0, 2), strict=False))
    steps = w.chosen(("T", "T", "3", "K"))
    style, back = w.chosen(("start", "pad", "lag")), w.chance()
    far = steps if back else "0"
    old, new = ("t+1", "t") if back else ("t", "t+1")
    if style != "start":
        lag = 2 if style == "lag" else 1
        old, new = (f"t+{lag}", "t") if back else (f"t-{lag}", "t")
    states: list[tuple[str, list[str], int]] = []
    for _ in range(w.draw(st.integers(1, 3))):
        own = w.subset(list(indices))
        name = f"{w.name('h')}{'abc'[len(states)]}"
        states.append((name, own, w.draw(st.integers(0, len(own)))))
    for number, (name, own, place) in enumerate(states):
        terms, bound = [], []
        for _ in range(w.draw(st.integers(1, 2))):
            seen = w.draw(st.integers(0, len(states) - 1)) if terms else (number + 1) % len(states)
            term, more = _earlier(w, states[seen], own, indices, seen < number, old, new, style)
            terms.append(term)
            bound += more
        keys = w.subset(["t", *own])
        source = w.tensor(tuple({**indices, "t": steps}[i] for i in keys))
        body = w.chosen(WRAPPED).replace("{}", " + ".join(terms))
        body += f" + {read_of(source, keys)}"
        ranges = ranges_of({**indices, "t": steps}, ["t", *dict.fromkeys([*own, *bound])])
        w.lines.append(f"{read_of(name, [*own[:place], new, *own[place:]])} = {body}{ranges}")
        if style == "start":
            first = read_of(w.tensor(tuple(indices[i] for i in own)), own)
            ranges = ranges_of(indices, own)
            w.lines.append(f"{read_of(name, [*own[:place], far, *own[place:]])} = {first}{ranges}")
    for name, own, place in states:  # what they read beside each other was there before
        dims = [indices[i] for i in own]
        length = f"{steps}+1" if style == "start" else steps
        w.tensors[name] = (*dims[:place], length, *dims[place:])
        w.unread.append(name)


def _earlier(
    w: Writer,
    state: tuple[str, list[str], int],
    out: list[str],
    indices: dict[str, str],
    known: bool,
    old: str,
    new: str,
    style: str,
) -> tuple[str, list[str]]:
    """A read of a state at an earlier step, or at this one if it is known; and what it binds."""
    name, own, place = state
    at = list(own)
    padded = style != "start"
    for k, letter in enumerate(own):
        form = w.chosen(("plain", "plain", "shift", "gathered", "reversed"))
        if letter not in out:
            continue
        if form == "shift":
            at[k], padded = f"{letter}-1", True
        elif form == "gathered":
            keys = w.subset([letter])
            at[k] = read_of(w.integer(tuple(indices[i] for i in keys), indices[letter]), keys)
        elif form == "reversed":
            at[k] = f"{indices[letter]}-1-{letter}"
    when = new if known and w.chance() else old
    read = read_of(name, [*at[:place], when, *at[place:]])
    read = f"pad({read})" if padded else read
    read = w.chosen(MIXED).replace("{}", read)
    bound = [i for i in own if i not in out]
    if not bound:
        return read, []
    mixed = w.subset(out)[:1] + bound
    if w.chance():
        read += "*" + read_of(w.tensor(tuple(indices[i] for i in mixed)), mixed)
    op = w.chosen(("sum", "mean", "logsumexp", "max"))
    op = "sum" if op == "max" and len(bound) > 1 else op
    return f"{op}({','.join(bound)}: {read})", bound
