"""The derivation: what it prints reads back, evaluates to the gradient, and parses as LaTeX."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from catalogue import EVERY, is_large
from catalogue import NAMES as NAMES_OF_MODULES
from catalogue import at as array_at
from emitted import inputs as module_inputs
from emitted import of_file, smaller
from gradient_cases import tiny
from hypothesis import HealthCheck, given, settings
from lessons import EVERYTHING
from markdown_it import MarkdownIt
from programs import assert_agree, emitted_gradient, fresh_values, run

from benchmarks.fuzzing.programs import programs
from benchmarks.fuzzing.writer import Case
from symgrad.algebra.derive import reverse
from symgrad.algebra.heads import split_heads
from symgrad.algebra.program import Program
from symgrad.errors import SpecError
from symgrad.explain.build import explain
from symgrad.explain.derivation import Derivation
from symgrad.explain.values import values_text
from symgrad.notation.canonical import program_toml
from symgrad.pipeline import derive
from symgrad.spec import Spec, parse_spec
from symgrad.verify.evaluate import evaluate

SPECS = [path for path in EVERY if not is_large(EVERY[path])]
VALUED = [path for path in SPECS if path.stem in NAMES_OF_MODULES]
"""A declared function has no values."""
AGREE = 1e-12

LAYERS = """
equations = '''
y[0,i] = x0[i]
y[l,i] = sigma(x[l,i]) for 1 <= l < N
x[l,i] += w[l,i,j]*y[l-1,j] for 1 <= l < N
loss = sum(i: y[N-1,i])
'''
[sizes]
N = "layers"
H = "width"
[params]
w = "real[N, H, H]"
[data]
x0 = "real[H]"
[functions]
sigma = 1
"""

TWO_LOSSES = """
equations = "v[b] = sum(i: w[i]*x[b,i])"
[sizes]
B = "batch"
[params]
w = "real[3]"
k = "real"
[data]
x = "real[B, 3]"
[losses.first]
wrt = ["w"]
equations = "loss = mean(b: v[b]**2)"
[losses.second]
equations = "loss = sum(b: k*stop(v[b]))"
"""


def inputs(program: Program) -> tuple[dict[str, object], dict[str, int]]:
    """Seeded values for every declared tensor; free sizes 3, 4, ..."""
    rng = np.random.default_rng(5)
    sizes = {n: v if v is not None else 3 + k for k, (n, v) in enumerate(program.sizes)}
    values: dict[str, object] = {}
    for tensor in program.tensors:
        if tensor.role == "computed":
            continue
        shape = tuple(n.evaluate(sizes) for n in tensor.shape)
        if tensor.kind == "real":
            drawn = rng.normal(0.0, 0.5, shape)
            values[tensor.name] = abs(drawn) + 0.1 if tensor.positive else drawn
        else:
            below = 2 if tensor.below is None else tensor.below.evaluate(sizes)
            values[tensor.name] = rng.integers(0, below, shape)
    return values, sizes


def assert_same_gradient(text: str, original: Program, names: tuple[str, ...]) -> None:
    """A printed program, read and evaluated, against the one that was differentiated."""
    read = parse_spec(text, "printed").shared
    values, sizes = inputs(original)
    wanted = evaluate(original, values, sizes, outputs=names).values
    found = evaluate(read, values, sizes, outputs=names).values
    assert names
    for name in names:
        np.testing.assert_allclose(found[name], wanted[name], rtol=AGREE, atol=AGREE)


def as_program(derivation: Derivation) -> str:
    """The lines that the steps print in the notation, with the declarations they need."""
    kinds = ("forward", "seed", "adjoint")
    lines = [line for f in derivation.formulas(*kinds) for line in f.notation]
    written = {line.removeprefix("pad(").split(" ")[0].split("[")[0] for line in lines}
    gradients = derivation.formulas("gradient")
    lines += [
        n
        for f in gradients
        for n in f.notation
        if n.split("[")[0] not in written and n.startswith("d") and " = 0" in n
    ]
    before, _, rest = program_toml(derivation.program).partition('equations = """\n')
    return before + 'equations = """\n' + "\n".join(lines) + '\n"""' + rest.partition('\n"""')[2]


def explained(text: str, **chosen: str) -> Derivation:
    return explain(parse_spec(text, "example"), **chosen)


