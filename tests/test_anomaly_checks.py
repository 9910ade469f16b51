"""scikit-learn's common checks on tables (bags of one unit), without expected failures."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from legofuse import LEGOAnomalyClassifier

CONFIGURATIONS = [
    LEGOAnomalyClassifier(),
    LEGOAnomalyClassifier(pooling="units", relation="cosine", degree=3, top_k=0.5),
    LEGOAnomalyClassifier(pooling="relations", relation="rbf", n_references=5, random_state=0),
    LEGOAnomalyClassifier(head="net", reference="landmarks", max_epochs=5, random_state=0),
    LEGOAnomalyClassifier({"first": [0], "last": [-1]}, pooling="both", interactions="additive"),
]


@pytest.mark.others_draw
@pytest.mark.filterwarnings("ignore:Which class is anomalous")
@parametrize_with_checks(CONFIGURATIONS)
def test_common_checks(estimator, check):
    check(estimator)
