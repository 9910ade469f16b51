"""Data sets: invariances of the descriptors, labels of the bags, errors of files and downloads."""

import os
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_digits
from sklearn.linear_model import RidgeClassifierCV
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import Bunch

from legofuse import datasets
from legofuse.datasets import _openml
from legofuse.datasets._descriptors import DESCRIPTORS


# ------------------------------------------------------------------ digits
@pytest.fixture(scope="module")
def digits():
    return datasets.load_digits_views()


def accuracy(X, y):
    model = make_pipeline(StandardScaler(), RidgeClassifierCV(np.logspace(-3, 4, 8)))
    return cross_val_score(model, X, y, cv=3).mean()


def test_digits_views_cover_X_once(digits):
    assert digits.X.shape == (1797, 274)
    assert digits.X.dtype == np.float64
    assert np.isfinite(digits.X).all()
    assert len(digits.views) == 6
    covered = np.concatenate([np.arange(274)[columns] for columns in digits.views.values()])
    assert_array_equal(covered, np.arange(274))
    assert len(set(digits.feature_names)) == 274
    assert digits.feature_names[digits.views["zernike"]][0] == "zernike0"
    assert digits.descriptions.keys() == digits.views.keys()
    assert_array_equal(digits.X[:, digits.views["pixels"]], load_digits().data)
    assert_array_equal(digits.y, load_digits().target)


def test_every_view_tells_digits_apart_and_all_together_more(digits):
    alone = {name: accuracy(digits.X[:, c], digits.y) for name, c in digits.views.items()}
    assert min(alone.values()) > 0.7
    assert accuracy(digits.X, digits.y) > max(alone.values()) + 0.01


@pytest.mark.parametrize("describe", DESCRIPTORS.values(), ids=DESCRIPTORS)
def test_each_row_is_described_by_its_image_alone(describe):
    images = load_digits().images[:20]
    described = describe(images)
    assert_allclose(describe(images[7:9]), described[7:9], atol=1e-9)
    assert len(np.unique(described, axis=0)) > 1


def test_fourier_magnitudes_ignore_shifts():
    images = load_digits().images[:20]
    shifted = np.roll(images, (2, -3), axis=(1, 2))
    assert_allclose(DESCRIPTORS["fourier"](shifted), DESCRIPTORS["fourier"](images), atol=1e-9)


def test_fourier_magnitudes_lose_nothing_but_duplicates():
    magnitudes = DESCRIPTORS["fourier"](load_digits().images[:5])
    full = np.abs(np.fft.fft2(load_digits().images[:5])).reshape(5, -1)
    for row, all_of_row in zip(magnitudes, full, strict=True):
        assert_allclose(np.unique(row.round(6)), np.unique(all_of_row.round(6)), atol=1e-5)


def test_zernike_magnitudes_ignore_quarter_turns_and_flips():
    images = load_digits().images[:20]
    expected = DESCRIPTORS["zernike"](images)
    assert expected.shape == (20, 25)
    assert_allclose(DESCRIPTORS["zernike"](np.rot90(images, axes=(1, 2))), expected, atol=1e-9)
    assert_allclose(DESCRIPTORS["zernike"](images[:, ::-1]), expected, atol=1e-9)


def picture(*rows):
    image = np.zeros((1, 8, 8))
    image[0, 1 : 1 + len(rows), 1 : 1 + len(rows[0])] = [[c == "#" for c in row] for row in rows]
    return image


@pytest.mark.parametrize(
    ("image", "area", "perimeter", "euler"),
    [
        (picture("###"), 3, 8, 1),
        (picture("###", "# #", "###"), 8, 16, 0),
        (picture("#####", "# # #", "#####"), 13, 24, -1),
        (picture("# #"), 2, 8, 2),
        (picture("# ", " #"), 2, 8, 1),
    ],
)
def test_shape_of_known_pictures(image, area, perimeter, euler):
    assert_allclose(DESCRIPTORS["shape"](image)[0, :3], [area, perimeter, euler])


def test_shape_measures_the_stroke():
    line = picture("#", "#", "#", "#", "#")
    row, column, tall, wide, slant, elongation = DESCRIPTORS["shape"](line)[0, 3:]
    assert_allclose([row, column, tall, wide, slant, elongation], [3, 1, 2, 0, 0, 1])
    assert DESCRIPTORS["shape"](picture("# ", " #"))[0, 7] > 0
    assert DESCRIPTORS["shape"](picture(" #", "# "))[0, 7] < 0


