"""The TOML text of what a writer holds."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from benchmarks.fuzzing.writer import Writer

FREE = {"B": (3, 1, 2), "T": (5, 6)}  # sizes without a default, and what they are run at
NAMED = {"H": (4, 3), "K": (2, 3)}  # the first is the default


def document(
    w: Writer,
    losses: Mapping[str, str] | None = None,
    wrt: Sequence[str] = (),
    outputs: Sequence[str] = (),
    aux: Sequence[str] = (),
) -> str:
    """The spec. losses: the equations of each; one without a name stands with the others."""
    given = dict(losses or {})
    keys = {"outputs": outputs, "aux": aux, "wrt": wrt}
    lines = [f"{key} = {_names(names)}" for key, names in keys.items() if names or key == "wrt"]
    equations = "\n".join([*w.lines, *([given.pop("")] if "" in given else [])])
    lines.append(f'equations = """\n{equations}\n"""')
    tables = {f"networks.{name}": net.table for name, net in w.networks.items()}
    for section, types in w.declared.items():
        if types:
            tables[section] = "\n".join(f'{name} = "{kind}"' for name, kind in types.items())
    for name, body in given.items():
        tables[f"losses.{name}"] = f'equations = """\n{body}\n"""'
    text = "\n".join([*lines, *(f"[{name}]\n{body}" for name, body in tables.items())])
    sizes = dict.fromkeys(FREE, '"free"') | {n: str(v[0]) for n, v in NAMED.items()}
    used = [f"{n} = {v}" for n, v in sizes.items() if re.search(rf"\b{n}\b", text)]
    return text + "\n" + "\n".join(["[sizes]", *used]) + "\n"


def _names(names: Sequence[str]) -> str:
    return "[" + ", ".join(f'"{n}"' for n in names) + "]"
