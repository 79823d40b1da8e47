"""Faults to plant: edits of an emitted function's syntax tree, and edits of a program's equations.

An operator is a row of SOURCE_FAULTS or PROGRAM_FAULTS: it yields every way in which it applies.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from sympy import Add, Expr, Rational

from symgrad.algebra.access import Access, Affine
from symgrad.algebra.program import Equation, Program, Slot, slot_symbol, used_slots
from symgrad.algebra.scalars import Stop
from symgrad.algebra.sizes import Size

FACTORS = (2.001, 0.5)

# ---------------------------------------------------------------- in the emitted source


@dataclass(frozen=True)
class SourceFault:
    """A function with one edit. what: the statement that was edited, and how."""

    operator: str
    what: str
    function: ast.FunctionDef


Edit = tuple[str, Callable[[], None]]
Bodies = list[list[ast.stmt]]


def source_faults(text: str, name: str, operator: str, most: int = 10**6) -> list[SourceFault]:
    """The faults of one operator in one function of a module's text; a seeded choice of `most`."""
    alone = ast.unparse(function_of(text, name))
    count = sum(1 for _ in SOURCE_FAULTS[operator](bodies_of(function_of(alone, name))))
    found = []
    for k in choice(count, most):
        function = function_of(alone, name)
        what, edit = list(SOURCE_FAULTS[operator](bodies_of(function)))[k]
        edit()
        found.append(SourceFault(operator, what, ast.fix_missing_locations(function)))
    return found


def choice(count: int, most: int) -> list[int]:
    """Which of so many are tried."""
    return sorted(int(k) for k in np.random.default_rng(5).permutation(count)[:most])


def function_of(text: str, name: str) -> ast.FunctionDef:
    return next(
        node
        for node in ast.parse(text).body
        if isinstance(node, ast.FunctionDef) and node.name == name
    )


def with_function(text: str, function: ast.FunctionDef) -> str:
    """The module's text with one function in place of the one of its name."""
    tree = ast.parse(text)
    names = [getattr(node, "name", "") for node in tree.body]
    tree.body[names.index(function.name)] = function
    return ast.unparse(tree)


def bodies_of(function: ast.FunctionDef) -> Bodies:
    """The statements that compute: what follows `grads = ...`, and the loops inside."""
    lines = [ast.unparse(statement) for statement in function.body]
    start = next(k for k, line in enumerate(lines) if line.startswith("grads = "))
    first = function.body[start + 1 : -1]
    function.body[start + 1 : -1] = [ast.If(ast.Constant(True), first, [])]
    loops = [s.body for s in first if isinstance(s, ast.For)]
    return [first, *loops]


def statements(bodies: Bodies) -> Iterator[tuple[list[ast.stmt], ast.stmt]]:
    for body in bodies:
        yield from ((body, s) for s in list(body) if not isinstance(s, ast.For))


def written(statement: ast.stmt) -> str:
    """The array that a statement computes, as text; empty where it only names one."""
    if isinstance(statement, ast.AugAssign):
        return ast.unparse(statement.target)
    if isinstance(statement, ast.Assign):
        named = isinstance(statement.targets[0], ast.Name)
        computed = isinstance(statement.value, ast.Call | ast.BinOp | ast.UnaryOp)
        return ast.unparse(statement.targets[0]) if named and computed else ""
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        call = statement.value
        outs = [k.value for k in call.keywords if k.arg == "out"]
        first = ast.unparse(call.func) in ("np.copyto", "_add_at") and call.args[:1]
        return ast.unparse([*outs, *(first or [])][0]) if outs or first else ""
    return ""


def inserted(body: list[ast.stmt], after: ast.stmt, line: str) -> Callable[[], None]:
    return lambda: body.insert(body.index(after) + 1, ast.parse(line).body[0])


