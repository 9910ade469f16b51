"""The relations as functions of rows and references, and their names."""

import numpy as np
import scipy.sparse as sp

from ._encoding import densify, encode
from ._products import relate
from ._statistics import statistics


def _related(X, references, relation, stats=None, gamma=None):
    X, references = _float(X), _float(references)
    if X.shape[1] != references.shape[1]:
        raise ValueError(
            f"X has {X.shape[1]} features, but the references have {references.shape[1]}."
        )
    if stats is None and relation not in ("cosine", "angular"):
        stats = statistics(references, None, relation == "principal", relation == "linear")
    if gamma is None and relation in ("gaussian", "local", "spherical", "linear"):
        gamma = stats.widths["gaussian" if relation == "linear" else relation]
    targets = densify(encode(references, relation, stats))
    reach = np.inf if stats is None else stats.reach
    return relate(encode(X, relation, stats), targets, relation, gamma, reach=reach)


def _float(X):
    X = sp.csr_array(X) if sp.issparse(X) else np.asarray(X)
    if X.ndim != 2:
        raise ValueError(f"Expected a 2-D array of units by features; got {X.ndim} dimension(s).")
    return X if X.dtype in (np.float32, np.float64) else X.astype(np.float64)


def cosine(X, references):
    r"""Cosine similarity, the paper's relation.

    .. math:: r(x, z) = x \cdot z / (|x| |z|)

    Parameters
    ----------
    X : array-like or sparse of shape (n_units, n_features)
        Rows to look at.
    references : array-like or sparse of shape (n_references, n_features)
        Rows that the others are related to.

    Returns
    -------
    ndarray of shape (n_units, n_references)
        In [-1, 1]; 0 for a row of zeros; of the dtype of X (float32 or float64).

    Raises
    ------
    ValueError
        If the numbers of features differ.

    Examples
    --------
    >>> from legofuse.relations import cosine
    >>> cosine([[1, 0], [3, 4]], [[1, 0]])
    array([[1. ],
           [0.6]])
    """
    return _related(X, references, "cosine")


def correlation(X, references, mean=None, scale=None):
    """Cosine similarity of standardised features.

    Parameters
    ----------
    X : array-like or sparse of shape (n_units, n_features)
        Sparse rows are centred by a correction of rank one and never made dense.
    references : array-like or sparse of shape (n_references, n_features)
        Rows that the others are related to.
    mean, scale : array-like of shape (n_features,), optional
        Mean and standard deviation of the features; by default those of the references, and
        features that are constant in them are left out.

    Returns
    -------
    ndarray of shape (n_units, n_references)
        In [-1, 1]; 0 for a row at the mean.

    Raises
    ------
    ValueError
        If the numbers of features differ.

    Examples
    --------
    >>> from legofuse.relations import correlation
    >>> correlation([[0.0, 1.0], [2.0, 3.0]], [[0.0, 1.0], [2.0, 3.0]]).round(6)
    array([[ 1., -1.],
           [-1.,  1.]])
    """
    stats = statistics(_float(references))
    dtype = stats.mean.dtype
    if mean is not None:
        stats = stats._replace(mean=np.asarray(mean, dtype))
    if scale is not None:
        stats = stats._replace(scale=np.asarray(scale, dtype))
    return _related(X, references, "correlation", stats)


def angular(X, references):
    r"""Angular similarity.

    .. math:: r(x, z) = 1 - \arccos(\cos(x, z)) / \pi

    Parameters
    ----------
    X : array-like or sparse of shape (n_units, n_features)
        Rows of one view.
    references : array-like or sparse of shape (n_references, n_features)
        Rows that the others are related to.

    Returns
    -------
    ndarray of shape (n_units, n_references)
        In [0, 1]; 0.5 for a row of zeros.

    Raises
    ------
    ValueError
        If the numbers of features differ.

    Examples
    --------
    >>> from legofuse.relations import angular
    >>> angular([[1.0, 0.0]], [[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
    array([[1. , 0.5, 0. ]])
    """
    return _related(X, references, "angular")


