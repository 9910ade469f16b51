"""The table of speed: what is read from a benchmark's output, and how a page gets it."""

import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import speed  # noqa: E402
from benchmarks._claims import claim, read_claims  # noqa: E402
from benchmarks.scaling import curves  # noqa: E402


def test_a_claim_is_read_as_it_was_printed(capsys):
    claim(1.234, "fused graph / GEMM", at_most=2)
    claim(0.5, "loop / fused", at_least=5)
    claim(1012.4, "loop / fused (literal)", at_least=300)
    printed = capsys.readouterr().out
    assert printed.splitlines()[0] == "ratio: 1.23 fused graph / GEMM (at most 2)"
    assert read_claims("something\n" + printed) == [
        ("fused graph / GEMM", 1.23, "at most 2", True),
        ("loop / fused", 0.5, "at least 5", False),
        ("loop / fused (literal)", 1010.0, "at least 300", True),
    ]


def test_page_gets_the_table(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"before\n{speed.MARKERS[0]}\nstale\n{speed.MARKERS[1]}\nafter\n")
    about = {"machine": "a machine", "load": 0.25, "date": "2026-01-02"}
    claims = [("a / b", 1.5, "at most 2", True), ("b / a", 3.0, "at most 2", False)]
    later = about | {"date": "2026-01-03"}
    stored = {"one": {"claims": claims, "note": None} | about,
              "two": {"claims": [], "note": "nothing"} | later}  # fmt: skip
    speed.write(page, speed.tables(stored))
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "Measured 2026-01-02 to 2026-01-03, a machine." in text
    assert "| a / b | 1.5 | at most 2 | yes | 0.2 |\n| b / a | 3 | at most 2 | no | 0.2 |" in text
    assert "\n\nnothing\n" in text
    assert "stale" not in text
    page.write_text("nothing")
    with pytest.raises(SystemExit, match="lacks the lines"):
        speed.write(page, [])


def test_machines_have_tables_of_their_own():
    about = {"load": 0.25, "date": "2026-01-02", "note": None}
    stored = {name: {"claims": [(name, 1.0, "at most 2", True)], "machine": name} | about
              for name in ("one", "other")}  # fmt: skip
    lines = speed.tables(stored)
    starts = [k for k, line in enumerate(lines) if line.startswith("Measured")]
    assert [lines[k] for k in starts] == [f"Measured 2026-01-02, {name}." for name in stored]
    for k, name in zip(starts, stored, strict=True):
        assert lines[k + 4] == f"| {name} | 1 | at most 2 | yes | 0.2 |"


def test_benchmarks_are_found_and_a_failure_is_told(monkeypatch):
    found = speed.benchmarks()
    assert {"fused_polynomial_beats_loops", "transform_costs_like_nystroem", "scaling"} <= set(
        found
    )
    assert "diabetes_regression" not in found
    broken = {"one": ["-c", "print('ratio: 2 x (at most 3)')"], "two": ["-c", "1 / 0"]}
    monkeypatch.setattr(speed, "benchmarks", lambda: broken)
    assert speed.run("one") == ([("x", 2.0, "at most 3", True)], None)
    claims, note = speed.run("two")
    assert claims == []
    assert note == "`two`: ZeroDivisionError: division by zero"
    stored = dict.fromkeys(["two", "gone, GPU", "one, GPU", "one", "gone"])
    assert list(speed.in_order(stored)) == ["one, GPU", "one", "two"]


def test_page_has_its_markers():
    page = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
    assert all(page.count(marker) == 1 for marker in speed.MARKERS)


def test_slope_and_peak():
    sizes = np.array([10, 100, 1000])
    assert curves.slope(sizes, 3 * sizes**2) == pytest.approx(2)
    with curves.PeakMemory() as memory:
        np.ones(8_000_000).sum()
    if sys.platform == "linux":
        assert 55 < memory.peak_mb < 75