def scaling(bodies: Bodies, factors: tuple[float, ...]) -> Iterator[Edit]:
    """x = ...  ->  x = ...; x *= factor."""
    for body, statement in statements(bodies):
        target = written(statement)
        for factor in factors if target else ():
            line = f"{target} *= {factor}"
            if "(" in target:
                line = f"np.multiply({target}, {factor}, out={target})"
            yield f"{ast.unparse(statement)}; {line}", inserted(body, statement, line)


def factor(bodies: Bodies) -> Iterator[Edit]:
    yield from scaling(bodies, FACTORS)


OPPOSITE: Mapping[type[ast.operator], type[ast.operator]] = {ast.Add: ast.Sub, ast.Sub: ast.Add}
OPPOSITE_CALL = {"subtract": "add", "add": "subtract", "negative": "positive"}


def sign(bodies: Bodies) -> Iterator[Edit]:
    """+ for -, - for +, no minus; and x *= -1."""
    yield from scaling(bodies, (-1.0,))
    for _, statement in statements(bodies):
        shown = ast.unparse(statement)
        if isinstance(statement, ast.AugAssign) and type(statement.op) in OPPOSITE:
            opposite = OPPOSITE[type(statement.op)]()
            yield shown, setter(statement, "op", opposite)
        for node in values_in(statement):
            if isinstance(node, ast.Attribute) and node.attr in OPPOSITE_CALL:
                yield shown, setter(node, "attr", OPPOSITE_CALL[node.attr])
            if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
                yield shown, setter(node, "op", ast.UAdd())


def setter(node: ast.AST, name: str, value: object) -> Callable[[], None]:
    return lambda: setattr(node, name, value)


def values_in(statement: ast.stmt) -> Iterator[ast.AST]:
    """The nodes of a statement, reshapes left out: sizes are no numbers of the computation."""
    todo: list[ast.AST] = [statement]
    while todo:
        node = todo.pop()
        yield node
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(".reshape"):
            todo.append(node.func)
        else:
            todo += ast.iter_child_nodes(node)


def transpose(bodies: Bodies) -> Iterator[Edit]:
    """a.T -> a, a.transpose(.., i, j) -> (.., j, i), a @ b -> b @ a, operands and gradients transposed."""
    for body, statement in statements(bodies):
        shown = ast.unparse(statement)
        for node in ast.walk(statement):
            if isinstance(node, ast.Attribute) and node.attr == "T":
                yield shown, setter(node, "attr", "real")
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                if called.endswith(".transpose") or called in ("np.matmul", "np.tensordot"):
                    several = node.args
                    if called.startswith("np."):
                        several = node.args[:2]
                    for k in range(len(several) - 1):
                        yield shown, swapper(node.args, k)
                    for operand in several:
                        yield from transposed(shown, operand)
        target = written(statement).partition(".reshape")[0]
        if "grads." in shown and target and ("matmul" in shown or "tensordot" in shown):
            line = f"{target}[...] = np.array({target}.swapaxes(-1, -2))"
            yield f"{shown}; {line}", inserted(body, statement, line)


def transposed(shown: str, operand: ast.expr) -> Iterator[Edit]:
    """x.reshape(m, n) -> x.swapaxes(-1, -2).reshape(m, n)."""
    if isinstance(operand, ast.Call) and isinstance(operand.func, ast.Attribute):
        line = f"{ast.unparse(operand.func.value)}.swapaxes(-1, -2)"
        other = ast.parse(line, mode="eval").body
        if operand.func.attr == "reshape":
            yield f"{shown}: {line}", setter(operand.func, "value", other)


def swapper(several: list[ast.expr], k: int) -> Callable[[], None]:
    def edit() -> None:
        several[k], several[k + 1] = several[k + 1], several[k]

    return edit


