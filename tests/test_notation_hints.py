"""What is said to those who write as elsewhere is itself in the notation."""

from __future__ import annotations

import re

import pytest

from symgrad.algebra.scalars import FUNCTIONS
from symgrad.expand.expander import CALLS
from symgrad.notation import hints
from symgrad.notation.operators import REDUCTIONS
from symgrad.notation.parser import parse, parse_expression
from symgrad.notation.symbols import FORMS
from symgrad.notation.syntax import Call, Source, nodes

TABLES = {
    name: table for name, table in vars(hints).items() if name.isupper() and isinstance(table, dict)
}
ROWS = [(name, words, text) for name, table in TABLES.items() for words, text in table.items()]
EXAMPLES = [(words, e) for _, words, text in ROWS for e in re.findall(r"`([^`]*)`", text)]


def test_there_are_tables_rows_and_examples() -> None:
    assert {"CALLS", "NAMES", "WORDS", "SIGNS", "GLYPHS"} <= set(TABLES)
    assert len(ROWS) > 100
    assert len(EXAMPLES) > 70


@pytest.mark.parametrize(("words", "example"), EXAMPLES, ids=[e for _, e in EXAMPLES])
def test_an_example_parses_with_functions_that_there_are(words: str, example: str) -> None:
    equation = re.match(r"[a-z]+(\[[^=]*\])? \+?= ", example)
    source = Source(example)
    tree = parse(source)[0].right if equation else parse_expression(source)
    called = {node.name for node in nodes(tree) if isinstance(node, Call)}
    assert called - {*FUNCTIONS, *FORMS, *CALLS} == set(), words


def test_no_hint_is_given_for_a_function_that_there_is() -> None:
    words = {word for key in hints.CALLS for word in key.split()}
    assert words & {*FUNCTIONS, *REDUCTIONS, *FORMS, *CALLS} == set()


@pytest.mark.parametrize("name", sorted(TABLES))
def test_no_word_of_a_table_stands_in_it_twice(name: str) -> None:
    words = [word for key in TABLES[name] for word in key.split()]
    assert sorted(set(words)) == sorted(words)


def test_every_hint_is_one_short_ascii_line() -> None:
    texts = [text for _, _, text in ROWS]
    assert [t for t in texts if not t.isascii() or "\n" in t or len(t) >= 100] == []
