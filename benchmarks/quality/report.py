"""The report: Markdown and pictures made from results alone, so that no figure is typed by hand."""

from pathlib import Path

import numpy as np

from . import stats
from .data import FAMILIES, family
from .methods import BUDGET, COLUMNS, GROUPS, METHODS

OURS = "legofuse"
TITLES = {m.name: m.title for m in METHODS.values()} | {
    stats.TUNED: "tuned concatenation (LR or SVM, by CV)"
}
BESIDE = ("boosting", "stacking", "snf")  # not among the columns that are ranked
ELSEWHERE = {*GROUPS["missing"]} - {*GROUPS["columns"]}  # on the page on missing views
SHOWN = (OURS, *COLUMNS, stats.TUNED, "single_view", *BESIDE)
AXES = {
    "noise": ("Views of pure noise added", "views of pure noise"),
    "label": ("Training labels drawn anew, in per cent", "training labels drawn anew, %"),
    "scale": ("Features multiplied by 10 to a power from [-s, s]", "s"),
    "missing": ("Blocks removed at random, in per cent", "blocks removed, %"),
}
N_PUBLISHED = 10
# Published accuracies, random 80/20 splits, 10 runs: Table 2 of ECML/RCML (AAAI 2024).
PUBLISHED = {
    "mv_pie10": {"TMC": 0.919, "TMDL-OA": 0.923, "ECML": 0.947},
    "mv_mfeat": {"TMC": 0.985, "ECML": 0.994},
    "mv_cub_image_text": {"TMC": 0.906, "ECML": 0.985},
}
RERUN = """\
# Benchmarks

This page is written by `python -m benchmarks.quality --report` from
`benchmarks/results/quality.jsonl`; no figure in it is typed by hand (but the published ones, which
have their source beside them).

## Run it again

```
python -m venv .venv-peers
.venv-peers/bin/pip install -c constraints.txt -r benchmarks/requirements-peers.txt -e '.[plot]'
export LEGOFUSE_DATA=/path/to/npz/files        # optional: files that datasets.load_npz reads
.venv-peers/bin/python -m benchmarks.quality --list
.venv-peers/bin/python -m benchmarks.quality --quick
.venv-peers/bin/python -m benchmarks.quality --methods columns single_view variants
.venv-peers/bin/python -m benchmarks.quality --protocol fresh --methods columns single_view
.venv-peers/bin/python -m benchmarks.quality --protocol published --methods ours baselines
.venv-peers/bin/python -m benchmarks.quality --protocol noise --methods robustness   # label, scale
.venv-peers/bin/python -m benchmarks.quality --report
```

Results are appended to the file, keyed by set, split, perturbation, method and version: an
interrupted run goes on where it stopped. Without the peers' packages their columns are left out.

## Protocol

"""
PROTOCOL = """
Splits are fixed: the split that a file names, where it has at most 900 training rows, else three
stratified ones of at most 400 training and 1000 test rows. legofuse is
`LEGOFusionTransformer(views)` and `RidgeClassifierCV(alphas=np.logspace(-6, 3, 19))`, defaults
throughout. Where part of a block is unknown it is imputed with training means for all methods;
whole missing blocks reach legofuse as they are, the others imputed. The RBF and cosine kernels of
the multiple-kernel methods are one of each for every view. Standard errors are over splits, or
binomial where there is one split (marked with an asterisk); the former are too small where test
sets overlap.

Concatenation is all columns side by side, LR logistic regression, late fusion the mean of the
probabilities of one model for each view, and CV cross-validation on the training rows.
"""
FRESH = """\
The fixed splits above were seen while the method was made, and a set with one split of its own
tells no more than one split can. So five more splits of each set, with as many training and test
rows as the fixed ones, were drawn by another seed and run once, when the defaults were settled.
"""
NOT_SHOWN = """
## What is not shown

- Sets of more than a few thousand rows, images or text end to end, and deep multi-view networks:
  the fixed splits have at most 900 training rows.
- Methods that see the test rows when they learn (graph convolution on the citation graphs), but for
  KernelFusion's centring and the network of SNF.
- Accuracy is the only score; imbalance is not corrected by any method.
- The same sets were looked at while the method was made, by cross-validation within their training
  rows; ranks on other sets may be lower.

## Where others are better, and why

Sets where another column is ahead by more than the tie margin are listed above. Why was not
measured set by set. What they have in common suggests two reasons. With tens of training rows a
criterion over many weights has little to go by, and a mean of kernels or of probabilities, which
learns nothing, can be as good or better. And where one linear model of all columns is nearly right,
as for words of long texts, weighing graphs adds variance.
"""


