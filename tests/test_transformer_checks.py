"""scikit-learn's common checks, for several configurations and without expected failures."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from legofuse import LEGOFusionTransformer

CONFIGURATIONS = [
    LEGOFusionTransformer(),
    LEGOFusionTransformer(relation="rbf", degree=3, interactions="additive"),
    LEGOFusionTransformer(relation="angular", weights="alignment", n_components=3),
    LEGOFusionTransformer(relation="cosine", weights="consensus", output="relations"),
    LEGOFusionTransformer(relation="correlation", interactions="separable", landmarks="kmeans"),
    LEGOFusionTransformer(relation="cosine", interactions="pairwise", zeroth="identity"),
    LEGOFusionTransformer(relation="cosine", expansion="hops", weights="uniform"),
    LEGOFusionTransformer(n_landmarks=7, max_fit_samples=9, random_state=0),
    LEGOFusionTransformer({"first": [0], "last": [-1]}, degree=1),
    LEGOFusionTransformer(
        nonnegative=False, weights="alignment", output="relations", target_type="classification"
    ),
    LEGOFusionTransformer(relation="cosine", weights="neural", max_iter=5),
]


@pytest.mark.others_draw
@pytest.mark.filterwarnings("ignore:The fused graph is not positive semi-definite")
@pytest.mark.filterwarnings("ignore:sample_weight holds whole numbers")
@parametrize_with_checks(CONFIGURATIONS)
def test_common_checks(estimator, check):
    check(estimator)