def test_gradients_point_the_way_the_grey_grows():
    across = np.tile(np.arange(8.0), (1, 8, 1))
    cells = DESCRIPTORS["gradients"](across).reshape(9, 8)
    assert_allclose(cells[:, 0], 16)  # each cell: 16 pixels of slope 1, all in bin 0
    assert_allclose(cells[:, 1:], 0, atol=1e-12)
    down = DESCRIPTORS["gradients"](across.swapaxes(1, 2)).reshape(9, 8)
    assert_allclose(down[:, 2], 16)


def test_profiles_of_a_line():
    profile = DESCRIPTORS["profiles"](picture("###"))[0]
    assert_array_equal(profile[:8], [0, 1, 1, 1, 0, 0, 0, 0])
    assert_array_equal(profile[8:16], [0, 3, 0, 0, 0, 0, 0, 0])
    assert_array_equal(profile[16:24], [8, 1, 1, 1, 8, 8, 8, 8])  # depth from above
    assert_array_equal(profile[24:32], [8, 6, 6, 6, 8, 8, 8, 8])  # from below


# ------------------------------------------------------------------ bags of digits
def test_digit_bags_hold_what_their_labels_say(digits):
    data = datasets.make_digit_bags(
        40, (3, 6), digit=4, witnesses=(1, 2), anomalous=0.3, random_state=0
    )
    assert len(data.bags) == len(data.y) == len(data.unit_y) == 40
    assert data.y.sum() == 12
    for bag, label, unit_y, index in zip(data.bags, data.y, data.unit_y, data.index, strict=True):
        assert_array_equal(bag, digits.X[index])
        assert_array_equal(unit_y, digits.y[index] == 4)
        assert 3 <= len(bag) <= 6
        assert 1 <= unit_y.sum() <= 2 if label else unit_y.sum() == 0
        assert len(set(index)) == len(index)
    assert {len(bag) for bag in data.bags} == {3, 4, 5, 6}
    assert data.views == digits.views


def test_digit_bags_are_deterministic_and_leave_the_global_rng_alone(global_state_stays):
    one, two = (datasets.make_digit_bags(5, random_state=3) for _ in range(2))
    for bag, other in zip(one.bags, two.bags, strict=True):
        assert_array_equal(bag, other)
    assert_array_equal(one.y, two.y)


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"digit": 10}, "digit must be one of 0 to 9, got 10"),
        ({"units_per_bag": (0, 3)}, "units_per_bag must be an int or a range"),
        ({"units_per_bag": (5, 3)}, "units_per_bag must be an int or a range"),
        ({"units_per_bag": 3, "witnesses": 4}, "witnesses=4 asks for more images"),
        ({"n_bags": 0}, "n_bags must be an int of at least 1"),
        ({"anomalous": 1.5}, r"anomalous in \[0, 1\]"),
        ({"n_bags": 2.5}, "n_bags must be an int of at least 1"),
        ({"units_per_bag": 2.5}, "units_per_bag must be an int or a range"),
        ({"units_per_bag": (8, np.inf)}, "units_per_bag must be an int or a range"),
        ({"witnesses": (1, 2, 3)}, "witnesses must be an int or a range"),
        ({"units_per_bag": 1700}, "witnesses must be at most 180, units_per_bag at most 1617"),
        ({"units_per_bag": 200, "witnesses": 190}, "witnesses must be at most 180"),
    ],
)
def test_bad_digit_bags(kwargs, message):
    with pytest.raises(ValueError, match=message):
        datasets.make_digit_bags(**kwargs)


# ------------------------------------------------------------------ synthetic views
def test_make_views_informs_where_it_says():
    data = datasets.make_views(600, n_noise=1, class_sep=3.0, n_classes=3, random_state=0)
    assert list(data.views) == ["informative0", "informative1", "redundant0", "noise0"]
    told = {name: accuracy(data.X[:, columns], data.y) for name, columns in data.views.items()}
    assert min(told["informative0"], told["informative1"], told["redundant0"]) > 0.8
    assert told["noise0"] < 0.45
    again = datasets.make_views(600, n_noise=1, class_sep=3.0, n_classes=3, random_state=0)
    assert_array_equal(again.X, data.X)


