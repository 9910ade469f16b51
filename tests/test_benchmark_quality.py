"""The quality benchmark's machinery, on small synthetic data."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from legofuse.datasets import make_views

sys.path.insert(0, str(Path(__file__).parents[1]))  # benchmarks are no part of the package

from benchmarks.quality import check, report, stats, tuning
from benchmarks.quality import data as sets
from benchmarks.quality import run as runs
from benchmarks.quality.__main__ import main
from benchmarks.quality.methods import GROUPS, METHODS, Method


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Two small sets, the second with a published split, in the folder LEGOFUSE_DATA names."""
    data = tmp_path / "data"
    data.mkdir()
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1, 2], 20)
    X = {f"X_v{i}": rng.normal(size=(60, 5)) + y[:, None] * (i + 1) / 2 for i in range(2)}
    np.savez(data / "mv_small.npz", y=y, **X)
    order = rng.permutation(60)
    np.savez(data / "omics_given.npz", y=y, train_idx=order[:40], test_idx=order[40:], **X)
    monkeypatch.setenv("LEGOFUSE_DATA", str(data))
    return tmp_path


def test_splits_are_fixed_and_published_ones_kept(folder):
    small, given = sets.load("mv_small"), sets.load("omics_given")
    splits = sets.splits(small)
    assert list(splits) == ["0", "1", "2"]
    assert all(len(train) == 30 and len(test) == 30 for train, test in splits.values())
    # the very rows: a change of these would make stored results incomparable
    assert sorted(splits["0"][0])[:8] == sorted(sets.splits(sets.load("mv_small"))["0"][0])[:8]
    assert not np.array_equal(splits["0"][0], splits["1"][0])
    assert list(sets.splits(given)) == ["given"]
    assert len(sets.splits(given)["given"][0]) == 40
    published = sets.splits(given, "published")
    assert len(published) == 10
    assert len(published["p0"][1]) == 12
    fresh = {"mv_small": sets.splits(small, "fresh"), "omics_given": sets.splits(given, "fresh")}
    for name, (n_train, n_test) in {"mv_small": (30, 30), "omics_given": (40, 20)}.items():
        assert list(fresh[name]) == ["f0", "f1", "f2", "f3", "f4"]
        for train, test in fresh[name].values():
            assert (len(train), len(test)) == (n_train, n_test)
            assert not set(train) & set(test)
    assert not np.array_equal(fresh["mv_small"]["f0"][0], splits["0"][0])
    assert list(sets.splits(given, "noise")) == ["given"]
    names = ["given", "2", "p9", "f0"]
    protocols = ["fixed", "fixed", "published", "fresh"]
    assert [sets.protocol_of(split) for split in names] == protocols


def test_sets_are_found_by_pattern(folder, monkeypatch):
    assert sets.available() == ["mv_small", "omics_given", "digits_views"]
    assert sets.available(["mv_*"]) == ["mv_small"]
    assert sets.available(["openml_mfeat"]) == ["openml_mfeat"]
    monkeypatch.delenv("LEGOFUSE_DATA")
    assert sets.available() == ["digits_views"]


def test_parts_of_blocks_are_imputed_from_training_rows_and_whole_blocks_kept():
    X = np.arange(12.0).reshape(6, 2)
    X[0, 1] = np.nan  # part of a block
    X[5] = np.nan  # a whole block
    data = sets.Data("d", {"a": X, "b": np.ones((6, 1))}, np.array([0, 1, 0, 1, 0, 1]))
    train, test = np.array([0, 1, 2]), np.array([3, 4, 5])
    task = sets.make_task(data, (train, test))
    assert task.train[0][0, 1] == pytest.approx((3 + 5) / 2)
    assert np.isnan(task.test[0][2]).all()
    _, imputed = sets.impute_blocks(task.train, task.test)
    np.testing.assert_allclose(imputed[0][2], task.train[0].mean(axis=0))


