"""Each stage imports only earlier ones, and nothing hands text to an evaluator."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import symgrad.errors

PACKAGE = Path(symgrad.errors.__file__).parent

# A stage may import itself and what stands before it; two stages of one number may share.
# "" is symgrad/__init__.py.
RANK = {
    "errors": 0, "returns": 0, "statistics": 0, "version": 0, "algebra": 1, "notation": 2, "catalog": 3, "expand": 3, "spec": 3, "plan": 4,
    "emit": 5, "verify": 6, "products": 6, "pipeline": 7, "explain": 8, "api": 9, "generated_tree": 9, "listing": 9, "starting": 9, "stated": 9, "catalogue_page": 10, "usage": 9, "": 9, "several": 10, "terminal": 10, "tour": 10, "cli": 11, "__main__": 12,
}  # fmt: skip

LAZY = ("symgrad", "symgrad.cli")
"""The modules that may import inside functions, to start fast."""

HOMES = {
    "sympy": ("symgrad",),
    "numpy": ("symgrad",),
    "mpmath": ("symgrad",),
    "jinja2": ("symgrad.emit",),
    "click": ("symgrad.cli", "symgrad.usage", "symgrad.terminal"),
    "rich": ("symgrad.cli", "symgrad.terminal", "symgrad.tour", "symgrad.verify.report"),
    "torch": ("symgrad.verify.with_torch",),
    "jax": ("symgrad.verify.with_jax",),
    "matplotlib": ("symgrad.verify.plot",),
}
"""Each third-party package and where it may be imported; one that is not here, nowhere."""

TYPES = {f"symgrad.algebra.{name}" for name in ("sizes", "access", "program", "scalars")}
VERIFY_SEES = {"symgrad.errors", *TYPES}
PARENT = "symgrad.algebra"
CHECK = ("symgrad.verify.check", "symgrad.verify.small")
CHECK_SEES = ("symgrad.notation", "symgrad.spec")
READING = ("symgrad.catalog", "symgrad.expand", "symgrad.algebra.order", "symgrad.algebra.live")
"""What comes along when a spec is read: nothing that makes a gradient or a module of it."""

EVALUATOR = "symgrad.verify.evaluate"
NODES = {
    "And",
    "Equal",
    "Less",
    "LessEqual",
    "Not",
    "Or",
    "Predicate",
    "Scalar",
    "Select",
    "Stop",
    "Unknown",
}
"""What the evaluator may take from the table of functions: the kinds of nodes, and no row."""
OF_A_ROW = {"ROWS", "FUNCTIONS", "row", "definition", "derivatives", "partial", "fdiff", "diff"}

EVALUATORS = {"eval", "exec", "compile", "sympify", "parse_expr", "lambdify"}
IMPORTERS = {"__import__", "import_module"}
"""Names that hide an import from this test; only the lazy modules may use them."""


@dataclass(frozen=True)
class Import:
    """`module` imports `target`; lazily where it does so inside a function."""

    module: str
    target: str
    lazy: bool
    line: int


def sources_of(package: Path) -> dict[str, str]:
    """The text of every module, by its dotted name."""
    found = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        found[".".join(parts).removesuffix(".__init__")] = path.read_text(encoding="utf-8")
    return found


def within(module: str, prefixes: tuple[str, ...]) -> bool:
    return any(module == prefix or module.startswith(f"{prefix}.") for prefix in prefixes)


def stage_of(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


def targets(node: ast.stmt, modules: Mapping[str, str]) -> Iterator[str]:
    """The modules that one statement imports; `from a import b` is a.b where that is a module."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = "." * node.level + (node.module or "")
        for alias in node.names:
            yield f"{base}.{alias.name}" if f"{base}.{alias.name}" in modules else base


def imports_of(module: str, modules: Mapping[str, str]) -> Iterator[Import]:
    def walk(node: ast.AST, lazy: bool) -> Iterator[Import]:
        inside = lazy or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        if isinstance(node, ast.stmt):
            for target in dict.fromkeys(targets(node, modules)):
                yield Import(module, target, lazy, node.lineno)
        for child in ast.iter_child_nodes(node):
            yield from walk(child, inside)

    yield from walk(ast.parse(modules[module]), False)


def fault(found: Import) -> str | None:
    """What is wrong with one import, or None."""
    module, target = found.module, found.target
    if found.lazy and module not in LAZY:
        return "imports inside a function; only symgrad/__init__.py and cli.py may"
    if target.startswith("."):
        return "imports relatively; imports are absolute"
    top = target.split(".")[0]
    if top != "symgrad":
        if top in sys.stdlib_module_names or within(module, HOMES.get(top, ())):
            return None
        home = ", ".join(HOMES.get(top, ())) or "no module"
        return f"imports {top}, which has its place in {home}"
    if stage_of(target) not in RANK:
        return f"imports {target}, whose stage has no rank"
    if RANK[stage_of(target)] > RANK[stage_of(module)]:
        return f"imports {target}, a later stage"
    sees = target in VERIFY_SEES or (module in CHECK and within(target, CHECK_SEES))
    if stage_of(module) == "verify" != stage_of(target) and not sees:
        return f"imports {target}; what verifies shares no code with what it verifies"
    return None