def axis(bodies: Bodies) -> Iterator[Edit]:
    """axis=i -> axis=j; x[:, None] -> x[None, :]."""
    for _, statement in statements(bodies):
        shown = ast.unparse(statement)
        for node in ast.walk(statement):
            if isinstance(node, ast.keyword) and node.arg == "axis":
                came = ast.literal_eval(node.value)
                for other in OTHER_AXES.get(came, ()):
                    yield f"{shown}: axis {other}", setter(node, "value", ast.Constant(other))
            if isinstance(node, ast.Tuple) and isinstance(node.ctx, ast.Load):
                nones = [isinstance(e, ast.Constant) and e.value is None for e in node.elts]
                if any(nones) and len(nones) > 1:
                    elements = [*node.elts[1:], node.elts[0]]
                    yield f"{shown}: None elsewhere", setter(node, "elts", elements)


OTHER_AXES: Mapping[object, tuple[object, ...]] = {
    0: (1, -1),
    1: (0,),
    2: (1, 0),
    3: (2, 1),
    -1: (0, -2),
    (0, 1): ((0, 2), (1, 2)),
    (0, 2): ((0, 1), (1, 2)),
    (1, 2): ((0, 1), (0, 2)),
}


def dropped(bodies: Bodies) -> Iterator[Edit]:
    """x += ..., and calls that change x in place, left out; a + b -> a + 0 and 0 + b."""
    for body, statement in statements(bodies):
        shown = ast.unparse(statement)
        if isinstance(statement, ast.AugAssign) or changes_in_place(statement):
            yield shown, remover(body, statement)
        for node in values_in(statement):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("np.add", "np.subtract"):
                for k, term in enumerate(node.args[:2]):
                    if not isinstance(term, ast.Constant):
                        without = replacer(node.args, k, ast.Constant(0.0))
                        yield f"{shown}: without {ast.unparse(term)}", without


def changes_in_place(statement: ast.stmt) -> bool:
    if not isinstance(statement, ast.Expr) or not isinstance(statement.value, ast.Call):
        return False
    call, target = statement.value, written(statement)
    masked = any(keyword.arg == "where" for keyword in call.keywords)
    called = ast.unparse(call.func)
    reads = [ast.unparse(argument) for argument in call.args]
    return (
        called in ("_add_at", "np.add.at") or masked or (called != "np.copyto" and target in reads)
    )


def remover(body: list[ast.stmt], statement: ast.stmt) -> Callable[[], None]:
    return lambda: body.__setitem__(body.index(statement), ast.Pass())


def gather(bodies: Bodies) -> Iterator[Edit]:
    """Off by one: places + 1 clipped, subscripts and slices one lower, u < t for u <= t."""
    for body, statement in statements(bodies):
        shown = ast.unparse(statement)
        target = written(statement)
        if isinstance(statement, ast.AugAssign) and target.split("_")[0] == "at":
            for line in (
                f"np.clip({target} + 1, 0, {target}.max(), out={target})",
                f"{target}[...] = np.roll({target}, 1)",
            ):
                yield f"{shown}; {line}", inserted(body, statement, line)
        for node in ast.walk(statement):
            if isinstance(node, ast.Attribute) and node.attr == "less_equal":
                yield shown, setter(node, "attr", "less")
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("_pick", "_add_at"):
                yield from elsewhere(shown, node.args[1])
            if isinstance(node, ast.Subscript):
                parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
                for k, part in enumerate(parts):
                    yield from lowered(shown, parts, k, part)


def elsewhere(shown: str, places: ast.expr) -> Iterator[Edit]:
    """places -> the places after them, clipped; the places of the entries before."""
    parts = places.elts if isinstance(places, ast.Tuple) else []
    for k, part in enumerate(parts):
        name = ast.unparse(part)
        for other in (f"np.minimum({name} + 1, {name}.max())", f"np.roll({name}, 1)"):
            yield f"{shown}: {other}", replacer(parts, k, ast.parse(other, mode="eval").body)


def replacer(parts: list[ast.expr], k: int, other: ast.expr) -> Callable[[], None]:
    return lambda: parts.__setitem__(k, other)


