"""What is under check: a callable, or a module that runs in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np

from symgrad.errors import SpecError
from symgrad.verify.arithmetic import Array
from symgrad.verify.branches import Branch, branches_in
from symgrad.verify.runner import packed, unpacked

RUNNER = Path(__file__).with_name("runner.py")
SECONDS = 600
ONE_THREAD = dict.fromkeys(
    ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1"
)
"""For NumPy's libraries: on small arrays their threads wait for each other, at full speed."""


@dataclass(frozen=True)
class Request:
    """One call: the outputs and the gradients of a function, at these inputs.

    function:     the module's function.
    params, data: the inputs by name.
    wrt:          the gradients wanted; none of `forward`, which returns its outputs alone.
    outputs:      the names of the values that it returns, a loss first.
    paths:        where a grouped parameter is, as an attribute of params: q.W1.
    along:        the direction of a product, laid out as the gradient of the function `like`.
    defaults:     the declared defaults of data that may be left out.
    plain:        the numbers alone, by one call.
    """

    function: str
    params: Mapping[str, Array]
    data: Mapping[str, Array]
    sizes: Mapping[str, int]
    wrt: tuple[str, ...]
    outputs: tuple[str, ...] = ()
    paths: Mapping[str, str] = field(default_factory=dict)
    along: Mapping[str, Array] = field(default_factory=dict)
    like: str = ""
    defaults: Mapping[str, float] = field(default_factory=dict)
    plain: bool = False


@dataclass(frozen=True)
class Answer:
    """What came back. error: why nothing did: an exception is the module's fault, so a FAIL.

    outputs: the values by name, the loss too; none where the subject does not compute them.
    single:  the outputs and gradients with float32 parameters, where the subject has them.
    again:   value and gradients with a workspace, where the subject has one.
    conduct: each rule that was looked at, and what broke it ("" if nothing).
    """

    value: float = 0.0
    gradients: Mapping[str, Array] = field(default_factory=dict)
    outputs: Mapping[str, Array] = field(default_factory=dict)
    single: Mapping[str, Array] = field(default_factory=dict)
    again: tuple[float, Mapping[str, Array]] | None = None
    conduct: Mapping[str, str] = field(default_factory=dict)
    error: str = ""


class Subject(Protocol):
    """Answers requests, in their order."""

    @property
    def name(self) -> str: ...

    @property
    def branches(self) -> tuple[Branch, ...]: ...

    def answers(self, requests: Sequence[Request]) -> Sequence[Answer]: ...


@dataclass(frozen=True)
class CallableSubject:
    """f(values) -> (value, gradients), in this process: for tests and for one's own code."""

    function: Callable[[Mapping[str, Array]], tuple[float, Mapping[str, Array]]]
    name: str = "a callable"
    branches: tuple[Branch, ...] = ()

    def answers(self, requests: Sequence[Request]) -> Sequence[Answer]:
        return [self._answer(request) for request in requests]

    def _answer(self, request: Request) -> Answer:
        if not request.wrt:
            return Answer()
        try:
            value, gradients = self.function({**request.params, **request.data})
            arrays = {name: np.asarray(g) for name, g in gradients.items()}
            return Answer(float(value), arrays, {request.outputs[0]: np.asarray(float(value))})
        except Exception as error:  # whatever the callable raises is its answer, and a FAIL
            return Answer(error=f"{type(error).__name__}: {error}")


@dataclass(frozen=True)
class ModuleSubject:
    """An emitted module. It is executed: check only files that you would run."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def branches(self) -> tuple[Branch, ...]:
        """The size-dependent paths that it lists."""
        return branches_in(self.path.read_text("utf-8")) if self.path.is_file() else ()

    def answers(self, requests: Sequence[Request]) -> Sequence[Answer]:
        if not self.path.is_file():
            raise SpecError(f'"{self.path}" is not a file; give the path of a generated module')
        with tempfile.TemporaryDirectory(prefix="symgrad-") as folder:
            _write(Path(folder), requests)
            # -P keeps the folder of the runner off sys.path: it imports NumPy and the module alone.
            command = [sys.executable, "-P", str(RUNNER), str(self.path.resolve()), folder]
            try:
                done = subprocess.run(
                    command,
                    stdout=subprocess.DEVNULL,  # it may print without end
                    stderr=subprocess.PIPE,
                    text=True,
                    errors="replace",
                    timeout=SECONDS,
                    check=False,
                    env={**ONE_THREAD, **os.environ},
                )
            except subprocess.TimeoutExpired:
                return [Answer(error=f"no answer within {SECONDS} seconds") for _ in requests]
            answers = Path(folder) / "answers.json"
            if done.returncode or not answers.exists():
                ended = f"it ended without an answer, with exit status {done.returncode}"
                last = (done.stderr.strip().splitlines() or [ended])[-1]
                return [Answer(error=f"the module does not run: {last}") for _ in requests]
            return _read(Path(folder), len(requests))


def _write(folder: Path, requests: Sequence[Request]) -> None:
    arrays = {
        f"{k}/{role}/{name}": array
        for k, request in enumerate(requests)
        for role, group in (
            ("params", request.params),
            ("data", request.data),
            ("along", request.along),
        )
        for name, array in group.items()
    }
    plain = [
        {
            "function": request.function,
            "params": list(request.params),
            "data": list(request.data),
            "along": list(request.along),
            "like": request.like,
            "sizes": dict(request.sizes),
            "wrt": list(request.wrt),
            "outputs": list(request.outputs),
            "paths": dict(request.paths),
            "defaults": dict(request.defaults),
            "plain": request.plain,
        }
        for request in requests
    ]
    text = json.dumps({"requests": plain, "arrays": packed(folder / "in.bin", arrays)})
    (folder / "requests.json").write_text(text, encoding="utf-8")


def _read(folder: Path, count: int) -> list[Answer]:
    plain = json.loads((folder / "answers.json").read_text(encoding="utf-8"))
    arrays = unpacked(folder / "out.bin", plain["arrays"])

    def group(k: int, run: str) -> Mapping[str, Array]:
        prefix = f"{k}/{run}/"
        return {n.removeprefix(prefix): a for n, a in arrays.items() if n.startswith(prefix)}

    answers = []
    for k in range(count):
        one = plain["answers"][k]
        again = one.get("again")
        answers.append(
            Answer(
                float(one.get("value", "nan")),
                group(k, "first"),
                group(k, "outputs"),
                group(k, "single"),
                None if again is None else (float(again), group(k, "again")),
                one.get("conduct", {}),
                one.get("error", ""),
            )
        )
    return answers
