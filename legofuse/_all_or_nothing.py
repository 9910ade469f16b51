"""A fit that fails leaves an estimator as it was.

Nothing of legofuse is imported here; any module may import this one.
"""

from contextlib import contextmanager

__all__ = ["all_or_nothing"]


@contextmanager
def all_or_nothing(estimator):
    """Restore the attributes of an estimator if what is done to it raises, or is interrupted.

    Parameters
    ----------
    estimator : object

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> from legofuse._all_or_nothing import all_or_nothing
    >>> estimator = SimpleNamespace(alpha=1)
    >>> try:
    ...     with all_or_nothing(estimator):
    ...         estimator.n_features_in_ = 3
    ...         raise ValueError
    ... except ValueError:
    ...     print(estimator)
    namespace(alpha=1)
    """
    before = dict(estimator.__dict__)
    try:
        yield
    except BaseException:
        estimator.__dict__.clear()
        estimator.__dict__.update(before)
        raise
