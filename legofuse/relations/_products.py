"""From encoded rows and references to relations: one matrix product, then entry by entry."""

from functools import partial

import numpy as np

INNER_PRODUCTS = ("bhattacharyya", "correlation", "cosine", "principal", "robust")  # as they are


def inner_products(encoded, references):
    """Inner products of encoded rows and encoded references, where all relations start.

    Parameters
    ----------
    encoded, references : Encoded
        Of n_units rows and of n_references (dense) rows, by one relation. Arrays of dense ones may
        be torch tensors, on an accelerator say: so is what is returned.

    Returns
    -------
    ndarray or Tensor of shape (n_units, n_references)
        Those of the vectors that the encoded rows stand for.

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.relations import encode, inner_products
    >>> rows = encode(np.array([[1.0, 0.0], [0.0, 2.0]]), "cosine")
    >>> inner_products(rows, rows)
    array([[1., 0.],
           [0., 1.]])
    """
    inner = encoded.rows @ references.rows.T
    if encoded.offset is not None:
        inner -= references.rows @ encoded.offset
    if encoded.factor is not None:
        inner *= encoded.factor[:, None]
    return inner


def relate(encoded, references, relation, gamma=None, inner=None, reach=np.inf):
    """Relate encoded rows to encoded references.

    Parameters
    ----------
    encoded, references : Encoded
        Of n_units rows and of n_references (dense) rows, by the same relation; as in
        :func:`inner_products`.
    relation : str
        One of :data:`RELATIONS`.
    gamma : float, optional
        Inverse squared width, for ``"rbf"``, ``"gaussian"``, ``"local"``, ``"spherical"`` and
        ``"linear"``.
    inner : ndarray or Tensor of shape (n_units, n_references), optional
        Of :func:`inner_products`, where they are known; it is written over.
    reach : float, default=inf
        For ``"linear"``: rows longer than that are brought back to that length.

    Returns
    -------
    ndarray or Tensor of shape (n_units, n_references)
        The relation.

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.relations import encode, relate
    >>> rows = encode(np.array([[1.0, 0.0], [1.0, 1.0]]), "angular")
    >>> relate(rows, rows, "angular").round(6)
    array([[1.  , 0.75],
           [0.75, 1.  ]])
    """
    if inner is None:
        inner = inner_products(encoded, references)
    clip, exp, arccos = _in_place(inner)
    if relation in ("rbf", "gaussian", "local"):
        inner *= -2
        inner += encoded.norms[:, None]
        inner += references.norms
        clip(0, None)
        with np.errstate(over="ignore"):  # exp(-inf) is 0
            inner *= -min(gamma, float(np.finfo(f"f{inner.dtype.itemsize}").max))
        exp()
    elif relation == "linear":
        inner *= 2 * gamma  # the inverse mean square of a row
        for norms, rows in ((encoded.norms, inner), (references.norms, inner.T)):
            far = norms > reach**2
            if far.any():
                rows[far] *= (reach / norms[far] ** 0.5)[:, None]
    else:
        clip(-1, 1)
        if relation == "angular":
            arccos()
            inner /= -np.pi
            inner += 1
        elif relation == "spherical":  # |x - z|^2 = 2 - 2 cos on the sphere
            inner -= 1
            inner *= 2 * gamma
            exp()
    if relation in ("angular", "rbf", "gaussian", "spherical", "local"):
        if encoded.present is not None:
            inner[~encoded.present] = 0
        if references.present is not None:
            inner[:, ~references.present] = 0
    return inner


def relate_to_mean(encoded, references, relation, share):
    """Relate encoded rows to a mean of encoded references, where relations are inner products.

    The mean of the relations is the relation to the mean, in one product of a matrix and a vector.

    Parameters
    ----------
    encoded, references : Encoded
        Of n_units rows and of n_references (dense) rows, by the same relation.
    relation : str
        One of :data:`RELATIONS`.
    share : ndarray of shape (n_references,)
        Weight of each reference.

    Returns
    -------
    ndarray of shape (n_units,) or None
        None for other relations.

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.relations import encode, relate_to_mean
    >>> rows = encode(np.array([[1.0, 0.0], [0.0, 2.0]]), "cosine")
    >>> relate_to_mean(rows, rows, "cosine", np.array([0.25, 0.75]))
    array([0.25, 0.75])
    """
    if relation not in INNER_PRODUCTS:
        return None
    mean = references._replace(rows=(share @ references.rows)[None])
    return inner_products(encoded, mean)[:, 0]


def _in_place(array):
    """Functions that write over an array, or over a tensor: clip, exp, arccos."""
    if isinstance(array, np.ndarray):
        return partial(np.clip, array, out=array), *(
            partial(function, array, out=array) for function in (np.exp, np.arccos)
        )
    return array.clip_, array.exp_, array.arccos_
