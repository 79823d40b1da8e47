"""The verbs of symgrad in Python. `import symgrad as sg` offers all of this without importing it.

sg.load("spec.toml")      sg.derive(...)     sg.gradient(...)    dL/dX as a program
sg.parse(text)            sg.generate(...)   sg.jvp(...)         tangents
sg.define("q", ...)       sg.check(...)      sg.hvp(...)         H v
sg.gauss_newton_product(...)   J' H J v      sg.fisher_vector_product(...)   F v + damping v
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal, get_args

from symgrad import generated_tree, pipeline
from symgrad.algebra.derive import forward
from symgrad.algebra.gauss_newton import GaussNewton, cut, damped, gauss_newton
from symgrad.algebra.heads import split_heads
from symgrad.algebra.program import Program
from symgrad.algebra.second import directions, forward_over_reverse, reverse_over_reverse
from symgrad.catalog.builtin import spec_path
from symgrad.emit.backends import DEFAULT
from symgrad.errors import SpecError, did_you_mean
from symgrad.explain.build import explain
from symgrad.explain.derivation import Derivation
from symgrad.explain.values import load_values
from symgrad.notation.canonical import program_toml
from symgrad.products import derive_product
from symgrad.spec import Loss, Spec, parse_spec
from symgrad.spec import define as define_spec
from symgrad.spec import load as load_file
from symgrad.verify import check as verify
from symgrad.verify.small import emitted_as, small_literals
from symgrad.verify.spec_text import spec_text
from symgrad.verify.subject import ModuleSubject
from symgrad.verify.verdict import Report

Source = Spec | str | Path
"""A spec, the path of its file, or the name of a built-in one."""

Mode = Literal["forward-over-reverse", "reverse-over-reverse"]


def load(source: str | Path) -> Spec:
    """The spec in a .toml file, or the built-in spec of that name.

    Errors: SpecError, with file, line and column.
    """
    return load_file(spec_path(source))


def parse(text: str, name: str = "spec") -> Spec:
    """The spec that a TOML text writes. A module generated from it is called `name`."""
    return parse_spec(text, name)


def define(name: str = "spec", /, **sections: object) -> Spec:
    """The spec that Python objects write: the keys and tables of a TOML file, as dicts and lists.

    sg.define(
        "policy",
        sizes={"B": "batch"},
        networks={"q": {"input": "obs", "layers": ["dense 64 tanh", "dense 2"]}},
        data={"obs": "real[B, 4]", "act": "int[B] < 2", "ret": "real[B]"},
        loss="reinforce(q, act, ret)",
    )
    """
    return define_spec(name, sections)


def derive(
    source: Source,
    loss: str | None = None,
    wrt: str | None = None,
    *,
    at: str | Path | None = None,
    element: str | None = None,
    limit: bool = False,
) -> Derivation:
    """The derivation in numbered steps, as text, Markdown, LaTeX, or a notebook's cell.

    loss:    needed where the spec has several.
    wrt:     one real tensor, an intermediate one too: only the path to it is shown.
    at:      a TOML file of values, which go before the spec's own [values]: every step gets its
             numbers.
    element: one entry, such as "W1[0,2]": its gradient factor by factor.
    limit:   and its difference quotient for h = 1e-1 to 1e-12.
    """
    spec = _spec(source)
    given = None if at is None else load_values(Path(at), spec)
    return explain(spec, loss, wrt, at=given, element=element, limit=limit)


def generate(source: Source, backend: str = DEFAULT, products: str | Iterable[str] = ()) -> str:
    """The text of the spec's module, as a backend writes it. Same spec, same bytes.

    products: functions beside the gradients, as `symgrad generate --with` takes them: "jvp", "hvp",
              "ggn", "fvp"; or "actor_hvp" of one loss. Those that the spec names are there anyway.
    """
    return generated_tree.module_of(_spec(source).having(products), backend=backend)


def check(
    source: Source,
    *,
    losses: Sequence[str] | None = None,
    seed: int = 0,
    draw: bool = False,
    watch: verify.Watch | None = None,
) -> Report:
    """Emitted code against finite differences of an independent evaluation, in 60 digits.

    source: a spec, whose module is generated and checked; or the path of a generated MODULE.py,
            which is checked against the SPEC that it states. The module is executed, in a process
            of its own.
    losses: only these.
    draw:   the report's `curves` too: the error of the worst entries against the step.
    watch:  called as the check goes on, for a progress bar.

    Named sizes are shrunk for the 60 digits, and literal ones too: the module is emitted anew with
    smaller ones, if it then is the same code but for them.
    """
    if not isinstance(source, Spec) and str(source).endswith(".py"):
        path = Path(source)
        spec = parse_spec(spec_text(path), path.stem, f"{path} (SPEC)")
        return _checked(spec, path, losses, seed, draw, watch)
    spec = _spec(source)
    text = generated_tree.module_of(spec, "check")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{spec.name}.py"
        path.write_bytes(text.encode("utf-8"))
        return _checked(spec, path, losses, seed, draw, watch, made=text)


def gradient(source: Source, loss: str | None = None) -> Program:
    """dL/dX for each X that the loss is differentiated by, as a program.

    Its outputs are the tensors dX, in the order of the loss's `wrt`. It can be differentiated
    again.
    loss: needed where the spec has several.
    """
    return pipeline.derive(_spec(source).loss(loss)).derived.program


def jvp(
    source: Program | Source,
    seeds: Mapping[str, str] | Iterable[str],
    of: Iterable[str] | None = None,
    *,
    loss: str | None = None,
) -> Program:
    """T_dot = sum over X of (dT/dX) X_dot: the tangents of some tensors along a direction.

    source: a program, or a spec whose loss is meant.
    seeds:  for each X the tensor that is its direction; from names alone, directions are called
            v_X. A direction that the program does not hold becomes data of X's shape.
    of:     the tensors T; the program's outputs where nothing is said. The outputs are the T_dot,
            in this order.
    """
    program = source if isinstance(source, Program) else _spec(source).loss(loss).program
    swept = split_heads(program)
    if isinstance(seeds, str):
        seeds = (seeds,)
    along = dict(seeds) if isinstance(seeds, Mapping) else directions(swept, tuple(seeds))
    chosen = program.outputs if of is None else (of,) if isinstance(of, str) else tuple(of)
    return forward(swept, along, chosen).program


def hvp(source: Source, loss: str | None = None, mode: Mode = "forward-over-reverse") -> Program:
    """dX_dot = sum over Y of (d2L / dX dY) v_Y: the Hessian times a direction, as a program.

    Its outputs are the tensors dX_dot, in the order of the loss's `wrt`; the directions are data
    called v_X. Both modes give the same numbers. It can be differentiated again.
    """
    chosen = _spec(source).loss(loss)
    if mode not in get_args(Mode):
        raise SpecError(f'unknown mode "{mode}"{did_you_mean(str(mode), get_args(Mode))}')
    twice = forward_over_reverse if mode == "forward-over-reverse" else reverse_over_reverse
    return twice(split_heads(chosen.program), chosen.value, chosen.wrt).program


def gauss_newton_product(
    source: Source, loss: str | None = None, through: str | Iterable[str] | None = None
) -> Program:
    """dX_dot = J' H J v: J = dz/dX, and H the Hessian of the loss in z, as a program.

    Its outputs and directions are those of `hvp`. Positive semidefinite where the loss is convex
    in z.
    through: the tensors z; the spec's outputs where nothing is said. What of X reaches the loss
             past them counts as one of them.
    """
    return _gauss_newton(source, loss, through).derived.program


def fisher_vector_product(
    source: Source, loss: str | None = None, through: str | Iterable[str] | None = None
) -> Program:
    """dX_dot = F v + damping*v: the Gauss-Newton product, and a datum `damping`, as a program.

    F is the Fisher information where the loss is KL(old || new) and new = old, or the negative
    log-likelihood of softmax logits (of any natural parameters) and z are these.
    """
    return damped(_gauss_newton(source, loss, through)).derived.program


def as_spec(program: Program, name: str) -> Spec:
    """A program as a spec without a loss: its module's `forward` returns the program's outputs.

    So `sg.generate(sg.as_spec(sg.hvp("gru"), "gru_hvp"))` is a NumPy module of the product H v.
    """
    return parse_spec(program_toml(program), name)


def _gauss_newton(
    source: Source, loss: str | None, through: str | Iterable[str] | None
) -> GaussNewton:
    spec = _spec(source)
    chosen = spec.loss(loss)
    through = (through,) if isinstance(through, str) else through
    wanted = [z for z in (spec.through if through is None else through) if z != chosen.value]
    if not wanted:
        raise SpecError(f'spec "{spec.name}" has no outputs to go through; name some: through="z"')
    program, above = cut(split_heads(chosen.program), wanted)
    return gauss_newton(program, above, chosen.value, chosen.wrt)


def _spec(source: Source) -> Spec:
    return source if isinstance(source, Spec) else load(source)


def _checked(
    spec: Spec,
    path: Path,
    losses: Sequence[str] | None,
    seed: int,
    draw: bool,
    watch: verify.Watch | None,
    made: str = "",
) -> Report:
    """made: the module's text, where it is known to be what is emitted for the spec."""

    usual = made or pipeline.generate(spec)

    def emit(other: Spec) -> str:
        return usual if other is spec else pipeline.generate(other)

    def emitted(loss: Loss) -> tuple[Program, Mapping[str, str]]:
        """The gradient program behind the module: it scales rounding and names equations."""
        found = pipeline.derive_stable(loss)
        return pipeline.optimised(found), found.derived.result

    def along(loss: Loss, name: str) -> tuple[Program, Mapping[str, str], Mapping[str, str]]:
        """The same of a product, and its directions."""
        found = derive_product(spec, loss, name)
        return pipeline.optimised(found), found.derived.result, found.along

    text = path.read_bytes().decode("utf-8")
    with tempfile.TemporaryDirectory() as folder:
        small = small_literals(spec, text, emit)
        anew = None
        if small is not None:  # its literal sizes are too large for many digits
            there = Path(folder) / path.name
            there.write_bytes(small.text.encode("utf-8"))
            anew = small, ModuleSubject(there)
        other = None
        if not emitted_as(usual, text):
            other = Path(folder) / f"emitted_{path.name}"
            other.write_bytes(usual.encode("utf-8"))
        report = verify.check(
            spec,
            ModuleSubject(path),
            losses=losses,
            gradient=emitted,
            product=along,
            seed=seed,
            small=anew,
            emitted=ModuleSubject(other) if other else None,
            draw=draw,
            watch=watch,
        )
    return replace(report, subject=spec.name if made else path.name)
