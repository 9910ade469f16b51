"""
Images beside captions
======================

Does a caption help where images are few? Scikit-learn's images of digits get captions made up here:
a few words on the shape, each of them dropped or wrong now and then. The images are one view, the
words of the captions (sparse TF-IDF) the other. One modality alone, both fused, and the mean of the
two models' decisions are compared on the same splits.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy.sparse import csr_array, hstack
from sklearn.datasets import load_digits
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import RidgeClassifierCV
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

from legofuse import LEGOFusionTransformer

WORDS = [
    "round closed loop",
    "straight upright line",
    "curve flat base",
    "two bows open left",
    "angle cross upright line",
    "flat top bow open left",
    "closed loop low curve",
    "flat top slanted line",
    "two closed loop",
    "closed loop high curve",
]
rng = np.random.default_rng(0)
vocabulary = sorted({word for words in WORDS for word in words.split()})


def caption(digit):
    """The words of a digit: each is dropped one time in three, replaced one time in six."""
    words = [word for word in WORDS[digit].split() if rng.uniform() > 1 / 3]
    return " ".join(w if rng.uniform() > 1 / 6 else rng.choice(vocabulary) for w in words)


images, y = load_digits(return_X_y=True)
captions = [caption(digit) for digit in y]
X = csr_array(hstack([csr_array(images), TfidfVectorizer().fit_transform(captions)]))
both = {"image": slice(0, 64), "text": slice(64, None)}
print(f"{captions[0]!r} is the caption of a {y[0]}, {captions[1]!r} of a {y[1]}")

# %%
# The table stays sparse. Words are compared by their cosine; images by the default relations.


def model(views):
    relation = {"image": "auto", "text": "cosine"}
    fusion = LEGOFusionTransformer(views, relation={name: relation[name] for name in views})
    return make_pipeline(fusion, RidgeClassifierCV(np.logspace(-6, 3, 19)))


sizes, accuracy = [30, 60, 120, 240], {}
for size in sizes:
    for seed in range(5):
        train, test, y_train, y_test = train_test_split(
            X, y, train_size=size, test_size=1000, stratify=y, random_state=seed
        )
        found = {}
        for name, views in {**{k: {k: v} for k, v in both.items()}, "fused": both}.items():
            found[name] = model(views).fit(train, y_train).decision_function(test)
        found["mean of decisions"] = (found["image"] + found["text"]) / 2
        for name, decision in found.items():
            score = np.mean(decision.argmax(axis=1) == y_test)
            accuracy.setdefault(name, {}).setdefault(size, []).append(score)

# %%
# Means over five splits; bars are standard deviations.

print(f"{'labels':18}", *(f"{size:5}" for size in sizes))
plt.style.use("tableau-colorblind10")
styles = ("C3s--", "C1^:", "C0o-", "C2D-.")
for (name, scores), style in zip(accuracy.items(), styles, strict=True):
    mean, spread = ([f(scores[n]) for n in sizes] for f in (np.mean, np.std))
    plt.errorbar(sizes, mean, spread, fmt=style, label=name)
    print(f"{name:18}", *(f"{m:.3f}" for m in mean))
plt.xscale("log", base=2)
plt.xticks(sizes, [str(size) for size in sizes])
plt.xlabel("labelled samples")
plt.ylabel("test accuracy")
plt.legend()
plt.tight_layout()
plt.show()
