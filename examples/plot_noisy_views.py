"""
Views of pure noise
===================

What happens when more and more views carry nothing? Views of random numbers are put beside two
real views of the digits. The fused pipeline, a tuned RBF SVM on all columns and a tuned logistic
regression on all columns see the same data.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import LogisticRegression, RidgeClassifierCV
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from legofuse import LEGOFusionTransformer
from legofuse.datasets import load_digits_views

digits = load_digits_views()
real = np.hstack([digits.X[:, digits.views[name]] for name in ("pixels", "zernike")])


def peer(model, **grid):
    return GridSearchCV(make_pipeline(StandardScaler(), model), grid, cv=3)


counts, accuracy, noise_share = [0, 2, 4], {}, []
for n_noise in counts:
    rng = np.random.default_rng(0)
    X = np.hstack([real, rng.normal(size=(len(real), 100 * n_noise))])
    views = {"pixels": slice(0, 64), "zernike": slice(64, 89)}
    views |= {f"noise{i}": slice(89 + 100 * i, 189 + 100 * i) for i in range(n_noise)}
    models = {
        "fused": make_pipeline(
            LEGOFusionTransformer(views), RidgeClassifierCV(np.logspace(-6, 3, 19))
        ),
        "all columns, logistic regression": peer(
            LogisticRegression(max_iter=2000), logisticregression__C=[0.001, 0.01, 0.1]
        ),
        "all columns, RBF SVM": peer(SVC(), svc__C=[1, 10], svc__gamma=[0.0003, 0.001, 0.003]),
    }
    for seed in range(3):
        train, test, y, y_test = train_test_split(
            X, digits.y, train_size=200, stratify=digits.y, random_state=seed
        )
        for name, model in models.items():
            score = model.fit(train, y).score(test, y_test)
            accuracy.setdefault(name, {}).setdefault(n_noise, []).append(score)
    importances = models["fused"][0].view_importances_
    noise_share.append(sum(v for name, v in importances.items() if name.startswith("noise")))

# %%
# Means over three splits; bars are standard deviations.

plt.style.use("tableau-colorblind10")
styles = ("o-", "s--", "D:")
for (name, scores), style in zip(accuracy.items(), styles, strict=True):
    mean, spread = ([f(scores[n]) for n in counts] for f in (np.mean, np.std))
    plt.errorbar(counts, mean, spread, fmt=style, label=name)
    print(f"{name:34}", *(f"{m:.3f}" for m in mean))
print("share of the noise in the fused graph", *(f"{share:.3f}" for share in noise_share))
plt.xticks(counts)
plt.xlabel("views of noise (100 columns each)")
plt.ylabel("test accuracy, 200 labels")
plt.legend()
plt.tight_layout()
plt.show()
