"""The stand-ins of `_compat` serve the same code as what they stand in for."""

import importlib.util
import sys
import warnings

import numpy as np
import pytest
from sklearn.base import BaseEstimator

from legofuse import _compat


@pytest.fixture(params=["installed", "without sklearn.callback"])
def compat(request, monkeypatch):
    if request.param == "installed":
        return _compat
    monkeypatch.setitem(sys.modules, "sklearn.callback", None)
    spec = importlib.util.spec_from_file_location("compat_of_old", _compat.__file__)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_fit_is_written_once_for_callbacks(compat):
    class Estimator(compat.CallbackSupportMixin, BaseEstimator):
        @compat.with_callbacks
        def fit(self, X):
            root = self._init_callback_context(max_subtasks=4)
            root.call_on_fit_task_begin(estimator=self, X=X)
            for _ in range(3):
                step = root.subcontext(task_name="step")
                step.call_on_fit_task_begin(estimator=self)
                assert step.call_on_fit_task_end(estimator=self) is False
            root.call_on_fit_task_end(estimator=self)
            return self

    estimator = Estimator()
    assert estimator.fit([[1.0]]) is estimator
    assert vars(estimator) == {}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sample_weight_keeps_float_dtypes(dtype):
    weights = _compat.check_sample_weight(np.array([1, 2], dtype=dtype), np.ones((2, 1)))
    assert weights.dtype == dtype


def test_no_sample_weight_is_ones():
    np.testing.assert_array_equal(_compat.check_sample_weight(None, np.ones((3, 1))), np.ones(3))


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([0.0, 0.0], "at least one non-zero"),
        ([1.0, -1.0], "[Nn]egative"),
        ([1.0, np.nan], "NaN"),
        ([1.0, np.inf], "infinity"),
        ([1.0, 1.0, 1.0], r"sample_weight\.shape"),
    ],
)
def test_wrong_sample_weight_raises(weights, message):
    with pytest.raises(ValueError, match=message):
        _compat.check_sample_weight(weights, np.ones((2, 1)))


def warn_from(level_of, module):
    """Call a function of another module that warns with the level it is told."""
    source = "def warn(): warnings.warn('told', UserWarning, stacklevel=level_of())"
    names = {"__name__": module, "warnings": warnings, "level_of": level_of}
    exec(compile(source, f"{module}.py", "exec"), names)
    return names["warn"]


@pytest.mark.parametrize("module", ["legofuse", "legofuse.bags._pack", "sklearn.pipeline"])
def test_warnings_point_to_the_first_line_that_is_not_ours(module):
    for name, place in ((module, __file__), ("legofused", "legofused.py")):
        with pytest.warns(UserWarning, match="told") as found:
            warn_from(_compat.stack_level, name)()
        assert [warning.filename for warning in found] == [place]
