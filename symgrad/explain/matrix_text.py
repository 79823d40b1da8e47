"""Matrix expressions printed: dz1^T x, dh1 (.) (1 - h1 (.) h1); and the same in LaTeX."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sympy import Expr, Mul, Symbol
from sympy.core.parameters import distribute

from symgrad.algebra.access import Access
from symgrad.algebra.program import Slot
from symgrad.algebra.scalars import Equal, Less, LessEqual
from symgrad.explain.contractions import Matrix
from symgrad.explain.latex import Latex, bracketed
from symgrad.explain.latex_scalars import SIGNS, Printer, expression_latex
from symgrad.explain.steps import added
from symgrad.notation.printer import Written, expression_text

TEXT_SIGNS: Mapping[type, str] = {Less: "<", LessEqual: "<=", Equal: "=="}
LOOSE = ("sum", "hadamard", "product", "scaled")
"""What stands in brackets inside a product."""


@dataclass(frozen=True)
class Style:
    """How each kind of node is written."""

    tensor: Callable[[str], str]
    number: Callable[[Expr], str]
    scaled: Callable[[Expr, str], str]
    raised: Callable[[str], str]
    bracket: Callable[[str], str]
    applied: Callable[[str, str], str]
    mask: Callable[[type, str, str], str]
    times: str
    dot: str
    ones: str


def matrix_text(node: Matrix) -> str:
    return _shown(node, TEXT)


def matrix_latex(node: Matrix, latex: Latex, slots: Mapping[Symbol, Slot]) -> str:
    """slots: what the symbols of a scaling factor stand for."""

    def scaled(scale: Expr, inner: str) -> str:
        return expression_latex(_times(scale, inner, inner), latex, slots)

    def applied(name: str, inner: str) -> str:
        return Printer(latex, slots).command(name) + bracketed(inner)

    style = Style(
        tensor=lambda name: latex.access(Access(name)),
        number=lambda value: expression_latex(value, latex, slots),
        scaled=scaled,
        raised=lambda text: f"{{{text}}}^{{\\top}}",
        bracket=bracketed,
        applied=applied,
        mask=lambda kind, a, b: rf"\left[{a} {SIGNS[kind]} {b}\right]",
        times=r"\,",
        dot=r" \odot ",
        ones=r"\mathbf{1}",
    )
    return _shown(node, style)


def _times(scale: Expr, text: str, latex: str = "") -> Expr:
    with distribute(False):
        return Mul(scale, Written(text, latex))


TEXT = Style(
    tensor=str,
    number=expression_text,
    scaled=lambda scale, inner: expression_text(_times(scale, inner)),
    raised=lambda text: f"{text}^T",
    bracket=lambda text: f"({text})",
    applied=lambda name, inner: f"{name}({inner})",
    mask=lambda kind, a, b: f"[{a} {TEXT_SIGNS[kind]} {b}]",
    times=" ",
    dot=" (.) ",
    ones="1",
)


def _shown(node: Matrix, style: Style) -> str:
    parts = [_shown(p, style) for p in node.parts]
    if node.kind == "tensor":
        return style.tensor(str(node.value))
    if node.kind == "ones":
        return style.ones
    if node.kind == "number":
        return style.number(node.value)
    if node.kind == "sum":
        return added(parts)
    if node.kind == "transpose":
        fraction = parts[0].startswith(r"\frac")
        return style.raised(_held(node.parts[0], parts[0], style, fraction))
    if node.kind in ("product", "hadamard"):
        held = [_held(p, t, style) for p, t in zip(node.parts, parts, strict=True)]
        return (style.times if node.kind == "product" else style.dot).join(held)
    if node.kind == "scaled":
        sign = node.value in (1, -1) and node.parts[0].kind != "sum"
        return style.scaled(node.value, parts[0] if sign else _held(node.parts[0], parts[0], style))
    if node.kind == "applied":
        return style.applied(getattr(node.value, "__name__", ""), parts[0])
    return style.mask(_kind(node.value), *parts)


def _kind(value: object) -> type:
    return next(kind for kind in TEXT_SIGNS if value is kind)


def _held(node: Matrix, text: str, style: Style, always: bool = False) -> str:
    return style.bracket(text) if always or node.kind in LOOSE else text
