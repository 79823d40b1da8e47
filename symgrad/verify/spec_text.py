"""SPEC read from a module's text by a bounded tokenizer: the file is not imported."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from pathlib import Path

from symgrad.errors import Place, SpecError

CAP = 8_000_000
LITERAL = re.compile(r"""^r?('''|\"""|'|")""")


def spec_text(path: Path) -> str:
    """The text of the top-level string constant SPEC."""
    try:
        with path.open("rb") as stream:
            raw = stream.read(CAP + 1)
    except OSError as error:
        raise SpecError(f"cannot be read: {error.strerror}", Place(str(path))) from None
    if len(raw) > CAP:
        raise SpecError(
            f"is larger than {CAP} bytes; expected a generated module", Place(str(path))
        )
    try:
        source = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise SpecError("is not UTF-8; expected a generated module", Place(str(path))) from None
    return _found(source, path)


def _found(source: str, path: Path) -> str:
    line = 0
    try:
        tokens = tokenize.generate_tokens(io.StringIO(source).readline)
        last: list[str] = []
        for token in tokens:
            line = token.start[0]
            if last == ["SPEC", "="]:
                return _decoded(token, next(tokens), path)
            starts = token.type == tokenize.NAME and token.start[1] == 0 and token.string == "SPEC"
            last = ["SPEC"] if starts else [*last, token.string] if last == ["SPEC"] else []
    except (tokenize.TokenError, IndentationError, SyntaxError, RecursionError):
        raise SpecError("cannot be read as Python", Place(str(path), line or None)) from None
    raise SpecError(
        "holds no SPEC; expected a generated module: make one with `symgrad generate`",
        Place(str(path)),
    )


def _decoded(token: tokenize.TokenInfo, after: tokenize.TokenInfo, path: Path) -> str:
    place = Place(str(path), *token.start)
    alone = after.type in (tokenize.NEWLINE, tokenize.COMMENT)
    if token.type != tokenize.STRING or not LITERAL.match(token.string) or not alone:
        raise SpecError(f"SPEC is {token.string[:20]!r}; expected one plain string", place)
    try:
        text = ast.literal_eval(token.string)  # of a single string token
    except (ValueError, SyntaxError):
        raise SpecError("SPEC is not a string that can be read", place) from None
    if not isinstance(text, str):
        raise SpecError("SPEC is not text; expected one plain string", place)
    return text