def evaluators_in(module: str, modules: Mapping[str, str]) -> Iterator[str]:
    """Each use of a name that runs text as code, or imports by it; `re.compile` is another name."""
    refused = EVALUATORS if module in LAZY else EVALUATORS | IMPORTERS
    for node in ast.walk(ast.parse(modules[module])):
        names: list[str] = []
        if isinstance(node, ast.Name):
            names = [node.id]
        elif isinstance(node, ast.Attribute) and node.attr != "compile":
            names = [node.attr]
        elif isinstance(node, ast.ImportFrom):
            names = [alias.name for alias in node.names]
        yield from (f"{module}: uses {name}" for name in names if name in refused)


def reached_from(module: str, graph: Mapping[str, set[str]]) -> set[str]:
    """Every module that comes along when `module` is imported; `a.b.c` brings a package `a.b`."""
    seen, todo = {module}, [module]
    while todo:
        at = todo.pop()
        new = ({at.rpartition(".")[0]} | graph.get(at, set())) - seen - {"", "symgrad"}
        seen |= new
        todo += sorted(new)
    return seen


def shared_with_the_evaluator(module: str, modules: Mapping[str, str]) -> Iterator[str]:
    """Each use of a definition, a derivative or a stable form in a module of the evaluator."""
    for node in ast.walk(ast.parse(modules[module])):
        if isinstance(node, ast.ImportFrom) and node.module == "symgrad.algebra.scalars":
            for name in sorted({alias.name for alias in node.names} - NODES):
                yield f"{module}: takes {name} from the table of functions; it has its own"
        elif isinstance(node, ast.Attribute) and node.attr in OF_A_ROW:
            yield f"{module}: uses .{node.attr} of the table of functions; it has its own"


def violations(modules: Mapping[str, str]) -> list[str]:
    """One line for each rule broken; none where the order holds."""
    imports = [found for module in modules for found in imports_of(module, modules)]
    lines = [f"{m}: has no rank" for m in modules if stage_of(m) not in RANK]
    known = [found for found in imports if stage_of(found.module) in RANK]
    lines += [f"{found.module}:{found.line}: {why}" for found in known if (why := fault(found))]
    graph = {module: set[str]() for module in modules}
    for found in imports:
        if found.target in modules and not found.lazy:
            graph[found.module].add(found.target)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        lines.append(f"imports in a circle: {' -> '.join(error.args[1])}")
    for module in modules:
        if stage_of(module) == "verify":
            strangers = {m for m in reached_from(module, graph) if stage_of(m) != "verify"}
            if module in CHECK:
                strangers -= {m for m in strangers if within(m, (*CHECK_SEES, *READING))}
            lines += [f"{module}: reaches {m}" for m in sorted(strangers - VERIFY_SEES - {PARENT})]
        lines += evaluators_in(module, modules)
    for module in sorted(reached_from(EVALUATOR, graph)):
        if stage_of(module) == "verify" and module in modules:
            lines += shared_with_the_evaluator(module, modules)
    return lines


def test_every_module_keeps_the_order_of_the_stages() -> None:
    modules = sources_of(PACKAGE)
    assert {"symgrad.errors", *TYPES} <= modules.keys()
    assert sum(1 for module in modules for _ in imports_of(module, modules)) > 10
    assert violations(modules) == []