def test_make_views_interaction_needs_products_of_views():
    data = datasets.make_views(600, interaction=True, class_sep=4.0, random_state=0)
    assert accuracy(data.X, data.y) < 0.6
    first, second = (data.X[:, data.views[f"informative{i}"]] for i in range(2))
    products = np.einsum("ni,nj->nij", first, second).reshape(600, -1)
    assert accuracy(products, data.y) > 0.9


def test_make_views_missing_blocks():
    data = datasets.make_views(300, missing=0.5, n_features=3, random_state=0)
    gone = np.isnan(data.X).reshape(300, 4, 3)
    assert_array_equal(gone.all(axis=2), gone.any(axis=2))
    assert not gone.all(axis=(1, 2)).any()
    assert 0.3 < gone.mean() < 0.45


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"n_informative": 0}, "at least one informative view"),
        ({"n_noise": -1}, "at least one informative view"),
        ({"interaction": True, "n_classes": 3}, "interaction=True makes two classes"),
        ({"missing": 1.0}, r"missing must be in \[0, 1\)"),
    ],
)
def test_bad_make_views(kwargs, message):
    with pytest.raises(ValueError, match=message):
        datasets.make_views(**kwargs)


# ------------------------------------------------------------------ OpenML, without a network
WIDTHS = {14: 76, 12: 216, 16: 64, 20: 240, 22: 47, 18: 6, 40978: 1558, 1478: 561, 1476: 128}


@pytest.fixture
def openml(monkeypatch):
    """Stands in for scikit-learn's fetch_openml; `calls` records what was asked of it."""
    calls = []

    def fetch(*, data_id, **kwargs):
        calls.append({"data_id": data_id, **kwargs})
        data = np.full((4, WIDTHS[data_id]), data_id).astype(str).astype(object)
        return Bunch(data=data, target=np.array(list("aabb")), DESCR=f"set {data_id}")

    monkeypatch.setattr(_openml, "fetch_openml", fetch)
    return calls


def test_fetch_mfeat_joins_its_six_parts(openml, tmp_path):
    data = datasets.fetch_mfeat(data_home=tmp_path)
    assert data.X.shape == (4, 649)
    assert data.X.dtype == np.float64
    assert_array_equal(data.y, list("aabb"))
    ids = {name: data.X[0, columns][0] for name, columns in data.views.items()}
    assert ids == {
        "fourier": 14, "factors": 12, "karhunen": 16, "pixel": 20, "zernike": 22,
        "morphological": 18,
    }  # fmt: skip
    assert all(call["data_home"] == tmp_path for call in openml)


def test_fetch_mfeat_refuses_rows_that_do_not_correspond(monkeypatch, openml):
    fetch = _openml.fetch_openml

    def shuffled(*, data_id, **kwargs):
        data = fetch(data_id=data_id, **kwargs)
        return Bunch(**{**data, "target": data.target[::-1]}) if data_id == 22 else data

    monkeypatch.setattr(_openml, "fetch_openml", shuffled)
    with pytest.raises(ValueError, match="rows of mfeat-zernike and mfeat-fourier"):
        datasets.fetch_mfeat()


@pytest.mark.parametrize(
    ("fetch", "data_id", "n_views"),
    [
        (datasets.fetch_internet_ads, 40978, 6),
        (datasets.fetch_har, 1478, 7),
        (datasets.fetch_gas_drift, 1476, 16),
    ],
)
def test_fetch_single_tables(openml, monkeypatch, fetch, data_id, n_views):
    data = fetch()
    assert openml[0]["data_id"] == data_id
    assert len(data.views) == n_views
    covered = np.concatenate([np.arange(WIDTHS[data_id])[c] for c in data.views.values()])
    assert_array_equal(covered, np.arange(WIDTHS[data_id]))
    assert str(data_id) in data.DESCR
    monkeypatch.setitem(WIDTHS, data_id, 7)
    with pytest.raises(ValueError, match=rf"id {data_id}\) has 7 columns, not the documented"):
        fetch()


@pytest.mark.parametrize("error", [URLError("no route to host"), TimeoutError("timed out")])
def test_offline_error_says_what_to_do(monkeypatch, tmp_path, error):
    def offline(**kwargs):
        raise error

    monkeypatch.setattr(_openml, "fetch_openml", offline)
    message = r"Internet-Advertisements \(OpenML id 40978\) is not in the cache.*openml\.org"
    with pytest.raises(ConnectionError, match=message) as caught:
        datasets.fetch_internet_ads(data_home=tmp_path)
    assert str(tmp_path) in str(caught.value)