@cache
def told(path: Path, loss: str = "") -> Derivation:
    """The derivation of a built-in spec's loss, the first one where none is named."""
    spec = EVERY[path]
    return explain(spec, loss or spec.losses[0].name)


every_spec = pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
every_valued = pytest.mark.parametrize("path", VALUED, ids=lambda path: path.stem)


def everything() -> Spec:
    return parse_spec(EVERYTHING.partition("[values]")[0], "everything")


def test_a_gradient_of_zero_has_one_set_of_letters() -> None:
    text = explain(everything(), wrt="unused").text(100)
    assert "dL/dunused[i] = 0   # the loss does not depend on it\n" in text
    assert "dunused[i] = 0 for i < H\n" in text


@every_valued
def test_the_steps_lines_read_back_and_evaluate_to_the_gradient(path: Path) -> None:
    for name, gradient in of_file(path).derived.items():
        derived = gradient.derived
        printed = as_program(told(path, name))
        assert_same_gradient(printed, derived.program, tuple(derived.result.values()))


@every_valued
def test_the_sums_with_their_deltas_read_back_and_evaluate_to_the_gradient(path: Path) -> None:
    for name, gradient in of_file(path).derived.items():
        derived = gradient.derived
        printed = told(path, name).notation()
        assert_same_gradient(printed, derived.program, tuple(derived.result.values()))


def with_final_lines(derivation: Derivation) -> str:
    """The steps' lines, and behind them each final equation twice: its notation, and as it stands."""
    lines = []
    steps = [s for s in derivation.steps if s.kind == "gradient"]
    for x, step in zip(derivation.wrt, steps, strict=True):
        formula = step.formulas[0]
        lines += [re.sub(r"^\w+", f"notation_{x}", line) for line in formula.notation]
        place = formula.left.text.removeprefix(f"d{derivation.book.symbol}/d{x}")
        shape = derivation.program.tensor_of[x].shape
        whole = dict(zip(re.findall(r"\w+", place), shape, strict=True))
        for term in formula.terms:  # over all of X, where it does not say less
            when = term.when.text.removeprefix("for ") if term.when else ""
            said = [when] if when else []
            said += [f"{i} < {n}" for i, n in whole.items() if not re.search(rf"\b{i} <", when)]
            ranges = f" for {', '.join(said)}" if said else ""
            lines.append(f"printed_{x}{place} += {term.text}{ranges}")
    before, _, rest = as_program(derivation).partition('\n"""')
    for x, adjoint in derivation.book.derived.result.items():  # where data choose the places
        shape = rf'^{adjoint}( = "real.*")$'
        rest = re.sub(shape, rf"\g<0>\nnotation_{x}\1", rest, flags=re.MULTILINE)
    return before + "\n" + "\n".join(lines) + '\n"""' + rest


@every_valued
def test_the_final_equations_read_back_to_what_the_module_returns(path: Path) -> None:
    found = of_file(path)
    at = module_inputs(found, seed=4, **{n: 3 for n, v in found.spec.sizes if v is None})
    params = {t.name: array_at(at.params, t.name) for t in found.spec.tensors if t.role == "param"}
    for name in found.functions():
        if not name.endswith("value_and_grad"):
            continue
        loss = found.loss(name)
        derivation = told(path, loss.name)
        read = parse_spec(with_final_lines(derivation), "printed").shared
        names = [f"{how}_{x}" for x in loss.wrt for how in ("notation", "printed")]
        known = {t.name for t in read.tensors if t.role != "computed"}
        values = {n: v for n, v in {**at.data, **params}.items() if n in known}
        came = evaluate(read, values, at.sizes, outputs=names).values
        _, grads = found.call(name, at)
        for x in loss.wrt:
            wanted = array_at(grads, x)
            for how in ("notation", "printed"):
                np.testing.assert_allclose(came[f"{how}_{x}"], wanted, rtol=AGREE, atol=AGREE)


