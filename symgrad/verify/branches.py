"""Size-dependent paths: BRANCHES = ("B > 128",) in a module, and sizes that reach them."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from symgrad.algebra.program import Program
from symgrad.verify.instance import NoInstance

LISTED = re.compile(r'^BRANCHES = \(((?:"[^"\n]*"(?:, |,)?)*)\)', re.M)
BRANCH = re.compile(r"([A-Za-z]\w*) > (\d{1,9})")


@dataclass(frozen=True)
class Branch:
    """What a module does where a size is above a number, such as to work in blocks of so many."""

    text: str
    size: str = ""
    above: int = 0

    @property
    def reached_by(self) -> int:
        """A block and a remainder: 128 + 65, odd and no multiple of anything near."""
        return self.above + self.above // 2 + 1

    def at(self, program: Program) -> Program:
        """The program with the size that reaches the branch."""
        if self.size not in dict(program.sizes):
            raise NoInstance('expected a size of the spec and a number, as in "B > 128"')
        sizes = tuple((n, self.reached_by if n == self.size else v) for n, v in program.sizes)
        return replace(program, sizes=sizes)


def branches_in(source: str) -> tuple[Branch, ...]:
    """The branches that a module's text lists; one that cannot be read has no size."""
    found = LISTED.search(source)
    if found is None:
        line = re.search(r"^BRANCHES\b.*", source, re.M)
        return (Branch(line[0]),) if line and line[0] != "BRANCHES = ()" else ()
    texts = re.findall(r'"([^"\n]*)"', found[1])
    parts = [(text, BRANCH.fullmatch(text)) for text in texts]
    return tuple(Branch(t, m[1], int(m[2])) if m else Branch(t) for t, m in parts)
