"""``python -m benchmarks.quality``: run what is missing, report, or check stored figures."""

import argparse
import sys

from . import data as sets
from .methods import BUDGET, GROUPS, METHODS
from .missing import SHARES
from .run import read, run

PROTOCOLS = {
    "fixed": [""],
    "fresh": [""],
    "published": [""],
    "noise": ["", "noise1", "noise2", "noise3", "noise5"],
    "label": ["", "label10", "label20", "label30", "label40"],
    "scale": ["", "scale1", "scale2", "scale3"],
    "missing": ["", *(f"missing{share}" for share in SHARES)],
}


def _parse(argv):
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality", description=__doc__)
    add = parser.add_argument
    add("--sets", nargs="+", default=["*"], help="names or patterns, such as 'mv_*'")
    add("--methods", nargs="+", default=["columns"], help="names or groups, see --list")
    add(
        "--protocol",
        choices=(*PROTOCOLS, "domains"),
        default="fixed",
        help="splits and perturbations",
    )
    add("--splits", "--seeds", type=int, default=None, help="at most this many splits of a set")
    add("--quick", action="store_true", help="a subset of sets, one split, a few minutes")
    add("--tag", help="version that results of legofuse are stored under (default: its own)")
    add("--out", default="benchmarks/results/quality.jsonl", help="the JSON-lines file")
    add("--list", action="store_true", help="show sets, methods and groups")
    add("--report", nargs="?", const="docs/benchmarks.md", help="write the report, run nothing")
    add("--check", action="store_true", help="compare a fast subset with the stored figures")
    add("--store", action="store_true", help="with --check: store the figures instead")
    return parser.parse_args(argv)


def _method_names(wanted):
    names = []
    for name in wanted:
        if name not in GROUPS and name not in METHODS:
            raise SystemExit(f"unknown method {name!r}; see --list")
        names += [n for n in GROUPS.get(name, (name,)) if n not in names]
    return names


def _beside(path, name):
    """The file of a protocol whose results are kept apart."""
    return path.replace("quality.jsonl", f"{name}.jsonl")


def main(argv=None):
    """The command; returns its exit status."""
    options = _parse(argv)
    if options.list:
        print("sets:   ", *sets.available(), *sets.OPENML)
        print("methods:", *METHODS)
        for group, names in GROUPS.items():
            print(f"  {group}: {' '.join(names)}")
        print(BUDGET)
        return 0
    if options.check:
        from .check import check

        return check(store=options.store)
    if options.protocol == "domains":
        from . import domains

        out = _beside(options.out, "domains")
        if options.report:
            from . import page

            where = options.report.replace("benchmarks.md", "domains_and_missing_views.md")
            print(
                "wrote",
                *page.write(where, read(_beside(options.out, "missing")), read(out), options.tag),
            )
            return 0
        domains.run(out, options.sets, options.splits or 1, options.tag)
        print(domains.table(read(out), options.tag))
        return 0
    if options.report:
        from .report import write

        print("wrote", *write(read(options.out), options.report, options.tag))
        return 0
    patterns, limit, methods = options.sets, options.splits, options.methods
    if options.quick:
        patterns = list(sets.QUICK) if patterns == ["*"] else patterns
        limit, methods = limit or 1, ["quick"] if methods == ["columns"] else methods
    if options.protocol == "missing":
        options.out = _beside(options.out, "missing")
        patterns = ["mv_*"] if patterns == ["*"] else patterns
        methods = ["missing"] if methods == ["columns"] else methods
    elif options.protocol == "published" and patterns == ["*"]:
        patterns = list(sets.PUBLISHED)
    print(BUDGET)
    run(
        options.out,
        sets.available(patterns),
        _method_names(methods),
        options.protocol,
        PROTOCOLS[options.protocol],
        limit,
        options.tag,
    )
    from .report import summary

    protocol = options.protocol if options.protocol == "fresh" else "fixed"
    print(summary(read(options.out), sets.available(patterns), options.tag, protocol))
    return 0


if __name__ == "__main__":
    sys.exit(main())