def lowered(shown: str, parts: list[ast.expr], k: int, part: ast.expr) -> Iterator[Edit]:
    """i -> i - 1;  a:b -> a-1:b-1."""
    if isinstance(part, ast.Slice) and part.lower is not None and part.upper is not None:
        less: ast.expr = ast.Slice(minus_one(part.lower), minus_one(part.upper), part.step)
    elif isinstance(part, ast.Name | ast.BinOp):
        less = minus_one(part)
    else:
        return
    yield f"{shown}: {ast.unparse(less)}", replacer(parts, k, less)


def minus_one(number: ast.expr) -> ast.expr:
    return ast.BinOp(copy.deepcopy(number), ast.Sub(), ast.Constant(1))


SOURCE_FAULTS: Mapping[str, Callable[[Bodies], Iterator[Edit]]] = {
    "factor": factor,
    "sign": sign,
    "transpose": transpose,
    "axis": axis,
    "dropped term": dropped,
    "off-by-one gather": gather,
}


def with_other_gradient(text: str, other: str) -> str:
    """The module's text with the value_and_grad of another: the function, its buffers, its helpers.

    A stop leaves no trace in emitted code: what it removes is the statements that would carry the
    gradient past it. They come from the module of the program without the stop; the docstring,
    SPEC, forward, value and everything else stay as they are.
    """
    tree = ast.parse(text)
    ours, theirs = definitions(tree), definitions(ast.parse(other))
    for name in ("value_and_grad", "_ValueAndGradMemory"):
        tree.body[tree.body.index(ours[name])] = theirs[name]
    tree.body += [node for name, node in theirs.items() if name not in ours]
    return ast.unparse(tree)


def definitions(tree: ast.Module) -> dict[str, ast.FunctionDef | ast.ClassDef]:
    kinds = ast.FunctionDef | ast.ClassDef
    return {node.name: node for node in tree.body if isinstance(node, kinds)}


# ---------------------------------------------------------------- in the program, before derive


@dataclass(frozen=True)
class ProgramFault:
    """A program with one equation changed or left out."""

    operator: str
    what: str
    program: Program


Change = tuple[str, Equation | None]


def program_faults(program: Program, operator: str, most: int = 10**6) -> list[ProgramFault]:
    """The faults of one operator in a program; a seeded choice of `most`."""
    found = []
    for n, equation in enumerate(program.equations):
        if program.tensor_of[equation.target.tensor].kind != "real":
            continue
        for what, changed in PROGRAM_FAULTS[operator](equation, program):
            kept = list(program.equations)
            kept[n : n + 1] = [] if changed is None else [changed]
            mutant = replace(program, equations=tuple(kept))
            found.append(ProgramFault(operator, f"{equation.target}: {what}", mutant))
    return [found[k] for k in choice(len(found), most)]


def other_factor(equation: Equation, program: Program) -> Iterator[Change]:
    if equation.body != 0:
        for number in (Rational(2001, 1000), Rational(1, 2)):
            yield f"times {number}", equation.with_body(number * equation.body)


def other_sign(equation: Equation, program: Program) -> Iterator[Change]:
    """-body, and each term of a sum with the other sign."""
    if equation.body != 0:
        yield "negated", equation.with_body(-equation.body)
    for term in terms(equation.body):
        yield f"minus {term}", equation.with_body(equation.body.xreplace({term: -term}))


def terms(body: Expr) -> list[Expr]:
    """The terms of every sum in a body, in a fixed order."""
    sums = sorted(body.atoms(Add), key=str)
    return [term for found in sums for term in sorted(found.args, key=str)]


def lost_term(equation: Equation, program: Program) -> Iterator[Change]:
    """A contribution among several; a term of a sum."""
    if len(program.writers[equation.target.tensor]) > 1:
        yield "left out", None
    for found in sorted(equation.body.atoms(Add), key=str):
        for term in sorted(found.args, key=str):
            yield (
                f"without {term}",
                equation.with_body(equation.body.xreplace({found: found - term})),
            )


def with_slot(equation: Equation, old: Slot, new: Slot) -> Equation:
    """The body reads `new` where it read `old`."""
    symbol, fresh = slot_symbol(old), slot_symbol(new)
    body = equation.body.xreplace({symbol: fresh})
    slots = {**equation.slot_of, fresh: new}
    return replace(equation, body=body, slots=used_slots(body, slots))


