"""What inspection reads from the transformer: relations to any rows, and the embedding's map."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.datasets import load_wine

from legofuse import LEGOFusionTransformer
from legofuse.fusion import fuse

X, y = load_wine(return_X_y=True)
VIEWS = {"a": slice(0, 5), "b": slice(5, 13)}


def test_the_fused_graph_is_the_polynomial_of_the_relation_graphs():
    model = LEGOFusionTransformer(VIEWS, n_landmarks=30).fit(X, y)
    for references in (None, X[:20]):
        relations = list(model.relation_graphs(X[90:], references).values())
        expected = fuse(relations, model.powers_, model.weights_)
        assert_allclose(model.fused_graph(X[90:], references), expected, rtol=1e-10, atol=1e-10)


def test_relations_to_rows_of_other_domains():
    domain = np.where(np.arange(len(X)) % 2, "one", "two")
    model = LEGOFusionTransformer(VIEWS).fit(X, y, sample_domain=domain)
    related = model.relation_graphs(X[:6], X, domain[:6], domain)
    for graph in related.values():
        assert graph.shape == (6, len(X))
    with pytest.raises(ValueError, match="sample_domain"):
        model.relation_graphs(X[:6], X, domain[:6])


def test_the_embedding_is_the_fused_graph_times_the_normalization():
    model = LEGOFusionTransformer(VIEWS, n_landmarks=30).fit(X, y)
    assert_allclose(model.fused_graph(X) @ model.normalization_, model.transform(X), atol=1e-12)
    assert LEGOFusionTransformer(VIEWS, output="relations").fit(X, y).normalization_ is None