@pytest.mark.parametrize("path", [p for p in EVERY if is_large(EVERY[p])], ids=lambda p: p.stem)
def test_so_do_those_of_a_large_spec_where_its_literal_sizes_are_smaller(path: Path) -> None:
    small = smaller(path)
    assert small is not None
    for loss in small.spec.losses:
        sizes = tiny(small.spec)
        values = fresh_values(loss.program, sizes)
        read = parse_spec(with_final_lines(explain(small.spec, loss.name)), "printed").shared
        names = [f"{how}_{x}" for x in loss.wrt for how in ("notation", "printed")]
        known = {t.name for t in read.tensors if t.role != "computed"} & values.keys()
        came = evaluate(read, {n: values[n] for n in known}, sizes, outputs=names).values
        _, grads = emitted_gradient(small.spec, loss, values, sizes)
        for name in names:
            wanted = grads[name.partition("_")[2]]
            np.testing.assert_allclose(came[name], wanted, rtol=AGREE, atol=AGREE)


@pytest.mark.parametrize("form", [as_program, Derivation.notation], ids=["steps", "sums"])
def test_gathers_pads_diagonals_and_shifts_read_back(form: object) -> None:
    derived = derive(everything().losses[0]).derived
    assert callable(form)
    printed = form(explain(everything()))
    assert_same_gradient(printed, derived.program, tuple(derived.result.values()))


def test_a_derivation_by_one_tensor_reads_back_for_every_real_tensor() -> None:
    spec = everything()
    program = split_heads(spec.losses[0].program)
    for tensor in [t for t in program.tensors if t.kind == "real"]:
        derived = reverse(program, "loss", (tensor.name,))
        printed = explain(spec, wrt=tensor.name).notation()
        assert_same_gradient(printed, derived.program, tuple(derived.result.values()))


LINES = (
    ("E", "dL/dE[v,i] = sum(b,s: de[b,s,i]*[v == tok[b,s]])"),
    ("G", "dL/dG[i,v] = dg[i]*S[i,0]*[v == i]"),
    ("S", "dL/dS[i,v] = dg[i]*G[i,i]*[v == 0]"),
    ("u", "dL/du[b,v] = sum(k,l: dz[b,l]*K[k]*[v == 3*k + 2*l - 2])"),
    ("q", "dL/dq[b,a] = derr[b]*[a == best[b]]"),
    ("unused", "dL/dunused[i] = 0"),
)


@pytest.mark.parametrize(("name", "line"), LINES, ids=[name for name, _ in LINES])
def test_deltas_are_printed_from_the_maps(name: str, line: str) -> None:
    (formula, *_) = explain(everything(), wrt=name).formulas("gradient")
    assert formula.text == line


TRICKY = (
    (
        "a recurrence through pad",
        "v[t,i] = tanh(pad(v[t-1,i])*k + w[t,i]) for t < T, i < H\nloss = mean(t,i: v[t,i]**2)",
    ),
    ("a scatter forwards", "v[t+i] += w[t,i]**2\nloss = sum(s: v[s]*k)"),
    (
        "a recurrence backwards",
        "v[T,i] = k for i < H\nv[t,i] = sin(v[t+1,i])*w[t,i]\nloss = sum(i: v[0,i]**2)",
    ),
    ("a read turned round", "v[t,i] = w[T-1-t,i]*w[t,i] for t < T\nloss = sum(t,i: k*v[t,i])"),
)


@pytest.mark.parametrize(("claim", "equations"), TRICKY, ids=[row[0] for row in TRICKY])
@pytest.mark.parametrize("form", [as_program, Derivation.notation], ids=["steps", "sums"])
def test_recurrences_and_scatters_read_back(form: object, claim: str, equations: str) -> None:
    text = f"equations = '''\n{equations}\n'''\n[sizes]\nT = 4\nH = 3\n[params]\nw = \"real[T, H]\"\nk = \"real\"\n"
    derived = derive(parse_spec(text, "tricky").losses[0]).derived
    assert callable(form), claim
    assert_same_gradient(form(explained(text)), derived.program, tuple(derived.result.values()))


@settings(max_examples=12, suppress_health_check=list(HealthCheck), print_blob=False)
@given(programs())
def test_random_programs_read_back(case: Case) -> None:
    spec = parse_spec(case.text, "drawn")
    for loss in spec.losses:
        derived = derive(loss).derived
        names = tuple(derived.result.values())
        values = fresh_values(derived.program, case.sizes)
        wanted = run(derived.program, values, case.sizes, *names)
        read = parse_spec(explain(spec, loss.name).notation(), "printed").shared
        found = run(read, values, case.sizes, *names)
        for name in names:
            assert_agree(name, found.values[name], wanted.values[name], wanted.magnitudes[name])


