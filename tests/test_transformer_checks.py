"""scikit-learn's common checks, for several configurations and without expected failures."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from legofuse import LEGOFusionTransformer

CONFIGURATIONS = [  # by defaults weights are learned to the end; no other check depends on it
    LEGOFusionTransformer(),
    LEGOFusionTransformer(relation="rbf", degree=3, interactions="additive", max_iter=2),
    LEGOFusionTransformer(relation="angular", weights="alignment", n_components=3),
    LEGOFusionTransformer(relation="cosine", weights="consensus", output="relations"),
    LEGOFusionTransformer(
        relation="correlation", interactions="separable", landmarks="kmeans", max_iter=2
    ),
    LEGOFusionTransformer(
        relation="cosine", interactions="pairwise", zeroth="identity", max_iter=2
    ),
    LEGOFusionTransformer(relation="cosine", expansion="hops", weights="uniform"),
    LEGOFusionTransformer(n_landmarks=7, max_fit_samples=9, max_iter=2, random_state=0),
    LEGOFusionTransformer({"first": [0], "last": [-1]}, degree=1, max_iter=2),
    LEGOFusionTransformer(
        nonnegative=False, weights="alignment", output="relations", target_type="classification"
    ),
    LEGOFusionTransformer(relation="cosine", weights="neural", max_iter=2),
]


@pytest.mark.others_draw
@pytest.mark.filterwarnings("ignore:The fused graph is not positive semi-definite")
@pytest.mark.filterwarnings("ignore:sample_weight holds whole numbers")
@parametrize_with_checks(CONFIGURATIONS)
def test_common_checks(estimator, check):
    check(estimator)
