"""Arrays that would not fit are refused before they are allocated."""

import threading

import numpy as np
import pytest
from sklearn.datasets import load_wine

from legofuse import LEGOFusionTransformer, config

WINE, TARGET = load_wine(return_X_y=True)
ROWS = np.zeros((2000, 13), np.float32)


def make(**parameters):
    return LEGOFusionTransformer(**({"views": 3, "relation": "correlation"} | parameters))


@pytest.fixture
def little_memory(monkeypatch):
    monkeypatch.setattr(config, "available_memory", lambda: 1 << 20)
    monkeypatch.setattr(config, "_SMALL", 0)


def test_results_are_foreseen(little_memory):
    model = make().fit(WINE, TARGET)
    estimate = (
        r"The embedding of shape \(2000, \d+\) would take 1\.\d+ MiB, more than 80% of the 1 Mi"
    )
    with pytest.raises(MemoryError, match=estimate):
        model.transform(ROWS.astype(float))
    with pytest.raises(MemoryError, match=r"Relations of shape \(2000, 178\).*set_config"):
        make(output="relations").fit(WINE, TARGET).transform(ROWS)
    with pytest.raises(MemoryError, match=r"in 3 graphs would take .*fewer rows"):
        model.relation_graphs(ROWS)
    with pytest.raises(MemoryError, match=r"\(2000, 178\) would take"):
        model.fused_graph(ROWS)
    with config.config_context(memory_share=None):
        assert model.fused_graph(ROWS).shape == (2000, 178)


def test_hops_are_foreseen(little_memory):
    model = make(expansion="hops", degree=5)
    before = dict(vars(model))
    with pytest.raises(MemoryError, match="Hops over 178 landmarks in 3 graphs at degree=5"):
        model.fit(WINE, TARGET)
    assert vars(model) == before


def test_settings():
    defaults = {"memory_share": 0.8, "documentation": None, "engine": "numpy"}
    assert config.get_config() == defaults
    with config.config_context(memory_share=0.1):
        assert config.get_config() == defaults | {"memory_share": 0.1}
        with config.config_context(documentation="site"):  # the other stays
            assert config.get_config() == defaults | {"memory_share": 0.1, "documentation": "site"}
        seen = []
        thread = threading.Thread(target=lambda: seen.append(config.get_config()))
        thread.start()
        thread.join()
        assert seen == [defaults]  # another thread's settings are its own
    assert config.get_config() == defaults
    for wrong in (0, -1, "half", float("nan"), True):
        with pytest.raises(ValueError, match="memory_share must be a number above 0"):
            config.set_config(memory_share=wrong)
    with pytest.raises(ValueError, match="documentation must be an address or None; got 3"):
        config.set_config(memory_share=0.5, documentation=3)
    assert config.get_config() == defaults


def test_memory_of_this_machine(tmp_path):
    assert config.available_memory() > 1 << 20
    (tmp_path / "memory.max").write_text("1000\n")
    (tmp_path / "memory.current").write_text("400\n")
    assert config._control_group(tmp_path) == 600
    (tmp_path / "memory.max").write_text("max\n")
    assert config._control_group(tmp_path) is None


@pytest.mark.parametrize(("size", "text"), [(1, "1 bytes"), (1536, "1.5 KiB"), (3 << 40, "3 TiB")])
def test_sizes_in_words(size, text):
    assert config._size(size) == text


def test_many_views_with_defaults_fit_or_say_what_does():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 120)), rng.integers(2, size=60)
    try:
        LEGOFusionTransformer(120, max_iter=1).fit(X, y)
    except ValueError as error:
        message = str(error)
        assert "above the limit of 5000" in message
        assert "'additive' has" in message
        assert "'pairwise'" in message
        assert "relation='auto'" in message
    LEGOFusionTransformer(120, interactions="additive", relation="cosine", max_iter=1).fit(X, y)