def test_conditions_on_what_is_summed_stand_under_the_sum_in_latex() -> None:
    (formula, *_) = explain(everything(), wrt="u").formulas("gradient")
    assert r"\sum_{k,l:\ 3k+2l-2 = v} " in formula.latex


def test_layers_numbered_by_a_symbol_give_the_textbook_recursion() -> None:
    text = explained(LAYERS).text(100)
    for line in (
        "dL/dx[l,i] = dy[l,i]*sigma'(x[l,i]) for 1 <= l < N",
        "dL/dy[l-1,j] += sum(i: dx[l,i]*w[l,i,j]) for 1 <= l < N",
        "dL/dy[l,i] = [l == N - 1]",
        "+ sum(j: dx[l+1,j]*w[l+1,j,i])   for l < N-1",
        "dL/dw[l,i,j] = dx[l,i]*y[l-1,j]   for 1 <= l < N",
        "dL/dy and dL/dx are computed from the last to the first",
    ):
        assert line in text


@pytest.mark.parametrize("form", [as_program, Derivation.notation], ids=["steps", "sums"])
@pytest.mark.parametrize(
    "text", [LAYERS, *(p.read_text(encoding="utf-8") for p in SPECS if p not in VALUED)]
)
def test_a_derivation_with_an_unknown_function_reads_back_to_the_same_equations(
    text: str, form: object
) -> None:
    derivation = explained(text)
    assert callable(form)
    read = parse_spec(form(derivation), "printed").shared
    kept = derivation.program if form is as_program else derivation.book.printed
    found = {(e.target, e.body, frozenset(e.box)) for e in read.equations}
    assert found == {(e.target, e.body, frozenset(e.box)) for e in kept.equations}


MATRICES = (
    ("digits_mlp", "W1", "dL/dW1 = dz1^T pixels"),
    ("digits_mlp", "c1", "dL/dc1 = dz1^T 1"),
    ("digits_mlp", "h1", "dL/dh1 = dlogits W2"),
    ("digits_mlp", "z1", "dL/dz1 = [0 < z1] (.) dh1"),
    ("softmax_policy", "W3", "dL/dW3 = dlogits^T h2"),
    ("softmax_policy", "z2", "dL/dz2 = dh2 (.) (1 - h2 (.) h2)"),
    ("softmax_policy", "logp", "dL/dlogp = -advantage/B"),
    ("softmax_policy", "logits", None),
    ("convolution", "W", None),
    ("convolution", "y", "dloss/dy = 2*(y - target)/B"),
    ("one_bias", "X", "dL/dX = dp (.) p (.) sigmoid(-X)"),
    ("gru", "Wr", None),
)


@pytest.mark.parametrize(("name", "wrt", "wanted"), MATRICES)
def test_the_matrix_form_follows_from_index_sets(name: str, wrt: str, wanted: str | None) -> None:
    spec = EVERY[next(path for path in SPECS if path.stem == name)]
    found = [f.text for f in explain(spec, wrt=wrt).formulas("gradient") if f.label]
    assert found == ([] if wanted is None else [wanted])


ONE_FORM = (
    ("dA[i,j] from sum(i,j: u[i]*A[i,j]*v[j])", "u[i]*A[i,j]*v[j]", "A", "dL/dA = u v^T"),
    ("a matrix times a column", "u[i]*A[i,j]*v[j]", "u", "dL/du = A v"),
    ("a transposed matrix times a column", "u[i]*A[i,j]*v[j]", "v", "dL/dv = A^T u"),
    ("entry by entry", "A[i,j]*C[j,i]", "A", "dL/dA = C^T"),
    ("rows added up", "A[i,j]*s[i]*C[j,i]", "s", "dL/ds = (A (.) C^T) 1"),
)


@pytest.mark.parametrize(("claim", "body", "wrt", "wanted"), ONE_FORM, ids=[r[0] for r in ONE_FORM])
def test_orientation_follows_from_the_order_of_indices(
    claim: str, body: str, wrt: str, wanted: str
) -> None:
    text = f"""
equations = "loss = sum(i,j: {body})"
[sizes]
M = 3
N = 4
[params]
A = "real[M, N]"
C = "real[N, M]"
u = "real[M]"
s = "real[M]"
v = "real[N]"
"""
    found = [f.text for f in explained(text, wrt=wrt).formulas("gradient") if f.label]
    assert found == [wanted], claim