def test_perturbations_are_reproducible_and_do_what_they_say(folder):
    data = sets.load("mv_small")
    split = sets.splits(data)["0"]
    plain = sets.make_task(data, split)
    noisy = sets.make_task(data, split, "noise3")
    assert len(noisy.train) == 5
    assert noisy.train[4].shape == (30, 5)
    again = sets.make_task(data, split, "noise3")
    np.testing.assert_array_equal(noisy.test[4], again.test[4])
    wrong = sets.make_task(data, split, "label40")
    assert 0 < np.mean(wrong.y_train != plain.y_train) < 0.45
    np.testing.assert_array_equal(wrong.y_test, plain.y_test)
    scaled = sets.make_task(data, split, "scale2")
    ratio = scaled.train[0] / plain.train[0]
    np.testing.assert_allclose(ratio, np.broadcast_to(ratio[0], ratio.shape))
    with pytest.raises(ValueError, match="noiseK, labelP, scaleS or missingP"):
        sets.make_task(data, split, "wind3")


def test_a_rerun_computes_only_what_is_missing(folder, monkeypatch):
    calls = []

    def majority(views, y, names):
        calls.append(len(y))
        return lambda test: np.full(len(test[0]), np.bincount(y).argmax()), {"cv": 0.5}

    def broken(views, y, names):
        raise RuntimeError("no luck\nat all")

    for name, fit in [("majority", majority), ("broken", broken)]:
        monkeypatch.setitem(METHODS, name, Method(name, name, "baseline", fit))
    path = folder / "out" / "results.jsonl"
    arguments = ["mv_small", "omics_given"], ["majority", "broken"]
    assert runs.run(path, *arguments, limit=1) == 4
    assert runs.run(path, *arguments, limit=1) == 0
    assert len(calls) == 2
    lines = path.read_text().splitlines()
    path.write_text("\n".join(lines[1:]) + '\n{"set": "cut sho')  # lost one, another cut short
    with path.open("a") as file:
        file.write("\n")
    assert runs.run(path, *arguments, limit=1) == 1
    assert runs.run(path, *arguments) == 4  # the other two splits of mv_small
    records = runs.read(path)
    assert len({runs.key(r) for r in records}) == len(records) == 8
    assert {r["skipped"] for r in records if r["method"] == "broken"} == {"RuntimeError: no luck"}


def test_versions_key_results_of_ours_by_tag_and_peers_by_package():
    assert runs.method_version(METHODS["legofuse"], "recipe-2") == "recipe-2"
    assert runs.method_version(METHODS["legofuse_degree_1"]) == __import__("legofuse").__version__
    assert runs.method_version(METHODS["concat_lr"], "recipe-2").startswith("scikit-learn ")


def test_ranks_and_tests_of_a_hand_made_case():
    # three methods on four sets; ranks by hand: (1, 2, 3), (1, 2.5, 2.5), (2, 1, 3), (1, 2, 3)
    scores = np.array([[0.9, 0.8, 0.7], [0.9, 0.8, 0.8], [0.7, 0.9, 0.6], [0.5, 0.4, 0.3]])
    result = stats.ranking(scores)
    np.testing.assert_allclose(result.ranks, [1.25, 1.875, 2.875])
    sum_of_squares = 1.25**2 + 1.875**2 + 2.875**2
    chi2 = 12 * 4 / (3 * 4) * (sum_of_squares - 3 * 16 / 4)
    assert result.chi2 == pytest.approx(chi2)
    # Demsar's table 5: q_0.05 = 2.343 for three methods
    assert result.critical_difference == pytest.approx(2.343 * np.sqrt(3 * 4 / (6 * 4)), abs=1e-3)
    assert 0 < result.p_value < 0.2


def _record(name, split, method, accuracy, **more):
    base = {"set": name, "split": split, "perturbation": "", "method": method, "version": "1"}
    timing = {"fit_seconds": 1.0, "predict_seconds": 0.1, "peak_mb": None, "n_test": 50}
    return {**base, **timing, "accuracy": accuracy, **more}


