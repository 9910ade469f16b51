"""
Search over the fusion
======================

Which degree and which relations suit the data? The transformer's parameters are searched for like
any other step's. The figure shows what cross-validation found with 300 digits.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import RidgeClassifierCV
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import Pipeline

from legofuse import LEGOFusionTransformer
from legofuse.datasets import load_digits_views

digits = load_digits_views()
X, X_test, y, y_test = train_test_split(
    digits.X, digits.y, train_size=300, stratify=digits.y, random_state=0
)
pipe = Pipeline(
    [
        ("fuse", LEGOFusionTransformer(digits.views)),
        ("classify", RidgeClassifierCV(np.logspace(-6, 3, 19))),
    ]
)
relations, degrees = ["cosine", "correlation", "rbf"], [1, 2, 3]
search = GridSearchCV(pipe, {"fuse__relation": relations, "fuse__degree": degrees}, cv=3)
search.fit(X, y)
print(f"chosen: {search.best_params_}")
print(f"cross-validated accuracy {search.best_score_:.3f}, test {search.score(X_test, y_test):.3f}")

# %%
# Differences smaller than the bars (standard deviation over the folds) mean little.

plt.style.use("tableau-colorblind10")
results = search.cv_results_
for relation, style in zip(relations, ("o-", "s--", "D:"), strict=True):
    mine = np.flatnonzero(results["param_fuse__relation"] == relation)
    x = results["param_fuse__degree"][mine].astype(int) + 0.06 * (relations.index(relation) - 1)
    score, spread = results["mean_test_score"][mine], results["std_test_score"][mine]
    plt.errorbar(x, score, spread, fmt=style, label=relation)
plt.xticks(degrees)
plt.xlabel("degree")
plt.ylabel("cross-validated accuracy")
plt.ylim(0.87, 1)
plt.legend(title="relation", loc="lower center", ncols=3)
plt.tight_layout()
plt.show()