def swapped_read(equation: Equation, program: Program) -> Iterator[Change]:
    """X[i,j] -> X[j,i], where both run over the same range."""
    for _, slot in equation.slots:
        if isinstance(slot, Access):
            for other in swaps(slot, equation):
                yield f"{slot} -> {other}", with_slot(equation, slot, other)


def swaps(access: Access, equation: Equation) -> Iterator[Access]:
    plain = [s.plain if isinstance(s, Affine) else None for s in access.subscripts]
    for a in range(len(plain)):
        for b in range(a + 1, len(plain)):
            if plain[a] and plain[b] and same_range(equation, plain[a], plain[b]):
                subscripts = list(access.subscripts)
                subscripts[a], subscripts[b] = subscripts[b], subscripts[a]
                yield replace(access, subscripts=tuple(subscripts))


def same_range(equation: Equation, i: str | None, j: str | None) -> bool:
    ranges = [equation.range_of[name] for name in (i, j) if name is not None]
    return ranges[0].lo == ranges[1].lo and ranges[0].hi == ranges[1].hi


def other_axis(equation: Equation, program: Program) -> Iterator[Change]:
    """The reduction runs over another index of the same range: target[..i..] -> target[..j..]."""
    for k, form in enumerate(equation.target.subscripts):
        i = form.plain if isinstance(form, Affine) else None
        for j in equation.reduced:
            if i is not None and same_range(equation, i, j):
                subscripts = list(equation.target.subscripts)
                subscripts[k] = Affine.index(j)
                target = replace(equation.target, subscripts=tuple(subscripts))
                yield f"summed over {i}, not {j}", replace(equation, target=target)


def removed_stop(equation: Equation, program: Program) -> Iterator[Change]:
    for node in sorted(equation.body.atoms(Stop), key=str):
        body = equation.body.xreplace({node: node.args[0]})
        yield f"no {node}", equation.with_body(body)


def shifted_gather(equation: Equation, program: Program) -> Iterator[Change]:
    """X[..i..] -> pad(X[..i-1..]); X[act[b]] -> X[act[b+1]], padded inside."""
    for _, slot in equation.slots:
        if not isinstance(slot, Access) or (
            program.writers.get(slot.tensor)
            and reaches(slot.tensor, equation.target.tensor, program)
        ):
            continue
        for k, form in enumerate(slot.subscripts):
            for less in shifted(form):
                subscripts = list(slot.subscripts)
                subscripts[k] = less
                padded = slot.padded or isinstance(form, Affine)
                other = replace(slot, subscripts=tuple(subscripts), padded=padded)
                yield f"{slot} -> {other}", with_slot(equation, slot, other)


def shifted(form: Affine | Access) -> Iterator[Affine | Access]:
    if isinstance(form, Affine):
        yield form + Affine((), Size.of(-1))
    elif all(isinstance(inner, Affine) for inner in form.subscripts):
        inner = form.subscripts[0]
        if isinstance(inner, Affine):
            later = (inner + Affine((), Size.of(1)), *form.subscripts[1:])
            yield replace(form, subscripts=later, padded=True)


def reaches(source: str, target: str, program: Program) -> bool:
    """Whether `source` is computed from `target`: a shift inside a recurrence is another matter."""
    seen, todo = set[str](), [source]
    while todo:
        name = todo.pop()
        if name == target:
            return True
        if name not in seen:
            seen.add(name)
            todo += [a.tensor for e in program.writers.get(name, ()) for a in e.reads]
    return False


PROGRAM_FAULTS: Mapping[str, Callable[[Equation, Program], Iterator[Change]]] = {
    "factor": other_factor,
    "sign": other_sign,
    "transpose": swapped_read,
    "axis": other_axis,
    "dropped term": lost_term,
    "removed stop": removed_stop,
    "off-by-one gather": shifted_gather,
}
