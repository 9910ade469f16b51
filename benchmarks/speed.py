"""All claims about speed and memory in one table.

    python -m benchmarks.speed [name ...] [--write docs/performance.md]

Runs every benchmark of speed in this folder and the curves against rows (or what is named), each in
a process of its own, stores what it found in benchmarks/results/speed.json, and prints all that is
stored there: claim, measured figure, target, whether it holds, and how busy the machine was; of
those that state no claim, the last line. ``--write`` puts the tables, one a machine, between the
page's markers. A benchmark that wants data or a package that is not there says so and claims less.
What was measured beside an accelerator is kept apart from what was measured without one.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

from ._claims import accelerator, machine, read_claims

FOLDER = Path(__file__).parent
RESULTS = FOLDER / "results" / "speed.json"
NOT_SPEED = ("speed", "diabetes_regression", "fusing_helps_clusters")
MARKERS = "<!-- speed: begin -->", "<!-- speed: end -->"


def benchmarks():
    """Commands by name: the files of this folder, and the curves against rows."""
    names = [path.stem for path in sorted(FOLDER.glob("[a-z]*.py")) if path.stem not in NOT_SPEED]
    commands = {name: [str(FOLDER / f"{name}.py")] for name in names}
    return commands | {"scaling": ["-m", "benchmarks.scaling", "rows", "mapped", "double"]}


def run(name):
    """Run one benchmark: its claims, and its last line where it failed or claims nothing."""
    command = [sys.executable, *benchmarks()[name]]
    done = subprocess.run(command, capture_output=True, text=True, cwd=FOLDER.parent)
    print(done.stdout, flush=True)
    claims, failed = read_claims(done.stdout), done.returncode != 0
    output = (done.stderr if failed else done.stdout).strip().splitlines()
    last = output[-1] if output else "no output"
    return claims, f"`{name}`: {last}" if failed or not claims else None


def tables(stored):
    """Lines of Markdown: for each machine a table with a row for each claim, and notes."""
    machines = dict.fromkeys(found["machine"] for found in stored.values())
    lines = []
    for name in machines:
        lines += [""] * bool(lines) + table([f for f in stored.values() if f["machine"] == name])
    return lines


def table(measured):
    """Lines of Markdown on one machine."""
    dates = sorted({found["date"] for found in measured})
    when = dates[0] if len(dates) == 1 else f"{dates[0]} to {dates[-1]}"
    rows = ["| claim | measured | target | holds | load |", "|---|---|---|---|---|"]
    for found in measured:
        for what, value, target, holds in found["claims"]:
            answer = "yes" if holds else "no"
            rows.append(f"| {what} | {value:g} | {target} | {answer} | {found['load']:.1f} |")
    notes = [found["note"] for found in measured if found["note"]]
    lines = [f"Measured {when}, {measured[0]['machine']}.", "", *rows]
    return lines + [line for note in notes for line in ("", note)]


def key(name):
    """What results of a benchmark are stored by on this machine."""
    return f"{name}, {accelerator()}" if accelerator() else name


def in_order(stored):
    """Results of the benchmarks there are, in their sequence."""
    return {
        name: found
        for benchmark in benchmarks()
        for name, found in stored.items()
        if name.split(",")[0] == benchmark
    }


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
    stored = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    for name in options.names or benchmarks():
        print(f"== {name}", flush=True)
        found, note = run(name)
        load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
        about = {"machine": machine(load=False), "load": round(load, 1)}
        about["date"] = time.strftime("%Y-%m-%d")
        stored[key(name)] = {"claims": found, "note": note} | about
        stored = in_order(stored)
        RESULTS.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")
    lines = tables(stored)
    print("\n".join(lines))
    if options.write:
        write(options.write, lines)
    claims = [claim for found in stored.values() for claim in found["claims"]]
    print(f"{sum(holds for *_, holds in claims)} of {len(claims)} claims hold")


if __name__ == "__main__":
    main()