PLANTED = [
    # module,                   source,                                                    what is said
    ("symgrad.algebra.bad",     "from symgrad.plan.steps import Step",                     "imports symgrad.plan.steps, a later stage"),
    ("symgrad.algebra.bad",     "import symgrad.cli",                                      "imports symgrad.cli, a later stage"),
    ("symgrad.algebra.bad",     "from symgrad import errors, load",                        "imports symgrad, a later stage"),
    ("symgrad.errors",          "if True:\n    import symgrad.algebra.sizes",              "imports symgrad.algebra.sizes, a later stage"),
    ("symgrad.plan.bad",        "def f():\n    from symgrad.algebra import sizes",         "imports inside a function"),
    ("symgrad.plan.bad",        "class A:\n    async def f(self):\n        import os",     "imports inside a function"),
    ("symgrad.plan.bad",        "from .steps import Step",                                 "imports relatively"),
    ("symgrad.plan.bad",        "import torch",                                            "imports torch, which has its place in symgrad.verify.with_torch"),
    ("symgrad.plan.bad",        "import scipy",                                            "imports scipy, which has its place in no module"),
    ("symgrad.plan.bad",        "from rich.table import Table",                            "imports rich, which has its place in symgrad.cli"),
    ("symgrad.pipeline",        "import click",                                            "imports click, which has its place in symgrad.cli"),
    ("symgrad.cli",             "def f():\n    import jinja2",                             "imports jinja2, which has its place in symgrad.emit"),
    ("symgrad.newstage",        "import os",                                               "has no rank"),
    ("symgrad.plan.bad",        "import symgrad.newstage",                                 "whose stage has no rank"),
    ("symgrad.verify.evaluate", "from symgrad.algebra.derive import reverse",              "shares no code with what it verifies"),
    ("symgrad.verify.evaluate", "from symgrad.algebra import simplify",                    "shares no code with what it verifies"),
    ("symgrad.verify.evaluate", "import symgrad.plan.lower",                               "shares no code with what it verifies"),
    ("symgrad.verify.evaluate", "from symgrad.emit.numpy import render",                   "shares no code with what it verifies"),
    ("symgrad.verify.evaluate", "from symgrad.notation.parse import parse",                "shares no code with what it verifies"),
    ("symgrad.verify.check",    "from symgrad.algebra.derive import reverse",              "shares no code with what it verifies"),
    ("symgrad.algebra.sizes",   "import symgrad.algebra.program",                          "imports in a circle"),
    ("symgrad.algebra.program", "from symgrad.algebra import simplify",                    "symgrad.verify.evaluate: reaches symgrad.algebra.simplify"),
    ("symgrad.algebra",         "from symgrad.algebra.derive import reverse",              "symgrad.verify.evaluate: reaches symgrad.algebra.derive"),
    ("symgrad.verify.evaluate", "from symgrad.algebra.stabilise import stabilise",         "shares no code with what it verifies"),
    ("symgrad.verify.evaluate", "from symgrad.algebra.scalars import FUNCTIONS",           "takes FUNCTIONS from the table of functions"),
    ("symgrad.verify.evaluate", "from symgrad.algebra.scalars import And, ROWS, absorb",   "takes ROWS from the table of functions"),
    ("symgrad.verify.evaluate", "def f(node):\n    return node.row.definition",            "uses .definition of the table of functions"),
    ("symgrad.verify.evaluate", "import symgrad.algebra.scalars\nx = symgrad.algebra.scalars.ROWS", "uses .ROWS of the table of functions"),
    ("symgrad.verify.evaluate", "def f(node, x):\n    return node.diff(x)",                "uses .diff of the table of functions"),
    ("symgrad.notation.parse",  "from symgrad.algebra.derive import reverse",              "symgrad.verify.check: reaches symgrad.algebra.derive"),
    ("symgrad.notation.parse",  "from symgrad.algebra import simplify",                    "symgrad.verify.check: reaches symgrad.algebra.simplify"),
    ("symgrad.notation.bad",    "import sympy\nx = sympy.sympify('1')",                    "uses sympify"),
    ("symgrad.notation.bad",    "from sympy import parse_expr",                            "uses parse_expr"),
    ("symgrad.notation.bad",    "x = eval('1')",                                           "uses eval"),
    ("symgrad.notation.bad",    "x = __import__('os')",                                    "uses __import__"),
    ("symgrad.plan.bad",        "import importlib\nimportlib.import_module('torch')",      "uses import_module"),
]  # fmt: skip

STAND_INS = {
    "symgrad": "",
    "symgrad.algebra.derive": "",
    "symgrad.algebra.simplify": "",
    "symgrad.verify.evaluate": "from symgrad.algebra.program import Program",
    "symgrad.verify.check": "from symgrad.notation.parse import parse\nfrom symgrad.verify import evaluate",
    "symgrad.notation.parse": "import re\nx = re.compile('a')",
    "symgrad.cli": "import click\ndef main():\n    from symgrad import pipeline",
    "symgrad.pipeline": "",
}
"""Modules with nothing wrong in them, so that each planted line is all there is to see."""


def small_package() -> dict[str, str]:
    kept = {"symgrad.errors", "symgrad.algebra", *TYPES}
    return {**{m: text for m, text in sources_of(PACKAGE).items() if m in kept}, **STAND_INS}


def test_modules_with_nothing_wrong_in_them_are_let_through() -> None:
    assert violations(small_package()) == []


@pytest.mark.parametrize(("module", "source", "said"), PLANTED, ids=lambda text: text[:60])
def test_a_planted_violation_is_refused(module: str, source: str, said: str) -> None:
    lines = violations({**small_package(), module: source})
    assert any(said in line for line in lines), lines


def test_a_process_that_evaluates_has_loaded_nothing_of_what_is_verified() -> None:
    """Not by another way either: these are the modules of symgrad that importing leaves."""
    code = f"import sys, {EVALUATOR}\nprint(*(m for m in sys.modules if m.startswith('symgrad')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {*done.stdout.split()} - {"symgrad", "symgrad.version", PARENT}
    assert EVALUATOR in loaded
    strangers = {m for m in loaded if stage_of(m) != "verify"}
    assert strangers <= VERIFY_SEES


def test_contributing_lists_every_stage_in_the_order_of_imports() -> None:
    page = (PACKAGE.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")
    table = page.partition("| stage | what it holds |\n")[2].partition("\n\n")[0]
    cells = [line.split("|")[1] for line in table.splitlines()[1:]]
    listed = [name for cell in cells for name in re.findall(r"`(\w+)`", cell)]
    unnamed = {"", "__main__", "version"}
    assert sorted(listed) == sorted({stage_of(m) for m in sources_of(PACKAGE)} - unnamed)
    ranks = [RANK[name] for name in listed if name != "usage"]  # it stands beside cli, its user
    assert ranks == sorted(ranks)
