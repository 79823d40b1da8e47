"""What all tests share: oracles as fixtures, and a run that must use an oracle fails if none ran.

A test that takes the fixture `jax` or `torch` is an oracle test. Without the library it is skipped,
and says so. With SYMGRAD_REQUIRE_ORACLE=jax (set by .ci/run) a missing library is an error, and a
session in which no test with that oracle passed fails.
"""

from __future__ import annotations

import gc
import importlib
import os
from collections import Counter
from types import ModuleType

import pytest
from hypothesis import settings

ORACLES = ("jax", "torch")
REQUIRED = os.environ.get("SYMGRAD_REQUIRE_ORACLE", "")

# One thread for each worker, set before NumPy loads: more would only fight over the cores.
for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

# The same examples on every run; a deadline would make slowness of the machine a failure.
settings.register_profile("seeded", derandomize=True, deadline=None, database=None)
settings.load_profile("seeded")


def _oracle(name: str) -> ModuleType:
    if name == REQUIRED:
        return importlib.import_module(name)
    module: ModuleType = pytest.importorskip(
        name, reason=f"{name} is not installed", exc_type=ImportError
    )
    return module


@pytest.fixture(scope="session")
def jax() -> ModuleType:
    """JAX in float64."""
    module = _oracle("jax")
    module.config.update("jax_enable_x64", True)
    return module


@pytest.fixture(scope="session")
def torch() -> ModuleType:
    """PyTorch on one thread."""
    module = _oracle("torch")
    module.set_num_threads(1)
    return module


class OracleCount:
    """How many tests passed with each oracle; where one is required, none is a failure."""

    def __init__(self) -> None:
        self.passed: Counter[str] = Counter()

    @property
    def missing(self) -> bool:
        return bool(REQUIRED) and not self.passed[REQUIRED]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" and report.passed:
            self.passed.update(str(v) for key, v in report.user_properties if key == "oracle")

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.missing:
            session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        counts = ", ".join(f"{name} {self.passed[name]}" for name in ORACLES)
        terminalreporter.write_line(f"oracle tests that passed: {counts}")
        if self.missing:
            terminalreporter.write_line(f"FAILED: no test with {REQUIRED} passed", red=True)


def pytest_configure(config: pytest.Config) -> None:
    if REQUIRED and REQUIRED not in ORACLES:
        raise pytest.UsageError(f"SYMGRAD_REQUIRE_ORACLE={REQUIRED}; known: {', '.join(ORACLES)}")
    if not hasattr(config, "workerinput"):  # workers only run tests; their controller counts
        config.pluginmanager.register(OracleCount(), "oracle-count")


def pytest_collection_finish() -> None:
    """What is there for the whole run is not looked through again for garbage, nor so often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for name in ORACLES:
            if name in getattr(item, "fixturenames", ()):
                item.add_marker(pytest.mark.oracle)
                item.user_properties.append(("oracle", name))
