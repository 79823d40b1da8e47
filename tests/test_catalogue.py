"""The catalogue: what each row says of itself, `symgrad list`, and docs/catalogue.md."""

from __future__ import annotations

import json
import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from markdown_it import MarkdownIt
from terminal import ESCAPE, in_a_terminal

from symgrad import catalogue_page, listing
from symgrad.catalog.distributions import FORMULAS
from symgrad.catalog.formula import NamedLoss
from symgrad.cli import KINDS, main
from symgrad.listing import Entry
from symgrad.notation.hints import SOUGHT

PAGE = Path(__file__).resolve().parents[1] / "docs" / "catalogue.md"
MEND = "symgrad list --page docs/catalogue.md"
EVERY = pytest.mark.parametrize("kind", KINDS)


def symgrad(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments])


@cache
def entries(kind: str) -> tuple[Entry, ...]:
    return tuple(listing.KINDS[kind].entries())


# ---- the rows ----------------------------------------------------------------------------------


@EVERY
def test_every_row_says_what_it_computes_and_where_it_comes_from(kind: str) -> None:
    assert len(entries(kind)) >= 8
    assert [e.name for e in entries(kind) if not (e.about and e.source)] == []
    assert [e.name for e in entries(kind) if not f"{e.about}{e.source}".isascii()] == []
    assert [e.name for e in entries(kind) if "\n" in e.about] == []


STANDARD = {"std_q", "var_q"}
"""What a formula calls exp(log_std_q) and its square."""


@pytest.mark.parametrize("row", FORMULAS.values(), ids=lambda row: row.name)
def test_a_formula_names_nothing_that_its_row_lacks(row: NamedLoss) -> None:
    """A name that was changed in the equations is changed in the formula too."""
    own = {*catalogue_page.names(row.arguments)}
    own |= {*catalogue_page.names(option.name for option in row.options)}
    own |= {line.partition("[")[0] for line in catalogue_page.equations(row)}
    words = {re.sub(r"_[ij]$", "", word) for word in re.findall(r"[A-Za-z]\w*", row.formula)}
    assert {word for word in words if "_" in word} - own <= STANDARD
    assert own & words


@pytest.mark.parametrize("row", FORMULAS.values(), ids=lambda row: row.name)
def test_what_is_said_to_be_held_stands_in_a_stop(row: NamedLoss) -> None:
    """Of the arguments that `held` names; a target, a weight or a reference is what they make."""
    held = catalogue_page.held(row)
    assert bool(held) != row.held.startswith("nothing")
    named = {
        name for name in catalogue_page.names(row.arguments) if re.search(rf"\b{name}\b", row.held)
    }
    if held:
        assert named <= {*held}


# ---- the command -------------------------------------------------------------------------------


def test_the_kinds_are_those_of_the_command() -> None:
    assert tuple(listing.KINDS) == KINDS


@EVERY
def test_in_a_pipe_each_row_is_a_line(kind: str) -> None:
    shown = symgrad("list", kind)
    assert shown.exit_code == 0
    first = shown.stdout.split("\n\n")[0].splitlines()
    assert first[0].split()[0] == "NAME"
    assert [line.split()[0] for line in first[1:]] == [e.name for e in entries(kind)]
    assert all(
        e.about in line and line.endswith(f"[{e.source}]")
        for e, line in zip(entries(kind), first[1:], strict=True)
    )


def test_without_a_kind_it_is_the_specs() -> None:
    assert symgrad("list").stdout == symgrad("list", "specs").stdout


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_on_a_terminal_it_is_as_wide_as_that_and_loses_no_word(width: int) -> None:
    for kind in KINDS[:-1]:
        text = listing.listing(kind, width)
        assert [line for line in text.splitlines() if len(line) > width] == []
        wanted = Counter(word for e in entries(kind) for cell in e.row for word in cell.split())
        assert wanted - Counter(text.split()) == Counter()
        assert all(re.search(rf"^{e.name}\b", text, re.M) for e in entries(kind))


@EVERY
def test_as_json_it_is_the_same_rows(kind: str) -> None:
    rows = json.loads(symgrad("list", kind, "--json").stdout)
    assert [row["name"] for row in rows] == [e.name for e in entries(kind)]
    assert all(row["source"] for row in rows)


