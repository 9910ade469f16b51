"""Each code block of the README runs alone, as it stands, in an empty folder."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from numpy.testing import assert_allclose

from legofuse.relations import RELATIONS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", README, flags=re.DOTALL | re.MULTILINE)


@pytest.mark.slow
@pytest.mark.parametrize("code", BLOCKS, ids=range(len(BLOCKS)))
def test_block_runs(code, tmp_path):
    environment = os.environ | {"MPLBACKEND": "Agg", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-W", "error", "-c", code]
    run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-3000:]
    said = " ".join(re.findall(r"^print\(.*\)  # (.*)$", code, re.MULTILINE))
    assert_allclose(numbers(run.stdout), numbers(said), atol=0.05)  # processors round apart


def numbers(text):
    return [float(found) for found in re.findall(r"-?\d+\.?\d*", text)]


def test_blocks_were_found():
    assert len(BLOCKS) >= 3


def test_files_that_it_links_to_are_there():
    links = re.findall(r"\]\(([^)#]+)", README)
    assert [link for link in links if "://" not in link and not (ROOT / link).exists()] == []


def test_all_relations_are_named():
    (sentence,) = re.findall(r"`relation` says: (.*?)\.", README, flags=re.DOTALL)
    assert set(re.findall(r'`"(\w+)"`', sentence)) == {"auto", *RELATIONS}


def test_figures_beside_other_ways_are_those_of_the_benchmark_page():
    page = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"^## Beside other ways\n\n(.*?)\n\n", README, re.DOTALL | re.MULTILINE)
    text = " ".join(text.split())
    fixed, fresh = page.split("## Fresh splits of ")
    (n_sets,) = re.findall(r"^## Ranks over (\d+) sets$", fixed, re.MULTILINE)
    assert f"On {n_sets} public" in text
    assert f"splits of the {fresh.split()[0]}, drawn" in text
    means = []
    for part in (fixed, fresh):
        mean = dict(re.findall(r"^\| ([^|]+) \| \d\.\d\d \| (0\.\d{4}) \|$", part, re.MULTILINE))
        ours = mean.pop("legofuse")
        assert max(mean, key=lambda method: float(mean[method])) == "MKLpy EasyMKL"
        assert len(mean) == 7
        means += [ours, mean["MKLpy EasyMKL"], mean["concatenation + LR"]]
    means = [f"{float(mean):.3f}" for mean in means]
    assert re.findall(r"0\.\d\d\d\b", text) == [*means[:3], "0.005", *means[3:]]

    def behind(method, part):
        row = rf"^\| {re.escape(method)} \| (\d+) / (\d+) / (\d+) \|"
        return [int(found) for found in re.search(row, part, re.MULTILINE).groups()]

    tuned = "tuned concatenation (LR or SVM, by CV)"
    assert behind(tuned, fixed)[2] == 0
    assert f"more than 0.005 on none of {sum(behind(tuned, fixed))} sets" in text
    assert f"EasyMKL on {behind('MKLpy EasyMKL', fixed)[2]};" in text
    assert text.split(" [docs")[0].endswith(f"ahead on {behind(tuned, fresh)[2]}.")
