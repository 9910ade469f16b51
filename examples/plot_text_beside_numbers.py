"""
Text beside numbers
===================

How do words and numbers of the same samples go together? A `ColumnTransformer` turns a column of
text into sparse TF-IDF and scales the numbers; the fusion takes its output as two views. The data
are made up here: parcels described by a sentence and three measurements, where the class (fragile)
shows a little in each.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import RidgeClassifierCV
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from legofuse import LEGOFusionTransformer

rng = np.random.default_rng(0)
sturdy = ["box", "of", "books", "tools", "steel", "bolts", "paper", "clothes", "rope", "wood"]
breakable = ["box", "of", "glass", "vase", "lamp", "mirror", "china", "crystal", "cup", "wood"]
fragile = rng.integers(2, size=400)
hidden = np.where(rng.uniform(size=400) < 0.2, 1 - fragile, fragile)  # careless descriptions
parcels = pd.DataFrame(
    {
        "text": [" ".join(rng.choice(breakable if kind else sturdy, size=4)) for kind in hidden],
        "weight": rng.lognormal(1 - 0.6 * fragile, 0.5),
        "padding": rng.normal(fragile, 1),
        "price": rng.lognormal(3 + 0.4 * fragile, 0.6),
    }
)
print(parcels.head(3))

# %%
# Views are given as slices: the first three columns are the numbers, all others the words, however
# many a fold has. A second group of learned width would need its number of columns fixed
# (``TfidfVectorizer(vocabulary=...)``, ``OneHotEncoder(categories=...)``): else a fold of other
# rows moves the columns behind it. The table stays sparse throughout.

numbers = ["weight", "padding", "price"]
table = ColumnTransformer(
    [("numbers", StandardScaler(), numbers), ("text", TfidfVectorizer(), "text")],
    sparse_threshold=1,
)
views = {"numbers": slice(0, 3), "text": slice(3, None)}
scores = {}
for name, chosen in {"both": views, **{k: {k: v} for k, v in views.items()}}.items():
    model = make_pipeline(table, LEGOFusionTransformer(chosen), RidgeClassifierCV())
    scores[name] = cross_val_score(model, parcels, fragile, cv=5)
    print(f"{name:8} {scores[name].mean():.3f} ± {scores[name].std():.3f}")

# %%
plt.figure(figsize=(5, 4))
means, spreads = ([f(s) for s in scores.values()] for f in (np.mean, np.std))
plt.bar(list(scores), means, yerr=spreads, color="0.6", capsize=4)
plt.ylim(0.5, 1)
plt.ylabel("accuracy (bars: deviation over 5 folds)")
plt.tight_layout()
plt.show()