def rbf(X, references, gamma=None):
    r"""Gaussian similarity.

    .. math:: r(x, z) = \exp(-\gamma |x - z|^2)

    Parameters
    ----------
    X : array-like or sparse of shape (n_units, n_features)
        Rows to look at.
    references : array-like or sparse of shape (n_references, n_features)
        Rows that the others are related to.
    gamma : float, optional
        By default 1 / (n_features * variance), that of all entries of the references.

    Returns
    -------
    ndarray of shape (n_units, n_references)
        In [0, 1].

    Raises
    ------
    ValueError
        If the numbers of features differ.

    Examples
    --------
    >>> from legofuse.relations import rbf
    >>> rbf([[0.0], [1.0]], [[0.0]], gamma=1.0).round(3)
    array([[1.   ],
           [0.368]])
    """
    stats = statistics(_float(references))
    return _related(X, references, "rbf", stats, stats.gamma if gamma is None else gamma)


def gaussian(X, references, gamma=None):
    r"""Gaussian similarity of standardised features.

    .. math:: r(x, z) = \exp(-\gamma |\tilde x - \tilde z|^2)

    Parameters
    ----------
    X : array-like or sparse of shape (n_units, n_features)
        Rows to look at.
    references : array-like or sparse of shape (n_references, n_features)
        Features are standardised with their mean and standard deviation.
    gamma : float, optional
        By default 1 / mean squared distance of standardised rows = 1 / (2 d), d the number of
        features that vary among the references.

    Returns
    -------
    ndarray of shape (n_units, n_references)
        In [0, 1].

    Raises
    ------
    ValueError
        If the numbers of features differ.

    Examples
    --------
    >>> from legofuse.relations import gaussian
    >>> gaussian([[0.0], [2.0]], [[0.0], [2.0]]).round(3)
    array([[1.   , 0.135],
           [0.135, 1.   ]])
    """
    return _related(X, references, "gaussian", gamma=gamma)


def local(X, references, gamma=None):
    r"""Gaussian similarity of standardised features, about a third as wide.

    .. math:: r(x, z) = \exp(-\gamma |\tilde x - \tilde z|^2)

    Parameters
    ----------
    X : array-like or sparse of shape (n_units, n_features)
        Rows to look at.
    references : array-like or sparse of shape (n_references, n_features)
        Features are standardised with their mean and standard deviation.
    gamma : float, optional
        By default 8 / mean squared distance of standardised rows = 4 / d, d the number of features
        that vary among the references: the eighth power of :func:`gaussian`.

    Returns
    -------
    ndarray of shape (n_units, n_references)
        In [0, 1].

    Raises
    ------
    ValueError
        If the numbers of features differ.

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.relations import gaussian, local
    >>> X = np.array([[0.0], [0.5], [2.0]])
    >>> bool(np.allclose(local(X, X), gaussian(X, X) ** 8))
    True
    """
    return _related(X, references, "local", gamma=gamma)


def spherical(X, references, gamma=None):
    r"""Gaussian similarity of directions: all powers of the cosine at once.

    .. math:: r(x, z) = \exp(-2 \gamma (1 - \cos(x, z)))

    Parameters
    ----------
    X : array-like or sparse of shape (n_units, n_features)
        Rows to look at.
    references : array-like or sparse of shape (n_references, n_features)
        Rows that the others are related to.
    gamma : float, optional
        By default 1 / mean squared distance of the references scaled to length 1.

    Returns
    -------
    ndarray of shape (n_units, n_references)
        In [0, 1].

    Raises
    ------
    ValueError
        If the numbers of features differ.

    Examples
    --------
    >>> from legofuse.relations import spherical
    >>> spherical([[3.0, 0.0], [0.0, 1.0]], [[1.0, 0.0]], gamma=0.5).round(3)
    array([[1.   ],
           [0.368]])
    """
    return _related(X, references, "spherical", gamma=gamma)


def bhattacharyya(X, references):
    r"""Cosine of signed square roots; for distributions, the Bhattacharyya coefficient.

    .. math:: r(x, z) = \cos(\tilde x, \tilde z), \quad
        \tilde x_k = \mathrm{sign}(x_k) \sqrt{|x_k|}

    Parameters
    ----------
    X : array-like or sparse of shape (n_units, n_features)
        Rows to look at.
    references : array-like or sparse of shape (n_references, n_features)
        Rows that the others are related to.

    Returns
    -------
    ndarray of shape (n_units, n_references)
        In [-1, 1]; in [0, 1] for counts and histograms, which large entries dominate less.

    Raises
    ------
    ValueError
        If the numbers of features differ.

    Examples
    --------
    >>> from legofuse.relations import bhattacharyya
    >>> bhattacharyya([[1, 0], [9, 16]], [[1, 0]])
    array([[1. ],
           [0.6]])
    """
    return _related(X, references, "bhattacharyya")