def test_wins_count_sets_beyond_the_margin():
    records = [
        _record(name, split, method, accuracy)
        for name, ours, other in [("mv_a", 0.9, 0.8), ("mv_b", 0.803, 0.8), ("mv_c", 0.7, 0.8)]
        for method, accuracy in [("legofuse", ours), ("concat_lr", other)]
        for split in ("0", "1")
    ]
    result = stats.wins(stats.accuracies(records), "legofuse", "concat_lr")
    assert (result["wins"], result["ties"], result["losses"]) == (1, 1, 1)
    assert result["mean"] == pytest.approx(0.001)


def test_levels_are_compared_on_the_same_splits():
    records = [_record("mv_a", split, "legofuse", a) for split, a in [("0", 0.9), ("1", 0.5)]]
    noisy = _record("mv_a", "0", "legofuse", 0.8, perturbation="noise1")
    by_level = {level: stats.accuracies([*records, noisy], level) for level in ("", "noise1")}
    names, scores = stats.at_levels(by_level, ["legofuse"])
    assert names == ["mv_a"]
    assert (scores[""].item(), scores["noise1"].item()) == (0.9, 0.8)
    both = [*records, _record("mv_a", "0", "concat_lr", 0.7)]
    assert stats.wins(stats.accuracies(both), "legofuse", "concat_lr")["mean"] == pytest.approx(0.2)
    assert stats.matrix(stats.accuracies(both), ["legofuse", "concat_lr"])[0] == []


def test_tuned_concatenation_is_chosen_by_cross_validation_not_by_test_accuracy():
    records = [
        _record("mv_a", "0", "concat_lr", 0.9, cv=0.7),
        _record("mv_a", "0", "concat_svm", 0.6, cv=0.8),
        _record("mv_b", "0", "concat_lr", 0.9, cv=0.7),  # its SVM is still missing
    ]
    found = stats.accuracies(stats.add_tuned_concatenation(records))
    assert found["mv_a"][stats.TUNED] == {"0": 0.6}
    assert stats.TUNED not in found["mv_b"]


def test_results_of_another_version_are_left_out():
    records = [
        _record("mv_a", "0", "legofuse", 0.5),
        {**_record("mv_a", "0", "legofuse", 0.9), "version": "2"},
    ]
    assert stats.accuracies(stats.select(records))["mv_a"]["legofuse"] == {"0": 0.9}
    assert stats.accuracies(stats.select(records, tag="1"))["mv_a"]["legofuse"] == {"0": 0.5}


def test_the_budget_holds_and_preparations_are_learned_from_training_rows():
    with pytest.raises(ValueError, match="exceed the budget"):
        tuning.grid(a=range(5), b=range(3))
    rng = np.random.default_rng(0)
    train, other = rng.normal(3, 2, (20, 40)), rng.normal(3, 2, (5, 40))
    own, far = tuning.prepare(train, other, "standardise")
    np.testing.assert_allclose(own.mean(axis=0), 0, atol=1e-12)
    assert np.mean(np.sum(own**2, axis=1)) == pytest.approx(1)
    assert abs(far.mean()) > 1e-4
    inner, outer = tuning.to_span(own, far)
    assert inner.shape[1] <= 20
    np.testing.assert_allclose(outer @ inner.T, far @ own.T, atol=1e-10)
    np.testing.assert_allclose(
        tuning.side_by_side([train[:, :10], train[:, 10:]], [other[:, :10], other[:, 10:]],
                            "standardise")[0] @ np.eye(40),
        own,
    )  # fmt: skip


@pytest.mark.others_draw
@pytest.mark.parametrize(
    "method", ["legofuse", "concat_lr", "concat_svm", "late_lr", "single_view"]
)
def test_methods_learn_an_easy_set(method):
    data = make_views(n_samples=120, random_state=0)
    views = {name: data.X[:, part] for name, part in data.views.items()}
    data = sets.Data("easy", views, np.asarray(data.y))
    result = runs.evaluate(sets.make_task(data, sets.splits(data)["0"]), METHODS[method])
    assert result["accuracy"] > 1.3 * np.bincount(data.y).max() / 120
    json.dumps(result)


