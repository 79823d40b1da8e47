"""The words and signs of expressions, and how tightly they bind.

or < and < not < comparison < + - < * / // < unary - < **
"""

from __future__ import annotations

REDUCTIONS = ("sum", "mean", "logsumexp", "max", "min", "argmax", "argmin")
COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")
OR, AND, NOT, COMPARE, ADD, MULTIPLY, UNARY, POWER = range(1, 9)
LEVELS = {
    "or": OR,
    "and": AND,
    **dict.fromkeys(COMPARISONS, COMPARE),
    **dict.fromkeys(("+", "-"), ADD),
    **dict.fromkeys(("*", "/", "//"), MULTIPLY),
    "**": POWER,
    "^": POWER,
}
