"""What `python -m benchmarks.checker_speed` measures is a check that passes, of what it says."""

from __future__ import annotations

from benchmarks import checker_speed


def test_100_000_parameters_are_checked_along_8_directions() -> None:
    (report,) = checker_speed.black_box()
    (block,) = report.blocks
    assert (report.verdict, block.total, block.directions) == ("PASS", 100_000, 8)


def test_a_spec_of_100_000_parameters_passes_at_its_own_size() -> None:
    (report,) = checker_speed.wide_spec()
    blocks = [b for b in report.blocks if b.loss == "fit" and b.name != "loss"]
    own = [block for block in blocks if block.instance.startswith("own sizes")]
    assert report.verdict == "PASS"
    assert sum(block.total for block in own) == 100_000
    assert sum(block.directions for block in own) >= 8