def _row(cells):
    return "| " + " | ".join(cells) + " |"


def _markdown(header, rows):
    return "\n".join([_row(header), _row(["---"] * len(header)), *map(_row, rows)])


def _cell(values, n_test):
    mean, error = stats.mean_and_error(list(values), n_test)
    return f"{mean:.3f} ± {error:.3f}" + "*" * (len(values) == 1)


def _present(found, methods):
    """Those of the methods that have a result on some set."""
    return [m for m in methods if any(m in columns for columns in found.values())]


def _accuracy_table(found, names, methods, n_test):
    rows = []
    for name in names:
        best = max(np.mean(list(found[name][m].values())) for m in methods if m in found[name])
        cells = []
        for m in methods:
            if m not in found[name]:
                cells.append("-")
                continue
            values = found[name][m].values()
            text = _cell(values, n_test[name])
            cells.append(f"**{text}**" if np.mean(list(values)) >= best - 1e-12 else text)
        rows.append([name, *cells])
    return _markdown(["set", *(TITLES[m] for m in methods)], rows)


def _families(found, n_test):
    present = _present(found, SHOWN)
    for key, title in FAMILIES.items():
        names = sorted(n for n in found if family(n) == key)
        if names:
            yield f"### {title[0].upper() + title[1:]}\n"
            yield _accuracy_table(found, names, present, n_test) + "\n"


def _ranked(found):
    methods = _present(found, (OURS, *COLUMNS))
    target = {n: c for n, c in found.items() if family(n) in ("mv", "omics")} or found
    names, scores = stats.matrix(target, methods)
    return methods, names, scores


def _rank_table(methods, scores, result):
    order = np.argsort(result.ranks)
    rows = [
        [TITLES[methods[i]], f"{result.ranks[i]:.2f}", f"{scores[:, i].mean():.4f}"] for i in order
    ]
    return _markdown(["method", "average rank", "mean accuracy"], rows)


def _wins_table(found, others):
    rows = []
    for other in others:
        w = stats.wins(found, OURS, other)
        if not w["differences"]:
            continue
        worst = min(w["differences"], key=w["differences"].get)
        rows.append(
            [
                TITLES[other],
                f"{w['wins']} / {w['ties']} / {w['losses']}",
                f"{w['mean']:+.4f} ± {w['error']:.4f}",
                f"{w['differences'][worst]:+.3f} ({worst})",
            ]
        )
    header = ["legofuse against", "ahead / level / behind", "mean difference", "worst set"]
    return _markdown(header, rows)


def _cost_table(records):
    rows = []
    for name in dict.fromkeys(m for m in (*SHOWN, *METHODS) if m != stats.TUNED):
        own = [r for r in records if r["method"] == name and "accuracy" in r]
        if own:
            fit, predict, peak = (
                np.array([r[k] if r[k] is not None else np.nan for r in own], float)
                for k in ("fit_seconds", "predict_seconds", "peak_mb")
            )
            cells = [f"{np.median(fit):.2f}", f"{fit.max():.1f}", f"{np.median(predict):.3f}"]
            rows.append(
                [TITLES[name], *cells, f"{np.nanmedian(peak):.0f}", f"{np.nanmax(peak):.0f}"]
            )
    header = [
        "method",
        "fit s, median",
        "largest",
        "predict s, median",
        "peak MB, median",
        "largest",
    ]
    return _markdown(header, rows)


def _variant_table(found):
    names = _present(found, [m.name for m in METHODS.values() if m.group == "variant"])
    if not names:
        return ""
    rows = []
    for name in names:
        w = stats.wins(found, name, OURS)
        if w["differences"]:
            counts = f"{w['wins']} / {w['ties']} / {w['losses']}"
            difference = f"{w['mean']:+.4f} ± {w['error']:.4f}"
            rows.append([TITLES[name], str(len(w["differences"])), counts, difference])
    if not rows:
        return ""
    header = ["variant", "sets", "ahead / level / behind the default", "mean difference"]
    return "## Parts of the method\n\n" + _markdown(header, rows) + "\n"