def test_contributions_of_several_reads_are_added_up_in_a_step_of_their_own() -> None:
    spec = EVERY[next(path for path in SPECS if path.stem == "softmax_policy")]
    (step,) = [s for s in explain(spec).steps if s.kind == "sum"]
    assert step.formulas[0].text == (
        "dL/dlogits[b,a] = dlogp[b]*[a == action[b]] + dlse[b]*expdiff(logits[b,a], lse[b])"
    )


REMARKS = (
    "In loss, sum(b,l: z[b,l]**2)/B is the mean over b: the sum divided by B. Over l it is the plain sum.",
    "In loss, 0.5*sum(b,t: f[b,t]**2) is the sum over b, t, not divided by how many there are.",
    "loss_sum is the sum over a, i, not divided by how many there are.",
    "Held constant, data: ",
    "Held constant by stop: stop(goal[b]*q[b,0])",
    "abs'(0) = 0",
    "a tie of minimum takes the first argument's side",
    "argmax takes the lowest index where values are equal",
)


@pytest.mark.parametrize("remark", REMARKS)
def test_the_end_says_what_the_gradient_assumes(remark: str) -> None:
    end = explain(everything()).text(400).split("What the gradient assumes")[1]
    assert remark in end


def test_a_constant_factor_does_not_hide_a_mean() -> None:
    end = explain(everything()).text(400).split("What the gradient assumes")[1]
    assert "0.5*sum(b: err_arg_minimum[b])/B is the mean over b: the sum divided by B.\n" in end


SAME = """
equations = "loss = mean(b: x[b]*w) - 2*mean(b: y[b]*w)"
[sizes]
B = "batch"
[params]
w = "real"
[data]
x = "real[B]"
y = "real[B]"
"""


MEANS = (
    ("loss = mean(i,j: W[i,j]**2)", "the mean over i, j: the sum divided by N*N."),
    ("loss = mean(t: s[t+1]*s[t]) for t < T-1", "the mean over t: the sum divided by T-1."),
    (
        "loss = mean(i,j: W[i+1,j]*W[i,j+1]) for i < N-1, j < N-1",
        "the mean over i, j: the sum divided by (N-1)*(N-1).",
    ),
    ("loss = mean(k: v[k]**2)", "the mean over k: the sum divided by 3."),
    ("loss = sum(t: s[t]**2)", "the sum over t, not divided by how many there are."),
)


@pytest.mark.parametrize(("equations", "said"), MEANS)
def test_a_mean_over_any_range_is_called_one(equations: str, said: str) -> None:
    text = f"equations = '{equations}'\n[sizes]\nN = 4\nT = 6\n[params]\n"
    text += "W = 'real[N, N]'\ns = 'real[T]'\nv = 'real[3]'\n"
    assert f"- loss is {said}\n" in explained(text).text(200)


def test_what_holds_of_every_term_is_said_once() -> None:
    end = explained(SAME).text(200).split("What the gradient assumes")[1]
    assert end.count("the mean over b") == 1
    assert "- loss is the mean over b: the sum divided by B.\n" in end


@every_spec
def test_the_labels_of_formulas_stand_in_every_format(path: Path) -> None:
    derivation = told(path)
    text, pages = derivation.text(100), (derivation.latex(), derivation.markdown())
    for kind in ("local", "chain rule", "in matrices"):
        count = sum(f.label == kind for f in derivation.formulas())
        assert text.count(f"{kind}:") == count
        for page in pages:
            assert page.count(rf"\text{{({kind})}}") == count


def test_wrt_shows_only_the_path_to_that_tensor() -> None:
    derivation = explain(everything(), wrt="W")
    shown = {f.left.text.split("[")[0] for f in derivation.formulas("forward")}
    assert shown & {"e", "m", "g", "z", "f", "goal"} == set()
    assert {"q", "err", "loss"} <= shown
    text = derivation.text()
    assert "Held constant, values that lie off this path: " in text
    assert "dz[" not in text


