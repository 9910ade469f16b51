"""``LEGOFUSE_DATA=folder python -m benchmarks.video``: run what is missing, show tables."""

import argparse
import sys

from . import methods, page, tasks
from .run import read, run


def main(argv=None):
    """The command; returns its exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.video", description=__doc__)
    add = parser.add_argument
    add("--sets", nargs="+", default=["*"], help="names or patterns, such as 'vad_*'")
    add("--methods", nargs="+", help=f"among {', '.join(methods.METHODS)}, {methods.ALONE}[VIEW]")
    add("--seeds", type=int, default=5)
    add("--tag", help="version that results of legofuse are stored under (default: its own)")
    add("--out", default="benchmarks/results/video.jsonl", help="the JSON-lines file")
    add("--report", nargs="?", const="docs/anomaly_benchmarks.md", help="write the page alone")
    options = parser.parse_args(argv)
    if options.report:
        print("wrote", page.write(options.report, read(options.out), options.tag))
        return 0
    names = tasks.available(options.sets)
    if not names:
        parser.error("no such set: LEGOFUSE_DATA must name the folder of the .npz files")
    run(options.out, names, options.methods, options.seeds, options.tag)
    chosen = [r for r in page.select(read(options.out), options.tag) if r["set"] in names]
    print("\n\n".join(page.tables(chosen)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
