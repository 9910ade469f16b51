"""All claims about speed and memory in one table.

    python -m benchmarks.speed [name ...] [--write docs/performance.md]

Runs every benchmark of speed in this folder and the curves against rows (or what is named), each in
a process of its own, and prints claim, measured figure, target, and whether it holds; of those that
state no claim, the last line. ``--write`` puts the table between the page's markers. A benchmark
that wants data or a package that is not there says so and claims less.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path

from ._claims import machine, read_claims

FOLDER = Path(__file__).parent
NOT_SPEED = ("speed", "diabetes_regression")
MARKERS = "<!-- speed: begin -->", "<!-- speed: end -->"


def benchmarks():
    """Commands by name: the files of this folder, and the curves against rows."""
    names = [path.stem for path in sorted(FOLDER.glob("[a-z]*.py")) if path.stem not in NOT_SPEED]
    commands = {name: [str(FOLDER / f"{name}.py")] for name in names}
    return commands | {"scaling": ["-m", "benchmarks.scaling", "rows", "mapped"]}


def run(name):
    """Run one benchmark: its claims, and its last line where it failed or claims nothing."""
    command = [sys.executable, *benchmarks()[name]]
    done = subprocess.run(command, capture_output=True, text=True, cwd=FOLDER.parent)
    print(done.stdout, flush=True)
    claims, failed = read_claims(done.stdout), done.returncode != 0
    output = (done.stderr if failed else done.stdout).strip().splitlines()
    last = output[-1] if output else "no output"
    return claims, f"`{name}`: {last}" if failed or not claims else None


def table(claims):
    """Rows of a Markdown table."""
    rows = ["| claim | measured | target | holds |", "|---|---|---|---|"]
    for what, value, target, holds in claims:
        rows.append(f"| {what} | {value:g} | {target} | {'yes' if holds else 'no'} |")
    return rows


def write(page, lines):
    """Put lines between the markers of a page."""
    text = page.read_text(encoding="utf-8")
    before, _, rest = text.partition(MARKERS[0])
    _, found, after = rest.partition(MARKERS[1])
    if not found:
        raise SystemExit(f"{page} lacks the lines {MARKERS[0]} and {MARKERS[1]}.")
    inside = "\n".join([MARKERS[0], "", *lines, "", MARKERS[1]])
    page.write_text(before + inside + after, encoding="utf-8")


def main():
    """Run, print the table, and write it if asked to."""
    parser = argparse.ArgumentParser(description="All claims about speed and memory.")
    parser.add_argument("names", nargs="*", help=f"of {', '.join(benchmarks())}")
    parser.add_argument("--write", type=Path, help="page whose table is replaced")
    options = parser.parse_args()
    about = f"{time.strftime('%Y-%m-%d')}, {machine()}"
    claims, notes = [], []
    for name in options.names or benchmarks():
        print(f"== {name}", flush=True)
        found, note = run(name)
        claims += found
        notes += [note] if note else []
    lines = [f"Measured {about}.", "", *table(claims), *[""] * bool(notes), *notes]
    print("\n".join(lines))
    if options.write:
        write(options.write, lines)
    print(f"{sum(holds for *_, holds in claims)} of {len(claims)} claims hold")


if __name__ == "__main__":
    main()