def _published(records, tag):
    found = stats.accuracies(stats.add_tuned_concatenation(stats.select(records, "published", tag)))
    if not found:
        return ""
    methods = _present(found, SHOWN)
    rows = []
    for name in sorted(found):
        runs = [found[name].get(m, {}) for m in methods]  # only complete ones
        cells = [_cell(r.values(), 1) if len(r) == N_PUBLISHED else "-" for r in runs]
        known = ", ".join(f"{k} {v:.3f}" for k, v in PUBLISHED.get(name, {}).items())
        rows.append([name, *cells, known])
    head = ["set", *(TITLES[m] for m in methods), "published (ECML/RCML, AAAI 2024, Table 2)"]
    return "## Published tables: random 80/20 splits, ten runs\n\n" + _markdown(head, rows) + "\n"


def _fresh(records, tag):
    records = stats.add_tuned_concatenation(stats.select(records, "fresh", tag))
    found = stats.accuracies(records)
    methods, names, scores = _ranked(found)
    if len(names) < 2:
        return ""
    result = stats.ranking(scores)
    n_test = {r["set"]: r["n_test"] for r in records}
    parts = [
        f"## Fresh splits of {len(names)} sets\n",
        FRESH,
        _accuracy_table(found, sorted(found), _present(found, SHOWN), n_test) + "\n",
        _rank_table(methods, scores, result) + "\n",
        f"Friedman's test: p = {result.p_value:.2g}; critical difference "
        f"{result.critical_difference:.2f}.\n",
        _wins_table(found, (*COLUMNS, stats.TUNED, "single_view")) + "\n",
    ]
    return "\n".join(parts)


def _robustness(records, folder, link):
    from . import figures

    records = stats.add_tuned_concatenation(records)
    for kind, (title, xlabel) in AXES.items():
        levels = sorted(
            {r["perturbation"] for r in records if r["perturbation"].startswith(kind)},
            key=lambda p: float(p[len(kind) :]),
        )
        if not levels:
            continue
        found = {level: stats.accuracies(records, level) for level in ["", *levels]}
        methods = sorted(
            {m for level in levels for c in found[level].values() for m in c},
            key=[*SHOWN, *METHODS].index,
        )
        common, scores = stats.at_levels(found, methods)
        if not common:
            continue
        base = scores[""]
        lines, rows = {}, []
        for i, m in enumerate(methods):
            change = [s[:, i] - base[:, i] for s in scores.values()]
            errors = [c.std(ddof=1) / np.sqrt(len(c)) if len(c) > 1 else 0.0 for c in change]
            lines[TITLES[m]] = [s[:, i].mean() for s in scores.values()], errors
            rows.append(
                [TITLES[m], f"{base[:, i].mean():.4f}"]
                + [
                    f"{c.mean():+.4f} ± {e:.4f}"
                    for c, e in zip(change[1:], errors[1:], strict=True)
                ]
            )
        ticks = [float(level[len(kind) :]) if level else 0.0 for level in scores]
        path = figures.curves(ticks, lines, xlabel, folder / f"robustness_{kind}.svg")
        yield f"### {title}\n\nMean over {len(common)} sets; changes from the unperturbed sets.\n"
        yield _markdown(["method", "0", *(f"{t:g}" for t in ticks[1:])], rows) + "\n"
        yield f"![{title}]({link}/{path.name})\n"


def _behind(found, methods):
    """Sets where another column is ahead by more than a tie, on the splits that both have."""
    gaps = {}
    for method in methods:
        names, scores = stats.matrix(found, (method, OURS), complete=False)
        for name, (theirs, ours) in zip(names, scores, strict=True):
            gaps.setdefault(name, {})[method] = theirs - ours
    lines = []
    for name in sorted(gaps):
        best = max(gaps[name], key=gaps[name].get)
        if gaps[name][best] > stats.TIE:
            lines.append(f"- `{name}`: {TITLES[best]} is {gaps[name][best]:.3f} ahead.")
    return "\n".join(lines) or "None."


