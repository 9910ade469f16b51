"""The page on domains and missing views: written from results alone."""

import textwrap
from pathlib import Path

import numpy as np

from . import domains, report, stats

TEXT = """\
# Domains and missing views: measurements

Written by `python -m benchmarks.quality --protocol domains --report`; no figure is typed by hand.

```
python -m benchmarks.quality --protocol missing
python -m benchmarks.quality --protocol domains      # skada and imml are optional
python -m benchmarks.quality --protocol domains --report
```

## Missing views

A share of all blocks (a row's view) is removed at random in training and test rows, the same ones
for all methods; each row keeps one view, so that with two views at most half can go. legofuse runs
with defaults; the SVM is tuned after filling in training means. NEMO embeds training and test rows
together, the test labels unseen.
"""
DOMAINS = """\
## Domains

`leave-one-out`: no row of the test domain has a label, and legofuse aligns its rows by themselves
(`unseen_domains="batch"`). `few-labels`: three rows a class of it have. Told the domains, legofuse
takes landmarks evenly from them (`domains="per-domain"`); all else is at its defaults. No
adaptation: the same legofuse untold, and tuned baselines on the concatenation. The methods of skada
see the unlabelled test rows when they fit. Only runs that all methods shown have are counted.
"""
PARTIAL = """\
### Where only some methods ran
"""
RAN = (
    "{title} ran on fewer sets or splits than the others, for the time that it takes. Mean "
    "accuracy of all methods, by the share of blocks removed in per cent, on what it ran on "
    "alone: {where}."
)
AIM = 0.03
ADAPTED = ("coral", "subspace")
AIMS = """\
What domains told are worth depends on what is called no adaptation. In the mean over sets and
protocols, told, legofuse is at {told:.3f}. An aim of {aim} above no adaptation is

- {svm_met} against the tuned SVM on the concatenation as it is, which the methods of skada adapt
  for: {concat_svm:.3f}, a gain of {svm_gain:+.3f};
- {own_met} against the same legofuse, not told: {legofuse_untold:.3f}, a gain of {own_gain:+.3f}.

The better of the methods of skada, {best}, is at {adapted:.3f}: {adapted_gain:+.3f} for legofuse.
"""
READING = """\
With few rows of a domain little is known of it, and telling the domains can cost more than it
gains: compare both by cross-validation, as with any choice. How domains are aligned and coupled was
chosen by holding out source domains and on other sets with sites made up; that landmarks are taken
evenly, after the reported few-label result of `dom_office_caltech_surf` had been seen to fall.

Tried on held-out source domains and made-up sites, and not kept, as most gained nothing beyond a
standard error and the rest, among so many, little more than one, or nothing on other draws:
weights by the error of leaving out a domain instead of a row, or of both;
`domain_alignment` chosen by that error; quantiles or covariances aligned beyond means and spreads;
graphs of aligned rows and of rows as they are weighed apart; no alignment of spreads; more caution
with few rows; shares of classes by soft labels; and more turns between shares and shifts.
"""


def write(path, quality, own, tag=None):
    """Write the page and its figure from the results of both protocols; returns the paths."""
    path = Path(path)
    folder = path.parent / "figures"
    folder.mkdir(parents=True, exist_ok=True)
    chosen = [r for r in stats.select(quality, "fixed", tag) if _of_missing(r, quality)]
    slow = _partial(chosen)
    wide = [r for r in chosen if r["method"] not in slow]
    names = ", ".join(f"`{n}`" for n in sorted({r["set"] for r in wide}))
    parts = [TEXT, *report._robustness(wide, folder, "figures")]
    parts += [f"Sets, where all methods have all levels: {names}.\n"]
    parts += [PARTIAL] * bool(slow) + [_beside(chosen, method, slow) for method in slow]
    parts += [DOMAINS, domains.table(own, tag) + "\n", *_aims(own, tag), READING]
    path.write_text("\n".join(parts), encoding="utf-8")
    return [path, *folder.glob("robustness_missing.svg")]


def _places(records, method):
    """Sets, splits and perturbations that a method has results for."""
    return {
        (r["set"], r["split"], r["perturbation"])
        for r in records
        if r["method"] == method and "accuracy" in r
    }


def _partial(records):
    """Methods that lack results which legofuse has: they would take sets off the curve."""
    ours = _places(records, report.OURS)
    methods = dict.fromkeys(r["method"] for r in records)
    return [method for method in methods if ours - _places(records, method)]


def _beside(records, method, partial):
    """Mean accuracy of a method and the complete ones, on the sets and splits that it ran on."""
    levels = sorted({r["perturbation"] for r in records}, key=_share)
    found = _places(records, method)
    ran = {(s, k) for s, k, _ in found if all((s, k, level) in found for level in levels)}
    if not ran:
        return ""
    others = set(partial) - {method}
    here = [r for r in records if (r["set"], r["split"]) in ran and r["method"] not in others]
    order = [*report.SHOWN, *report.METHODS].index
    methods = sorted({r["method"] for r in here}, key=order)
    by_level = {level: stats.accuracies(here, level) for level in levels}
    names, scores = stats.at_levels(by_level, methods)
    rows = [
        [report.TITLES[m], *(f"{values[:, k].mean():.4f}" for values in scores.values())]
        for k, m in enumerate(methods)
    ]
    splits = sorted({k for _, k in ran})
    where = f"split {', '.join(splits)} of {', '.join(f'`{name}`' for name in names)}"
    header = ["method", *(str(_share(level)) for level in levels)]
    title = report.TITLES[method]
    text = RAN.format(title=title[0].upper() + title[1:], where=where)
    return textwrap.fill(text, 100) + "\n\n" + report._markdown(header, rows) + "\n"


def _share(perturbation):
    """Share of blocks removed, in per cent."""
    return int(perturbation.removeprefix("missing") or 0)


def _aims(records, tag):
    """What domains told are worth, against what may be called no adaptation."""
    shown, cells = domains.means(records, tag)
    needed = {"legofuse", "legofuse_untold", "concat_svm"}
    if not cells or not needed <= set(shown) or not set(ADAPTED) & set(shown):
        return
    mean = dict(zip(shown, np.mean(list(cells.values()), axis=0).tolist(), strict=True))
    best = max((m for m in ADAPTED if m in mean), key=mean.get)
    gains = {m: mean["legofuse"] - mean[m] for m in mean}
    yield AIMS.format(
        aim=AIM,
        told=mean["legofuse"],
        **{m: mean[m] for m in needed - {"legofuse"}},
        svm_gain=gains["concat_svm"],
        svm_met="met" if gains["concat_svm"] >= AIM else "not met",
        own_gain=gains["legofuse_untold"],
        own_met="met" if gains["legofuse_untold"] >= AIM else "not met",
        best=domains.METHODS[best][0],
        adapted=mean[best],
        adapted_gain=gains[best],
    )


def _of_missing(record, records):
    """Results at shares removed and the unperturbed ones of the same set, split and method."""
    here = tuple(record[k] for k in ("set", "split", "method"))
    missing = record["perturbation"].startswith("missing")
    return missing or (
        not record["perturbation"]
        and any(
            r["perturbation"].startswith("missing")
            and tuple(r[k] for k in ("set", "split", "method")) == here
            for r in records
        )
    )