@pytest.mark.network
@pytest.mark.parametrize(
    ("fetch", "shape"),
    [
        (datasets.fetch_mfeat, (2000, 649)),
        (datasets.fetch_internet_ads, (3279, 1558)),
        (datasets.fetch_har, (10299, 561)),
        (datasets.fetch_gas_drift, (13910, 128)),
    ],
)
def test_download(fetch, shape):
    data = fetch()
    assert data.X.shape == shape
    assert np.isfinite(data.X).all()
    assert accuracy(data.X, data.y) > 0.9


# ------------------------------------------------------------------ files
def save(folder, **arrays):
    path = folder / "set.npz"
    np.savez(path, **arrays)
    return path


AUDIO, TEXT = np.arange(8.0, dtype=np.float32).reshape(4, 2), np.ones((4, 3), dtype=np.float16)


def test_load_npz(tmp_path):
    path = save(
        tmp_path, X_audio=AUDIO, X_text=TEXT, y=[0, 0, 1, 1], train_idx=[0, 2], test_idx=[1, 3],
        class_names=["a", "b"],
    )  # fmt: skip
    for data in (datasets.load_npz(path), datasets.load_npz(str(path))):
        assert data.views == {"audio": slice(0, 2), "text": slice(2, 5)}
        assert data.X.dtype == np.float32
        assert_array_equal(data.X[:, data.views["audio"]], AUDIO)
        assert_array_equal(data.y, [0, 0, 1, 1])
        assert_array_equal(data.train_idx, [0, 2])
        assert data.class_names.tolist() == ["a", "b"]


def test_load_npz_of_bags_has_weak_labels(tmp_path):
    path = save(tmp_path, X_audio=AUDIO, groups=[0, 0, 1, 2], bag_y=[1, 0, 1])
    assert_array_equal(datasets.load_npz(path).y, [1, 1, 0, 1])
    assert datasets.load_npz(save(tmp_path, X_audio=AUDIO)).y is None
    assert datasets.load_npz(save(tmp_path, X_a=AUDIO.astype("d"))).X.dtype == np.float64


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"audio": AUDIO}, r"has no view: no array is named X_<view>; found \['audio'\]"),
        ({"X_audio": AUDIO[0]}, "X_audio must be a 2-D array of numbers, got 1 dim"),
        ({"X_audio": AUDIO.astype(str)}, "X_audio must be a 2-D array of numbers, got 2 dim"),
        ({"X_audio": AUDIO.astype(object)}, "not a .npz file of plain arrays"),
        ({"X_audio": AUDIO, "X_text": TEXT[:3]}, r"different numbers of rows: .*'text': 3"),
        ({"X_audio": AUDIO, "y": [0, 1]}, r"y has shape \(2,\) for 4 rows"),
        ({"X_audio": AUDIO, "train_idx": [0, 4]}, "train_idx names rows that are not there"),
        ({"X_audio": AUDIO, "groups": [0, 0, 1, 2], "bag_y": [0, 1]}, "groups names bags"),
    ],
)
def test_bad_npz(tmp_path, arrays, message):
    path = save(tmp_path, **arrays)
    with pytest.raises(ValueError, match=message) as caught:
        datasets.load_npz(path)
    assert str(path) in str(caught.value)


def test_other_files_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError):
        datasets.load_npz(tmp_path / "none.npz")
    text = tmp_path / "text.npz"
    text.write_text("audio,video\n1,2\n", encoding="utf-8")
    single = tmp_path / "single.npy"
    np.save(single, AUDIO)
    broken = tmp_path / "broken.npz"
    broken.write_bytes(save(tmp_path, X_audio=AUDIO).read_bytes()[:100])
    for path in (text, single, broken):
        with pytest.raises(ValueError, match=r"not a \.npz file of plain arrays"):
            datasets.load_npz(path)


FOLDER = os.environ.get("LEGOFUSE_DATA")


@pytest.mark.data
@pytest.mark.skipif(not FOLDER, reason="LEGOFUSE_DATA does not name a folder of .npz files")
def test_load_npz_reads_every_local_file():
    paths = sorted(Path(FOLDER).glob("*.npz"))
    assert paths, f"no .npz file in LEGOFUSE_DATA={FOLDER}"
    for path in paths:
        data = datasets.load_npz(path)
        assert data.X.dtype == np.float32, path
        assert len(data.y) == len(data.X), path
        assert data.X.shape[1] == max(columns.stop for columns in data.views.values()), path