def test_a_loss_is_chosen_by_its_name() -> None:
    assert explained(TWO_LOSSES, loss="second").wrt == ("w", "k")
    assert "stop(v[b])" in explained(TWO_LOSSES, loss="second").text()


REFUSED = (
    ({}, "has several losses; name one of: first, second"),
    ({"loss": "frst"}, 'has no loss "frst"; did you mean "first"?'),
    ({"loss": "first", "wrt": "vv"}, '"vv" is not a real tensor; did you mean "v"?'),
)


@pytest.mark.parametrize(("chosen", "message"), REFUSED)
def test_an_unknown_choice_is_refused(chosen: dict[str, str], message: str) -> None:
    with pytest.raises(SpecError) as found:
        explained(TWO_LOSSES, **chosen)
    assert message in str(found.value)


WIDTHS = (60, 100)


@pytest.mark.parametrize("width", WIDTHS)
@every_spec
def test_text_is_ascii_and_as_wide_as_asked_for(path: Path, width: int) -> None:
    assert_ascii_and_as_wide(told(path), width)


@pytest.mark.parametrize("width", WIDTHS)
def test_so_is_the_text_of_every_kind_of_equation(width: int) -> None:
    assert_ascii_and_as_wide(explain(everything()), width)


def assert_ascii_and_as_wide(derivation: Derivation, width: int) -> None:
    lines = derivation.text(width).splitlines()
    assert len(lines) > 20
    assert all(line.isascii() and line == line.rstrip() for line in lines)
    assert max(map(len, lines)) <= width


@every_spec
def test_steps_are_numbered_in_one_row(path: Path) -> None:
    derivation = told(path)
    assert [s.number for s in derivation.steps] == list(range(1, len(derivation.steps) + 1))


@cache
def derivations() -> tuple[Derivation, ...]:
    """In symbols and in numbers, with tables and without."""
    specs = {path.stem: EVERY[path] for path in SPECS}
    actor = specs["actor_weight"]
    return (
        *map(told, SPECS),
        explained(LAYERS),
        explain(everything()),
        explain(everything(), element="E[1,2]"),
        explain(actor, element="W1[0,2]", limit=True),
        explain(specs["gru"], at=values_text("seed = 0\nB = 2\nT = 3\n", specs["gru"])),
    )


def test_latex_parses_with_every_group_and_environment_closed() -> None:
    walker = pytest.importorskip("pylatexenc.latexwalker")
    for derivation in derivations():
        source = derivation.latex(document=True)
        nodes, _, _ = walker.LatexWalker(source, tolerant_parsing=False).get_latex_nodes()
        assert len(nodes) > 3
        assert source.count(r"\begin{") == source.count(r"\end{")
        for formula in derivation.formulas():
            walker.LatexWalker(f"${formula.latex}$", tolerant_parsing=False).get_latex_nodes()


PLUS = r"\mathrel{+}="
"""The one command that mathtext does not know."""
NAME = re.compile(r"\\mathrm\{[^{}]*\}")
WORD = re.compile(rf"{NAME.pattern}|(?<![\\A-Za-z])[A-Za-z]+|\d+")
"""What may be another name, letter or number, and the formula is one as much as before."""


def test_formulas_are_typeset_by_mathtext() -> None:
    mathtext = pytest.importorskip("matplotlib.mathtext")
    parser = mathtext.MathTextParser("path")
    texts = {formula.latex for d in derivations() for formula in d.formulas()}
    shown = sorted(t for t in texts if r"\begin" not in t and r"\text" not in t)
    names = {name for latex in shown for name in NAME.findall(latex)}
    forms = {WORD.sub("x", latex): latex for latex in shown}  # the others differ by words alone
    for latex in (*names, *forms.values()):
        parser.parse(f"${latex.replace(PLUS, '+=')}$")
    assert min(len(names), len(forms)) > 100


def test_markdown_renders_to_headings_steps_and_fences() -> None:
    for derivation in derivations():
        source = derivation.markdown()
        tokens = MarkdownIt().parse(source)
        headings = [t for t in tokens if t.type == "heading_open"]
        fences = [t for t in tokens if t.type == "fence"]
        assert len(headings) == 2 + len(derivation.sections)
        assert fences[-1].content == derivation.notation()
        figures = sum(len(s.figures) for s in derivation.sections)
        shown = sum(bool(s.formulas) for s in derivation.steps)
        assert source.count("\n$$\n") == 2 * (shown + figures)