def robust(X, references):
    r"""Cosine of standardised features squashed by tanh, so that no outlier rules a row.

    .. math:: r(x, z) = \cos(\tanh \tilde x, \tanh \tilde z)

    Squashing by tanh is a score normalisation that suits fusion (Jain, Nandakumar and Ross 2005).

    Parameters
    ----------
    X : array-like or sparse of shape (n_units, n_features)
        Sparse rows are centred by a correction of rank one and never made dense.
    references : array-like or sparse of shape (n_references, n_features)
        Features are standardised with their mean and standard deviation.

    Returns
    -------
    ndarray of shape (n_units, n_references)
        In [-1, 1]; 0 for a row at the mean.

    Raises
    ------
    ValueError
        If the numbers of features differ.

    References
    ----------
    A. Jain, K. Nandakumar, A. Ross. Score normalization in multimodal biometric systems. Pattern
    Recognition, 2005.

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.relations import correlation, robust
    >>> X = np.array([[1.0, 0.0], [-1.0, 0.0], [1.0, 1.0], [-1.0, -1.0]])
    >>> row, outlier = np.array([[1.0, -1.0]]), np.array([[1.0, 99.0]])
    >>> correlation(outlier, X)[0, :2].round(2), robust(outlier, X)[0, :2].round(2)
    (array([ 0.01, -0.01]), array([ 0.61, -0.61]))
    """
    return _related(X, references, "robust")


def linear(X, references):
    r"""Inner product of standardised features, as linear and ridge regression have it.

    .. math:: r(x, z) = \tilde x \cdot \tilde z / d

    Rows more than twice as far from the mean as any of the references are brought back to twice
    that distance: a trend goes on beyond what is known, but its products would explode.

    Parameters
    ----------
    X : array-like or sparse of shape (n_units, n_features)
        Sparse rows are centred by a correction of rank one and never made dense.
    references : array-like or sparse of shape (n_references, n_features)
        The d features that vary among them are standardised with their mean and deviation.

    Returns
    -------
    ndarray of shape (n_units, n_references)
        Of references to themselves 1 on average.

    Raises
    ------
    ValueError
        If the numbers of features differ.

    Examples
    --------
    >>> from legofuse.relations import linear
    >>> linear([[0.0, 1.0], [3.0, 3.0]], [[0.0, 1.0], [2.0, 3.0]])
    array([[ 1. , -1. ],
           [-1.5,  1.5]])
    """
    return _related(X, references, "linear")


def principal(X, references):
    r"""Cosine of principal components, each weighed by its variance: what many features share.

    .. math:: r(x, z) = \cos(C^{1/2} \tilde x, C^{1/2} \tilde z)

    with :math:`\tilde x` the signed square roots of :func:`bhattacharyya`, scaled to length 1,
    less their mean, and C their covariance cut to the components whose variance is beyond chance.
    Two texts without a word in common are alike where their words go together in others, as in
    latent semantic analysis (Deerwester et al. 1990).

    Parameters
    ----------
    X : array-like or sparse of shape (n_units, n_features)
        Rows to look at; sparse ones are never made dense.
    references : array-like or sparse of shape (n_references, n_features)
        The first 500 of them give the mean and the principal axes.

    Returns
    -------
    ndarray of shape (n_units, n_references)
        In [-1, 1]; 0 for a row at the mean, and everywhere if columns are unrelated.

    Raises
    ------
    ValueError
        If the numbers of features differ.

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.relations import principal
    >>> rng = np.random.default_rng(0)
    >>> often = np.repeat([[3.0, 0.3], [0.3, 3.0]], 10, axis=1)  # 20 words of two topics
    >>> texts = rng.poisson(np.repeat(often, 50, axis=0))
    >>> one, another, other = np.eye(20)[[0, 9, 10]]  # of a single word
    >>> R = principal([one], np.vstack([texts, another, other]))[0, -2:]
    >>> R.round(1)
    array([ 1., -1.])
    """
    return _related(X, references, "principal")


RELATIONS = {
    "cosine": cosine,
    "correlation": correlation,
    "angular": angular,
    "rbf": rbf,
    "gaussian": gaussian,
    "local": local,
    "spherical": spherical,
    "bhattacharyya": bhattacharyya,
    "linear": linear,
    "robust": robust,
    "principal": principal,
}