def _skipped(records):
    reasons = {}
    for r in records:
        if "skipped" in r:
            reason = r["skipped"].split(". ")[0].rstrip(".") + "."  # the rest may be cut off
            where = f"{r['set']} ({r['perturbation']})" if r["perturbation"] else r["set"]
            reasons.setdefault((TITLES[r["method"]], reason), set()).add(where)
    return "\n".join(
        f"- {title} on {', '.join(sorted(names)) if len(names) < 6 else f'{len(names)} sets'}: "
        f"{reason}"
        for (title, reason), names in reasons.items()
    )


def summary(records, names=None, tag=None, protocol="fixed"):
    """Average rank and mean accuracy in a few lines, on the given sets."""
    records = stats.add_tuned_concatenation(stats.select(records, protocol, tag))
    found = stats.accuracies(records)
    found = {n: c for n, c in found.items() if names is None or n in names}
    methods = _present(found, (OURS, *COLUMNS))
    common, scores = stats.matrix(found, methods)
    if not common or len(methods) < 2:
        return "Too few results for a table of ranks."
    text = f"{len(common)} sets\n" + _rank_table(methods, scores, stats.ranking(scores))
    return text + "\n\n" + _wins_table(found, (stats.TUNED, "single_view"))


def write(records, path, tag=None):
    """Write the report and its figures; returns the paths."""
    from . import figures

    path = Path(path)
    folder, link = path.parent / "figures", "figures"
    folder.mkdir(parents=True, exist_ok=True)
    chosen = stats.add_tuned_concatenation(stats.select(records, "fixed", tag))
    found = stats.accuracies(chosen)
    n_test = {r["set"]: r["n_test"] for r in chosen}
    methods, names, scores = _ranked(found)
    own = sorted({r["version"] for r in chosen if r["method"].startswith(OURS)})
    versions = sorted({r["version"] for r in chosen} - set(own))
    parts = [RERUN + BUDGET, PROTOCOL, f"legofuse {', '.join(own)}; {', '.join(versions)}.\n"]
    parts += ["## Accuracy\n", *_families(found, n_test)]
    if len(names) > 1 and len(methods) > 2:
        result = stats.ranking(scores)
        titles = [TITLES[m] for m in methods]
        figures.critical_difference(
            titles, result.ranks, result.critical_difference, folder / "critical_difference.svg"
        )
        parts += [
            f"## Ranks over {len(names)} sets\n",
            _rank_table(methods, scores, result) + "\n",
            f"Friedman's test (Iman and Davenport's form): p = {result.p_value:.2g}; Nemenyi's "
            f"critical difference at 5%: {result.critical_difference:.2f}. Bars join methods that "
            "it does not tell apart.\n",
            f"![Critical-difference diagram]({link}/critical_difference.svg)\n",
        ]
    others = [m for m in _present(found, SHOWN) if m != OURS]
    parts += [
        "## Wins and losses\n",
        f"Level: within {stats.TIE}.\n",
        _wins_table(found, others) + "\n",
        "Sets where another column is ahead:\n",
        _behind(found, (*COLUMNS, *BESIDE)) + "\n",
        _variant_table(found),
        _fresh(records, tag),
        _published(records, tag),
    ]
    robustness = list(_robustness(stats.select(records, "fixed", tag), folder, link))
    if robustness:
        parts += ["## Robustness\n", *robustness]
    clean = [r for r in chosen if not r["perturbation"] and r["method"] != stats.TUNED]
    parts += ["## Time and memory\n", "Tuning included; one thread; memory above the data.\n"]
    parts += [_cost_table(clean) + "\n"]
    ran = {r["method"] for r in chosen} | ELSEWHERE
    absent = [m.title for m in METHODS.values() if m.name not in ran]
    if absent:
        parts += ["## Not run\n", f"No result in this file yet: {'; '.join(absent)}.\n"]
    skipped = _skipped(chosen)
    if skipped:
        parts += ["## Skipped\n", skipped + "\n"]
    path.write_text("\n".join([*(p for p in parts if p), NOT_SHOWN.lstrip("\n")]), encoding="utf-8")
    return [path, *sorted(folder.glob("*.svg"))]
