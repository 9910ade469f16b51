"""The code of the documentation's pages runs, and says what the pages say that it says."""

import doctest
import re
import warnings
from pathlib import Path

import pytest

import legofuse

ROOT = Path(__file__).parent.parent
PAGES = sorted(
    path
    for path in (ROOT / "docs").rglob("*.rst")
    if not {"_build", "generated", "auto_examples", "_templates"} & set(path.parts)
    and path.name != "sg_execution_times.rst"
)
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def name_of(path):
    return str(path.relative_to(ROOT / "docs").with_suffix(""))


@pytest.mark.slow
@pytest.mark.others_draw  # torch's layers, libsvm
@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_code_of_page_runs(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if "skops" in path.read_text(encoding="utf-8"):
        pytest.importorskip("skops")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = doctest.testfile(str(path), module_relative=False, optionflags=FLAGS)
    assert result.failed == 0


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_python_is_written_as_doctest(path):
    """A block of Python without prompts would not be run."""
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"code-block:: *(python|py)\b|^::$", text, flags=re.MULTILINE)
    assert not re.search(r"\S::$", re.sub(r"^\.\. .*$", "", text, flags=re.MULTILINE), re.MULTILINE)


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_no_example_is_skipped(path):
    text = path.read_text(encoding="utf-8")
    assert "+SKIP" not in text
    prompts = len(re.findall(r"^ *>>> ", text, flags=re.MULTILINE))
    assert len(doctest.DocTestParser().get_examples(text)) == prompts


def test_code_of_markdown_pages_is_run_by_other_tests():
    """By tests/test_readme.py and tests/test_dask.py; no other page in Markdown has any."""
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "docs/guide").glob("*.md")]
    pattern = re.compile(r"^```\{?(code-block\} *)?(python|py|pycon)\b|^>>> ", re.MULTILINE)
    found = {path.name for path in pages if pattern.search(path.read_text(encoding="utf-8"))}
    assert found == {"README.md", "scaling.md"}


def test_pages_were_found():
    assert {"index", "quickstart", "guide/views"} <= {name_of(path) for path in PAGES}


def test_every_page_is_in_a_table_of_contents():
    """Pages that no toctree names cannot be reached."""
    listed = {"index"}
    for path in PAGES:
        folder = path.parent.relative_to(ROOT / "docs")
        for block in re.findall(
            r"^\.\. toctree::\n((?:[ ]+.*\n|\n)*)", path.read_text(encoding="utf-8"), re.MULTILINE
        ):
            for entry in block.split():
                listed.add(str(folder / entry))
                listed |= {
                    name_of(found)
                    for found in (ROOT / "docs" / folder).glob(f"{entry}.rst")
                    if "*" in entry
                }
    assert [name_of(path) for path in PAGES if name_of(path) not in listed] == []


def test_relations_named_in_the_guide_exist():
    text = (ROOT / "docs/guide/relations.rst").read_text(encoding="utf-8")
    named = set(re.findall(r"^   \* - ``(\w+)``", text, flags=re.MULTILINE))
    assert named
    assert named == set(legofuse.relations.RELATIONS)
