"""What differs between versions of scikit-learn and Python, and every private name that we use.

Nothing of legofuse is imported here; any module may import this one.

`CallbackSupportMixin`, `with_callbacks`
    Callbacks such as ``ProgressBar`` exist since scikit-learn 1.9. Before it, the stand-ins below
    let ``fit`` be written once: contexts that do nothing, and no ``set_callbacks`` to call.
`stack_level`
    Where a warning points to: what Python has ``skip_file_prefixes`` for since 3.12.
`check_sample_weight`
    One weight per row, checked alike under every supported version.
`scorer_name`
    What a callable scorer scores by.
"""

import sys

import numpy as np
from sklearn.utils.validation import _check_sample_weight

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:  # scikit-learn < 1.9

    class _SilentContext:
        """A callback context without callbacks; its sub-contexts are itself."""

        def subcontext(self, **kwargs):
            return self

        def call_on_fit_task_begin(self, *, estimator, **kwargs):
            return self

        def call_on_fit_task_end(self, *, estimator, **kwargs):
            return False  # never asks to stop

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Give ``fit`` the context that it reports to; nobody listens."""

        def _init_callback_context(
            self, task_name="fit", task_id=0, max_subtasks=0, sequential_subtasks=True
        ):
            return _SilentContext()

    def with_callbacks(method):
        return method


_OURS = ("legofuse", "sklearn")
_HEAVIEST = 1e100  # squares of weights are added up
_IN_RANGE = 1e15  # graphs scaled for such weights, or their inverse, are in the range of float32

__all__ = [
    "CallbackSupportMixin",
    "check_sample_weight",
    "scorer_name",
    "stack_level",
    "with_callbacks",
]


def stack_level():
    """``stacklevel`` of a warning that is to name the first line outside us and scikit-learn."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back and frame.f_globals["__name__"].partition(".")[0] in _OURS:
        level, frame = level + 1, frame.f_back
    return level


def check_sample_weight(sample_weight, X, dtype=None):
    """Check sample weights: one per row of X, finite, none negative, not all zero.

    Parameters
    ----------
    sample_weight : None, float or array-like of shape (n_samples,)
        None stands for ones.
    X : array-like with n_samples rows
        What the weights belong to.
    dtype : dtype, optional
        By default float32 and float64 are kept, and all else becomes float64.

    Returns
    -------
    ndarray of shape (n_samples,)
        The weights, C-contiguous; those below 1e-100, whose squares vanish, are 0. They are brought
        near 1 by a power of two if the largest is beyond 1e15 or below 1e-15.

    Raises
    ------
    ValueError
        If the number of weights differs from that of rows, if one is NaN, infinite or negative, if
        all are zero, or if the largest is so extreme that its square is no number.
    TypeError
        If they are a word or a dict, as a ``class_weight`` may be.

    Examples
    --------
    >>> check_sample_weight([1, 0, 2], [[1.0], [2.0], [3.0]])
    array([1., 0., 2.])
    >>> check_sample_weight([0, 0, 0], [[1.0], [2.0], [3.0]])
    Traceback (most recent call last):
        ...
    ValueError: Sample weights must contain at least one non-zero number.
    """
    if isinstance(sample_weight, str | dict):
        kind = repr(sample_weight) if isinstance(sample_weight, str) else "a dict"
        raise TypeError(
            f"sample_weight must hold a weight for each sample; got {kind}. Of weights by class "
            '`sklearn.utils.class_weight.compute_sample_weight("balanced", y)` makes such, with a '
            'dict in place of "balanced", too.'
        )
    weights = _check_sample_weight(sample_weight, X, dtype=dtype, ensure_non_negative=True)
    if not np.any(weights):  # scikit-learn < 1.9 lets these pass
        raise ValueError("Sample weights must contain at least one non-zero number.")
    heaviest = float(weights.max())
    if not 1 / _HEAVIEST <= heaviest <= _HEAVIEST:
        raise ValueError(
            f"The largest of sample_weight must be between {1 / _HEAVIEST} and {_HEAVIEST}; got "
            f"{heaviest}: rescale them (a weight says how often a row occurs)."
        )
    tiny = (weights > 0) & (weights < 1 / _HEAVIEST)
    weights = np.where(tiny, 0, weights) if tiny.any() else weights
    if 1 / _IN_RANGE <= heaviest <= _IN_RANGE:
        return weights
    return np.ldexp(weights, -np.frexp(heaviest)[1])


def scorer_name(scorer):
    """The name of the function that a scorer scores by, "neg " before it where it is turned."""
    name = getattr(getattr(scorer, "_score_func", scorer), "__name__", "score")
    return "neg " * (getattr(scorer, "_sign", 1) < 0) + name