def test_json_holds_what_a_call_takes() -> None:
    rows = {row["name"]: row for row in json.loads(symgrad("list", "losses", "--json").stdout)}
    assert rows["huber"]["arguments"] == ["q[b]", "y[b]"]
    assert rows["huber"]["options"] == {"delta": "1"}
    assert rows["q_learning"]["held"].startswith("the target")
    specs = {row["name"]: row for row in json.loads(symgrad("list", "--json").stdout)}
    assert specs["softmax_policy"]["parameters"] == 4610
    assert specs["softmax_policy"]["sizes"] == {"B": None, "H": 64}


def test_a_terminal_that_lists_specs_is_told_of_the_other_kinds() -> None:
    code, shown = in_a_terminal("list", COLUMNS="80")
    assert code == 0
    assert ESCAPE.sub("", shown).splitlines()[-1] == f"also: symgrad list {'|'.join(KINDS[:-1])}"


BAD = (
    ("a misspelt kind", ["list", "loses"], 'did you mean "losses"?'),
    ("a kind that is none", ["list", "optimizers"], "'optimizers' is not one of"),
    ("a page of one kind", ["list", "losses", "--page", "x.md"], "--page writes all kinds"),
    ("a check of no page", ["list", "--check"], "--check compares a page"),
)  # fmt: skip


@pytest.mark.parametrize(("arguments", "said"), [b[1:] for b in BAD], ids=[b[0] for b in BAD])
def test_a_wrong_listing_is_refused_in_a_line(arguments: list[str], said: str) -> None:
    result = symgrad(*arguments)
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert said in line


SEEKS = (
    "td_lambda", "n_step_td", "q_lambda", "behaviour_cloning", "trpo", "ppo", "dqn", "mse_loss", "gae", "sac", "td3",
    "awr", "iql", "label_smoothing", "policy_gradient", "dueling", "a3c", "bc", "entropy_loss",
)  # fmt: skip


@pytest.mark.parametrize("word", SEEKS)
def test_who_seeks_an_algorithm_by_its_name_finds_what_to_write(word: str) -> None:
    (hint,) = (said for words, said in SOUGHT.items() if word in words.split())
    (line,) = (
        x
        for x in symgrad("list", "losses").stdout.splitlines()
        if word in x.split("  ")[0].split(", ")
    )
    assert line.endswith(hint)


# ---- the page ----------------------------------------------------------------------------------


def test_the_page_is_what_the_rows_make() -> None:
    assert PAGE.read_text(encoding="utf-8") == catalogue_page.page(), f"to mend it: {MEND}"


def test_a_stale_page_is_told_and_mended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("symgrad.catalogue_page.page", lambda: "new\n")
    path = tmp_path / "page.md"
    for held in (None, "old\n"):
        if held is not None:
            path.write_text(held, encoding="utf-8")
        told = symgrad("list", "--page", path, "--check")
        assert (told.exit_code, told.stdout) == (
            1,
            f"stale: {path}; to mend it: symgrad list --page {path}\n",
        )
    assert symgrad("list", "--page", path).exit_code == 0
    assert path.read_text(encoding="utf-8") == "new\n"
    assert symgrad("list", "--page", path, "--check").exit_code == 0


def test_the_page_has_a_section_or_a_line_for_each_row_and_no_broken_link() -> None:
    text = PAGE.read_text(encoding="utf-8")
    headings = re.findall(r"^#+ (.*)$", text, re.M)
    for kind in ("losses", "distributions"):
        assert {e.name for e in entries(kind)} <= {*headings}
    for kind in ("layers", "activations", "specs"):
        for e in entries(kind):
            assert re.search(rf"^\| `{e.name}[ (`]", text, re.M), e.name
    slugs = {heading.lower().replace(" ", "-") for heading in headings}
    links = set(re.findall(r"\]\(#([^)]*)\)", text))
    assert len(links) >= len(entries("losses"))
    assert links <= slugs
    notation = (PAGE.parent / "notation.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\]\(catalogue\.md#([^)]*)\)", notation)) <= slugs


def test_the_tables_of_the_page_have_a_cell_for_each_title() -> None:
    tables = re.findall(r"(?:^\|.*\n)+", PAGE.read_text(encoding="utf-8"), re.M)
    assert len(tables) == 6
    for table in tables:
        bars = {len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}
        assert len(bars) == 1, table.splitlines()[0]
    assert (
        MarkdownIt().enable("table").render(PAGE.read_text(encoding="utf-8")).count("<table>") == 6
    )
