"""The page on domains and missing views: written from results alone."""

from pathlib import Path

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
READING = """\
With few rows of a domain little is known of it, and telling the domains can cost more than it
gains: compare both by cross-validation, as with any choice. How domains are aligned and coupled was
chosen by holding out source domains and on other sets with sites made up; that landmarks are taken
evenly, after the reported few-label result of `dom_office_caltech_surf` had been seen to fall.
"""


def write(path, quality, own, tag=None):
    """Write the page and its figure from the results of both protocols; returns the paths."""
    path = Path(path)
    folder = path.parent / "figures"
    folder.mkdir(parents=True, exist_ok=True)
    chosen = [r for r in stats.select(quality, "fixed", tag) if _of_missing(r, quality)]
    names = ", ".join(f"`{n}`" for n in sorted({r["set"] for r in chosen}))
    parts = [TEXT, *report._robustness(chosen, folder, "figures")]
    parts += [f"Sets, where all methods have all levels: {names}.\n", DOMAINS]
    parts += [domains.table(own, tag) + "\n", READING]
    path.write_text("\n".join(parts), encoding="utf-8")
    return [path, *folder.glob("robustness_missing.svg")]


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
