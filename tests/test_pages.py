"""Every page: its links lead somewhere, its formulas parse, its tables are whole."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token
from pylatexenc.latexwalker import LatexWalker, LatexWalkerParseError

ROOT = Path(__file__).resolve().parents[1]
PAGES = (*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md")))
MARKDOWN = MarkdownIt("commonmark").enable("table")


def tokens(page: str) -> Iterator[Token]:
    """What the page is made of, the pieces of a line too."""
    for token in MARKDOWN.parse(page):
        yield token
        yield from token.children or ()


def anchor(title: str) -> str:
    """What GitHub calls a heading in an address."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def broken(page: str, folder: Path) -> list[str]:
    """The addresses in a page of the project that lead nowhere."""
    found = [str(t.attrs.get("href") or t.attrs.get("src") or "") for t in tokens(page)]
    lost = []
    for address in filter(None, found):
        if address.startswith("https://"):
            continue
        path, _, place = address.partition("#")
        target = (folder / path) if path else None
        text = (
            page
            if target is None
            else target.read_text("utf-8", "replace")
            if target.is_file()
            else ""
        )
        titles = re.findall(r"^#+ (.+)$", text, re.M)
        if not text or (place and place not in map(anchor, titles)):
            lost.append(address)
    return lost


def unparsed(page: str) -> list[str]:
    """The formulas in a page that are no LaTeX, and those without their backquotes.

    $`x`$ is a formula; in $x\\,y$ Markdown takes the backslash for its own.
    """
    pieces = [(t.type, t.content) for t in tokens(page) if t.type in ("text", "code_inline")]
    text = "".join(f"`{said}`" if kind == "code_inline" else said for kind, said in pieces)
    wrong = [formula for formula in re.findall(r"\$`([^`]*)`\$", text) if not parses(formula)]
    return wrong + re.findall(r"\$[^$]+\$", re.sub(r"\$?`[^`]*`\$?", "", text))


def parses(formula: str) -> bool:
    try:
        LatexWalker(formula, tolerant_parsing=False).get_latex_nodes()
    except LatexWalkerParseError:
        return False
    return True


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_link_and_picture_of_a_page_is_there(path: Path) -> None:
    assert broken(path.read_text(encoding="utf-8"), path.parent) == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_formula_of_a_page_is_latex(path: Path) -> None:
    assert unparsed(path.read_text(encoding="utf-8")) == []


def test_there_are_pages_with_links_and_formulas() -> None:
    texts = [path.read_text(encoding="utf-8") for path in PAGES]
    assert len(texts) >= 6
    assert sum("](" in text for text in texts) >= 4
    assert any("$`\\frac" in text for text in texts)


PLANTED = [
    # a page                          what is wrong with it
    ("[a](nowhere.md)",               "nowhere.md"),
    ("![a](docs/nothing.png)",        "docs/nothing.png"),
    ("[a](README.md#no-such-title)",  "README.md#no-such-title"),
    ("# One\n[a](#two)",              "#two"),
]  # fmt: skip


@pytest.mark.parametrize(("page", "address"), PLANTED, ids=lambda text: text[:20])
def test_a_planted_link_is_found_broken(page: str, address: str) -> None:
    assert broken(page, ROOT) == [address]


def test_a_planted_formula_is_found_wrong() -> None:
    assert unparsed("so $`\\frac{1}{2`$ and $`x`$, `{` and $y$") == ["\\frac{1}{2", "$y$"]
