"""Public multi-view sets, downloaded once and cached by scikit-learn."""

import warnings
from importlib.util import find_spec

import numpy as np
from sklearn.datasets import fetch_openml, get_data_home
from sklearn.utils import Bunch

from ._slices import slices

_MFEAT = {"fourier": 14, "factors": 12, "karhunen": 16, "pixel": 20, "zernike": 22}
_MFEAT["morphological"] = 18
_ADS = {"geometry": 4, "url": 457, "origurl": 495, "ancurl": 472, "alt": 111, "caption": 19}
_HAR = {
    "acceleration": 120,  # time domain: body, gravity, jerk; 40 statistics each
    "rotation": 80,  # time domain: gyroscope and its jerk
    "magnitude": 65,  # time domain: norms of these five signals
    "acceleration_frequency": 158,
    "rotation_frequency": 79,
    "magnitude_frequency": 52,
    "angle": 7,
}


def fetch_mfeat(*, data_home=None):
    """The UCI Multiple Features set: 2000 handwritten digits in six views, from OpenML.

    Six OpenML sets (ids 12, 14, 16, 18, 20, 22), one for each view, with the same rows: their
    labels are compared.

    Parameters
    ----------
    data_home : str or Path, optional
        Folder of the cache, by default scikit-learn's (`sklearn.datasets.get_data_home`).

    Returns
    -------
    Bunch
        ``X`` (2000, 649), ``y`` (labels as OpenML gives them), ``views``, ``DESCR``.

    Raises
    ------
    ConnectionError
        If the set is not in the cache and cannot be downloaded.

    Notes
    -----
    R. P. W. Duin, "Multiple Features", UCI Machine Learning Repository, CC BY 4.0.
    """
    parts = {
        name: _from_openml(data_id, f"mfeat-{name}", data_home) for name, data_id in _MFEAT.items()
    }
    first = parts["fourier"]
    for name, part in parts.items():
        if not np.array_equal(part.y, first.y):
            raise ValueError(f"the rows of mfeat-{name} and mfeat-fourier do not correspond.")
    return Bunch(
        X=np.hstack([part.X for part in parts.values()]),
        y=first.y,
        views=slices({name: part.X.shape[1] for name, part in parts.items()}),
        DESCR=first.DESCR,
    )


def fetch_internet_ads(*, data_home=None):
    """The UCI Internet Advertisements set: which images on web pages are advertisements.

    OpenML id 40978. The six views are the groups that the set's own documentation (``ad.names``)
    lists in the order of the columns: image geometry (height, width, their ratio, local) and words
    of the page's URL, the image's URL, the link's URL, the alt text and the caption.

    Parameters
    ----------
    data_home : str or Path, optional
        Folder of the cache, by default scikit-learn's.

    Returns
    -------
    Bunch
        ``X`` (3279, 1558), ``y``, ``views``, ``DESCR``. Unknown geometry (28% of the rows) is as
        OpenML has it.

    Raises
    ------
    ConnectionError
        If the set is not in the cache and cannot be downloaded.

    Notes
    -----
    N. Kushmerick, "Learning to remove Internet advertisements", Autonomous Agents 1999. CC BY 4.0.
    """
    return _fetch_blocks(40978, "Internet-Advertisements", _ADS, data_home)


def fetch_har(*, data_home=None):
    """The UCI Human Activity Recognition set: 10299 windows of phone sensors, six activities.

    OpenML id 1478. Its columns have no names there; the seven views follow the order of UCI's
    ``features.txt``: accelerometer, gyroscope and norms in the time domain, the same in the
    frequency domain, and angles.

    Parameters
    ----------
    data_home : str or Path, optional
        Folder of the cache, by default scikit-learn's.

    Returns
    -------
    Bunch
        ``X`` (10299, 561), ``y``, ``views``, ``DESCR``.

    Raises
    ------
    ConnectionError
        If the set is not in the cache and cannot be downloaded.

    Notes
    -----
    D. Anguita et al., "A public domain dataset for human activity recognition using smartphones",
    ESANN 2013.
    """
    return _fetch_blocks(1478, "har", _HAR, data_home)


def fetch_gas_drift(*, data_home=None):
    """The UCI Gas Sensor Array Drift set: 13910 measurements of six gases by 16 sensors.

    OpenML id 1476. Each sensor is a view of its eight features, which are adjacent columns
    according to UCI's description of the set.

    Parameters
    ----------
    data_home : str or Path, optional
        Folder of the cache, by default scikit-learn's.

    Returns
    -------
    Bunch
        ``X`` (13910, 128), ``y``, ``views`` (sensor0 to sensor15), ``DESCR``.

    Raises
    ------
    ConnectionError
        If the set is not in the cache and cannot be downloaded.

    Notes
    -----
    A. Vergara et al., "Chemical gas sensor drift compensation using classifier ensembles", Sensors
    and Actuators B 166, 2012.
    """
    widths = {f"sensor{i}": 8 for i in range(16)}
    return _fetch_blocks(1476, "gas-drift", widths, data_home)


def _fetch_blocks(data_id, name, widths, data_home):
    data = _from_openml(data_id, name, data_home)
    if data.X.shape[1] != sum(widths.values()):
        raise ValueError(
            f"OpenML's {name} (id {data_id}) has {data.X.shape[1]} columns, not the documented "
            f"{sum(widths.values())}: it has changed, and the views are not known."
        )
    return Bunch(views=slices(widths), **data)


def _from_openml(data_id, name, data_home):
    """X as floats, y and DESCR of one OpenML set, from scikit-learn's cache or the network."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="A network error occurred")
        try:
            data = fetch_openml(
                data_id=data_id,
                data_home=data_home,
                as_frame=False,
                parser="pandas" if find_spec("pandas") else "liac-arff",
            )
        except OSError as error:  # URLError, timeouts
            raise ConnectionError(
                f"{name} (OpenML id {data_id}) is not in the cache and could not be downloaded "
                f"({error}). Call this once where there is a network, or copy the folder "
                f"{get_data_home(data_home)}/openml.org from such a machine; `data_home` names "
                "another place. load_digits_views() needs no network."
            ) from error
    return Bunch(X=np.asarray(data.data, dtype=np.float64), y=data.target, DESCR=data.DESCR)