@pytest.mark.others_draw
def test_the_command_runs_and_reports(folder, capsys, monkeypatch):
    out, page = folder / "r.jsonl", folder / "docs" / "page.md"
    page.parent.mkdir()
    names = ["legofuse", "concat_lr", "concat_svm"]
    assert main(["--methods", *names, "--sets", "mv_*", "omics_*", "--out", str(out)]) == 0
    assert "average rank" in capsys.readouterr().out
    main(["--methods", "legofuse", "concat_lr", "--sets", "mv_*", "--protocol", "noise",
          "--splits", "1", "--out", str(out)])  # fmt: skip
    main(["--methods", *names, "--protocol", "fresh", "--sets", "mv_*", "omics_*",
          "--splits", "1", "--out", str(out)])  # fmt: skip
    assert main(["--report", str(page), "--out", str(out)]) == 0
    text = page.read_text()
    assert "nan" not in text
    for heading in ("## Accuracy", "## Ranks over 2 sets", "## Wins and losses",
                    "## Fresh splits of 2 sets", "## Time"):  # fmt: skip
        assert heading in text
    assert (page.parent / "figures" / "critical_difference.svg").exists()
    main(["--list"])
    assert "mv_small" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="unknown method 'magic'"):
        main(["--methods", "magic"])


def test_results_without_a_column_give_no_ranks_instead_of_an_error():
    records = [_record("mv_a", "0", "boosting_nan", 0.9)]
    assert "Too few results" in report.summary(records)


def test_the_groups_name_methods_that_exist():
    assert set().union(*GROUPS.values()) <= set(METHODS)
    assert set(report.SHOWN) - {stats.TUNED} <= set(METHODS)


def test_a_fall_of_more_than_two_standard_errors_is_seen(folder, monkeypatch, capsys):
    monkeypatch.setattr(check, "CHECKED", ("mv_small",))
    path = folder / "stored.json"
    assert check.check(store=True, path=path) == 0
    assert check.check(path=path) == 0
    stored = json.loads(path.read_text())
    stored["mv_small"]["accuracy"] += 2.5 * stored["mv_small"]["error"]
    path.write_text(json.dumps(stored))
    assert check.check(path=path) == 1
    assert "FELL" in capsys.readouterr().out


def test_blocks_are_removed_alike_and_every_row_keeps_one():
    from benchmarks.quality.missing import remove_blocks

    views = [np.ones((40, 2)), np.ones((40, 3)), np.ones((40, 1))]
    for share in (0.1, 0.5, 0.9):
        train, test = remove_blocks(views, views, share, np.random.default_rng(0))
        for part in (train, test):
            gone = np.stack([np.isnan(X).all(axis=1) for X in part], axis=1)
            assert not gone.all(axis=1).any()
            assert gone.sum() == min(round(share * 120), 80)
            assert all(
                (np.isnan(X).any(axis=1) == g).all() for X, g in zip(part, gone.T, strict=True)
            )


def test_late_fusion_votes_with_the_views_a_row_has():
    from benchmarks.quality.missing import late_present

    rng = np.random.default_rng(0)
    y = np.arange(60) % 2
    views = [rng.normal(size=(60, 3)) + 4 * y[:, None] for _ in range(2)]
    views[0][::3], views[1][1::3] = np.nan, np.nan
    predict, _ = late_present(views, y, ["a", "b"])
    assert np.mean(predict(views) == y) > 0.95


