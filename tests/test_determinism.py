"""Same specs, same bytes: for every hash seed, folder and locale, and whatever was derived before."""

from __future__ import annotations

import hashlib
import json
import locale
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import pytest
from generated_files import files

import symgrad as sg
from symgrad.generated_tree import module_of

ROOT = Path(__file__).resolve().parents[1]
SEEDS = range(20)
SOME = ("actor_weight", "attention", "cartpole_dqn", "convolution", "gru", "softmax_policy")
"""What 20 processes make anew; all of generated/ is made in another folder and locale."""

DIGESTS = """
import json, locale, sys
sys.path[:0] = [sys.argv[1], sys.argv[1] + "/tests"]
locale.setlocale(locale.LC_ALL, "")
from test_determinism import rendered
print(json.dumps(rendered(sys.argv[2])))
"""


def rendered(what: str) -> dict[str, str]:
    """The hash of every file of generated/, or of some modules, of a derivation, and of a second
    derivative's module.
    """
    few = {name: module_of(sg.load(name)) for name in SOME} if what == "some" else {}
    texts = {
        **(few or files()),
        "derivation": sg.derive("softmax_policy").markdown(),
        "hvp": sg.generate(sg.as_spec(sg.hvp("one_bias"), "hvp")),
    }
    return {name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()}


def digests(
    seed: int, cwd: Path = ROOT, chosen: str = "C.UTF-8", what: str = "every"
) -> dict[str, str]:
    """What is rendered in a process of its own."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("LC_", "LANG", "PYTHON"))}
    result = subprocess.run(
        [sys.executable, "-P", "-c", DIGESTS, str(ROOT), what],
        cwd=cwd,
        env={**kept, "PYTHONHASHSEED": str(seed), "LC_ALL": chosen},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    found: dict[str, str] = json.loads(result.stdout)
    return found


@cache
def expected(what: str = "every") -> dict[str, str]:
    """What this process renders, after whatever ran in it before."""
    return rendered(what)


def test_the_bytes_are_the_same_for_20_hash_seeds() -> None:
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda seed: digests(seed, what="some"), SEEDS))
    assert len(found) == 20
    assert len(expected("some")) > 5
    assert [seed for seed in SEEDS if found[seed] != expected("some")] == []


def other_locales() -> list[str]:
    """The C locale, and one with a decimal comma where the machine has it."""
    found = ["C"]
    before = locale.setlocale(locale.LC_ALL)
    for name in ("de_DE.UTF-8", "fr_FR.UTF-8", "tr_TR.UTF-8"):
        try:
            locale.setlocale(locale.LC_ALL, name)
        except locale.Error:
            continue
        found.append(name)
    locale.setlocale(locale.LC_ALL, before)
    return found


@pytest.mark.parametrize("chosen", other_locales())
def test_the_bytes_are_the_same_in_another_folder_and_locale_and_for_another_seed(
    chosen: str, tmp_path: Path
) -> None:
    assert digests(1, cwd=tmp_path, chosen=chosen) == expected()


def test_the_bytes_are_the_same_before_and_after_other_derivations() -> None:
    first = {name: module_of(sg.load(name)) for name in SOME}
    for name in SOME:
        sg.hvp(name)
        sg.hvp(name, mode="reverse-over-reverse")
    again = {name: module_of(sg.load(name)) for name in reversed(SOME)}
    assert [name for name in SOME if again[name] != first[name]] == []


def test_no_module_holds_a_path_or_a_time() -> None:
    assert len(files()) > 5
    for path, text in files().items():
        assert str(ROOT) not in text, path
        assert str(Path.home()) not in text or Path.home() == Path("/"), path
