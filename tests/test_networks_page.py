"""The section on networks in docs/notation.md: its tables are true, its examples run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from emitted import of_text

from symgrad.catalog.activations import ROWS as ACTIVATIONS
from symgrad.expand.activations import CALLED
from symgrad.expand.networks import KEYS
from symgrad.notation.initialisations import INITS
from symgrad.notation.printer import equation_text
from symgrad.spec import parse_spec

PAGE = (Path(__file__).parent.parent / "docs" / "notation.md").read_text(encoding="utf-8")
SECTION = PAGE[PAGE.index("\n## Networks\n") :].split("\n## ")[1]
BLOCKS = re.findall(r"```toml\n(.*?)```", SECTION, re.DOTALL)
RUN = re.findall(r"<!-- run -->\n```python\n(.*?)```", SECTION, re.DOTALL)
SHARED = '[sizes]\nB = "batch"\n[networks.y]\n{}\n[data]\nx = "real[B, 4]"\nu = "real[B, 2]"\n'


def table(head: str) -> list[list[str]]:
    """The cells of the table whose first column is headed so."""
    lines = SECTION[SECTION.index(f"\n| {head} |") + 1 :].split("\n\n")[0].splitlines()
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines[2:]]


def code(text: str) -> list[str]:
    """What stands between backticks."""
    return re.findall(r"`(.*?)`", text)


BECOMES = table("one writes")


def test_the_keys_are_those_of_a_network() -> None:
    assert tuple(code(cell)[0] for cell, _ in table("key of `[networks.NAME]`")) == KEYS


def test_activations_that_read_no_axis_are_functions_as_the_page_says() -> None:
    scalars = {row.name for row in ACTIVATIONS if not row.reads_axis}
    text = SHARED.format('input = "x"\nlayers = ["dense 1"]')
    for name in sorted(scalars):
        extra = ", 0.5" if name == "leaky_relu" else ""
        equations = f'outputs = ["h"]\nequations = "h[b] = {name}(y[b,0]{extra})"\n'
        assert parse_spec(equations + text, "page").outputs == ("h",)
    assert set(CALLED) <= scalars


@pytest.mark.parametrize(("written", "becomes"), BECOMES, ids=[row[0] for row in BECOMES])
def test_a_network_of_the_page_stands_for_the_equations_beside_it(
    written: str, becomes: str
) -> None:
    keys = code(written)
    text = "\n".join(keys if len(keys) > 1 else ['input = "x"', *keys])
    shared = parse_spec(SHARED.format(text), "page").shared
    assert [equation_text(e, shared) for e in shared.equations] == code(becomes)


# ---- initialisations -------------------------------------------------------------------------


def test_the_table_of_initialisations_names_all_of_them() -> None:
    assert {code(name)[0].partition("(")[0] for name, *_ in table("initialisation")} == {*INITS}


@pytest.mark.parametrize("row", table("initialisation"), ids=lambda row: row[0])
def test_an_initialisation_draws_what_the_page_says(row: list[str]) -> None:
    (init,), how = code(row[0]), row[1]
    text = f'outputs = ["s"]\nequations = "s = sum(i,j: V[i,j] + W1[i,j])"\n[params]\nW1 = "real[300, 200] init=he_normal"\nV = "real[300, 200] init={init}"'
    params = of_text(text).module.init(np.random.default_rng(3))
    if init.startswith("copy"):
        np.testing.assert_array_equal(params.V, params.W1)
        return
    formula = code(row[2])[0].replace("fan_in", "200").replace("fan_out", "300")
    spread = float(
        parse_spec(f'outputs = ["y"]\nequations = "y = {formula}"', "page").shared.equations[0].body
    )
    if how == "the number":
        assert (spread == params.V).all()
    elif how == "uniform within":
        assert 0.999 * spread < np.abs(params.V).max() <= spread
        assert params.V.std() == pytest.approx(spread / np.sqrt(3), rel=0.01)
    elif how.startswith("normal"):
        assert params.V.std() == pytest.approx(spread, rel=0.01)
        assert np.abs(params.V).max() > 3 * spread
    else:
        assert how.startswith("orthonormal")
        np.testing.assert_allclose(params.V.T @ params.V, spread**2 * np.eye(200), atol=1e-12)


def test_the_default_is_pytorchs_for_matrices_and_zeros_for_vectors() -> None:
    module = of_text(SHARED.format('input = "x"\nlayers = ["dense 3000"]'), "page").module
    params = module.init(np.random.default_rng(0))
    assert 0.499 < np.abs(params.W1).max() <= 0.5
    assert (params.c1 == 0).all()


# ---- the examples ----------------------------------------------------------------------------


def test_the_first_spec_has_what_the_text_says() -> None:
    module = of_text(BLOCKS[0], "page").module
    assert {"policy_forward", "v_forward", "old_forward", "trunk_forward"} <= {*module.OPERATIONS}
    params = module.init(np.random.default_rng(0))
    np.testing.assert_array_equal(params.old.flat, params.policy.flat)
    spec = parse_spec(BLOCKS[0], "page")
    assert set(spec.loss("actor").wrt) == {
        f"{n}_{p}{k}" for n, k in (("trunk", 1), ("trunk", 2), ("policy", 1)) for p in "Wc"
    }
    assert spec.loss("critic").wrt == ("v_W1", "v_c1")


def test_the_group_by_hand_is_a_group() -> None:
    module = of_text(next(b for b in BLOCKS if "[params.scale]" in b), "page").module
    params = module.init(np.random.default_rng(0))
    assert params.scale.log_spread.tolist() == [-0.5] * 3
    assert params.scale.flat.shape == (6,)


def test_the_weights_load_as_the_page_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, torch: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    module = of_text(BLOCKS[0], "page").module
    trunk = torch.nn.Sequential(
        torch.nn.Linear(4, 64), torch.nn.Tanh(), torch.nn.Linear(64, 64), torch.nn.Tanh()
    ).double()
    actor = torch.nn.Module()
    actor.head = torch.nn.Linear(64, 2).double()
    names: dict[str, Any] = {"m": module, "np": np, "torch_trunk": trunk, "torch_actor": actor}
    (text,) = RUN
    exec(text, names)
    obs = np.random.default_rng(1).normal(size=(5, 4))
    expected = torch.log_softmax(actor.head(trunk(torch.as_tensor(obs))), -1).detach().numpy()
    np.testing.assert_allclose(
        module.policy_forward(names["params"], obs), expected, rtol=1e-12, atol=1e-13
    )