def test_domains_are_left_out_or_known_by_few_labels(tmp_path, monkeypatch):
    from benchmarks.quality import domains, page

    rng = np.random.default_rng(0)
    y, domain = np.arange(90) % 2, np.repeat([0, 1, 2], 30)
    X = rng.normal(size=(90, 4)) + 3 * y[:, None] + 5 * domain[:, None]
    np.savez(tmp_path / "dom_small.npz", X_a=X, y=y, domain=domain)
    monkeypatch.setenv("LEGOFUSE_DATA", str(tmp_path))
    task = domains.make_task("dom_small", "leave-one-out", "1", 0)
    assert set(task.domain) == {"0", "2"}
    few = domains.make_task("dom_small", "few-labels", "1", 0)
    assert np.count_nonzero(few.domain == "1") == 6
    assert len(few.y_test) == 24
    out = tmp_path / "domains.jsonl"
    domains.run(out, only=["legofuse", "concat_lr"])
    domains.run(out, only=["legofuse", "concat_lr"])
    assert len(out.read_text().splitlines()) == 12
    paths = page.write(tmp_path / "page.md", [], domains.read(out))
    assert "| dom_small | few-labels |" in paths[0].read_text()


def _missing_records(sets_of):
    """Results of methods at two levels: (method, set) to (whole, half removed)."""
    for (method, name), values in sets_of.items():
        for perturbation, accuracy in zip(("", "missing50"), values, strict=True):
            key = {"set": name, "split": "0", "perturbation": perturbation, "method": method}
            yield key | {"version": "1", "accuracy": accuracy, "n_test": 10}


def _domain_records(accuracies):
    for method, accuracy in accuracies.items():
        key = {"set": "dom_a", "protocol": "few-labels", "target": "x", "seed": 0}
        yield key | {"method": method, "version": "1", "accuracy": accuracy}


def test_a_method_that_ran_on_few_sets_takes_none_off_the_curve(tmp_path):
    from benchmarks.quality import page

    records = list(
        _missing_records(
            {
                ("legofuse", "mv_a"): (0.9, 0.7),
                ("legofuse", "mv_b"): (0.8, 0.5),
                ("concat_svm", "mv_a"): (0.8, 0.6),
                ("concat_svm", "mv_b"): (0.7, 0.4),
                ("boosting_nan", "mv_b"): (0.75, 0.45),
            }
        )
    )
    text = page.write(tmp_path / "page.md", records, [], "1")[0].read_text()
    assert "Mean over 2 sets" in text
    assert "| legofuse | 0.8500 | -0.2500" in text
    assert "alone: split 0 of `mv_b`." in text.replace("\n", " ")
    assert "| gradient boosting, NaN as a value | 0.7500 | 0.4500 |" in text
    assert "| legofuse | 0.8000 | 0.5000 |" in text
    records += _missing_records({("boosting_nan", "mv_a"): (0.75, 0.45)})
    text = page.write(tmp_path / "page.md", records, [], "1")[0].read_text()
    assert "Where only some" not in text
    assert "| gradient boosting, NaN as a value | 0.7500 | -0.3000" in text


def test_gains_by_domains_told_are_read_from_results(tmp_path):
    from benchmarks.quality import page

    found = {"legofuse": 0.74, "legofuse_untold": 0.72, "concat_svm": 0.69, "coral": 0.67}
    text = page.write(tmp_path / "page.md", [], list(_domain_records(found)), "1")[0].read_text()
    assert "- met against the tuned SVM" in text
    assert "0.690, a gain of +0.050" in text
    assert "- not met against the same legofuse, not told: 0.720, a gain of +0.020" in text
    assert "CORAL + RBF SVM, is at 0.670: +0.070" in text


def test_a_column_is_ahead_on_the_splits_that_both_have():
    from benchmarks.quality.report import _behind

    records = [_record("mv_a", str(k), "legofuse", v) for k, v in enumerate((0.9, 0.7, 0.7))]
    records.append(_record("mv_a", "0", "boosting", 0.85))
    found = stats.accuracies(records)
    assert _behind(found, ("legofuse", "boosting")) == "None."
    records.append(_record("mv_a", "1", "snf", 0.8))
    found = stats.accuracies(records)
    ahead = _behind(found, ("legofuse", "boosting", "snf"))
    assert ahead == "- `mv_a`: snfpy label spreading is 0.100 ahead."