def test_markdown_renders_every_table_with_its_rows() -> None:
    shown = 0
    for derivation in derivations():
        tables = [table for step in derivation.steps for table in step.tables]
        tokens = MarkdownIt("commonmark").enable("table").parse(derivation.markdown())
        opened = [t for t in tokens if t.type == "table_open"]
        rows = [t for t in tokens if t.type == "tr_open"]
        assert len(opened) == len(tables)
        assert len(rows) == sum(1 + len(table.rows) for table in tables)
        shown += len(tables)
    assert shown > 3


def test_numbers_stand_in_every_format() -> None:
    derivation = next(d for d in derivations() if d.name == "gru" and d.book.numbers)
    figures = sum(f.figure is not None for f in derivation.formulas())
    given = sum(len(s.figures) for s in derivation.sections)
    assert figures > 40
    assert derivation.latex().count("= ") >= figures + given
    for page in (derivation.latex(), derivation.markdown()):
        assert page.count(r"\begin{bmatrix}") >= figures


def test_a_users_words_are_escaped_in_every_format() -> None:
    derivation = explain(everything())
    assert r"100\% of \$x\$ \& more\_so \textless{}b\textgreater{}*." in derivation.latex()
    html = MarkdownIt().render(derivation.markdown().split("##")[0])
    assert "<p>100% of $x$ &amp; more_so &lt;b&gt;*.</p>" in html


NAMES = (
    ("W1", "W^{(1)}"),
    ("logits", r"\mathrm{logits}"),
    ("gamma", r"\gamma"),
    ("pi", r"\mathrm{pi}"),
    ("q_tm1", r"\mathrm{q\_tm1}"),
    ("x", "x"),
)


@pytest.mark.parametrize(("name", "wanted"), NAMES)
def test_names_in_latex_are_told_apart(name: str, wanted: str) -> None:
    text = f'equations = "loss = {name}**2"\n[params]\n{name} = "real"\n'
    (formula, *_) = explained(text).formulas("forward")
    assert formula.latex.startswith(
        rf"\mathcal{{L}} = {wanted if '^' not in wanted else f'({wanted})'}^{{2}}"
    )


@pytest.mark.parametrize(
    ("units", "named", "below"),
    [
        ("H", "net", False),
        ("H", "critic_of_the_second_player", True),
        ("2*H + 1234567890", "net", True),
    ],
)
def test_a_note_stands_behind_a_formula_in_latex_only_where_both_fit(
    units: str, named: str, below: bool
) -> None:
    text = f"""outputs = ["{named}"]
wrt = ["{named}"]
equations = "loss = sum(b,i: {named}[b,i])"
[sizes]
B = "batch"
H = 2
[data]
x = "real[B, 3]"
[networks.{named}]
input = "x"
layers = ["dense {units} tanh"]
"""
    latex = explained(text).latex()
    layer = next(
        line
        for line in latex.splitlines()
        if f"{named}, layer 1: dense".replace("_", r"\_") in line
    )
    assert layer.startswith(r"&\quad\text{") == below


def test_a_function_called_sigma_is_not_taken_for_the_sigmoid() -> None:
    text = 'equations = "loss = sigmoid(sigma(w))"\n[params]\nw = "real"\n[functions]\nsigma = 1\n'
    latex = explained(text).latex()
    assert r"\operatorname{sigmoid}" in latex
    assert r"\sigma'(w)" in latex


def test_notebooks_get_markdown_and_latex() -> None:
    walker = pytest.importorskip("pylatexenc.latexwalker")
    for derivation in derivations():
        assert derivation._repr_markdown_() == derivation.markdown()
        shown = derivation._repr_latex_()
        nodes, _, _ = walker.LatexWalker(shown, tolerant_parsing=False).get_latex_nodes()
        assert [type(node).__name__ for node in nodes] == ["LatexMathNode"]
        gradients = derivation.formulas("gradient")
        assert gradients
        assert [f.text for f in gradients if f"{f.left.latex} &" not in shown] == []


def test_the_same_spec_gives_the_same_bytes() -> None:
    for form in (Derivation.text, Derivation.markdown, Derivation.latex):
        assert form(explain(everything())) == form(explain(everything()))
