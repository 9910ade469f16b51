"""
Find the anomalous clip
=======================

A bag (a video, say) has one label, and nobody said which of its units (clips) is to blame. Here
units are images of handwritten digits, and a bag is anomalous when a 9 is among them. Fitted on
labels of bags alone, where does the classifier see the anomaly, and by what?
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import roc_auc_score

from legofuse import LEGOAnomalyClassifier
from legofuse.datasets import make_digit_bags

# %%
# Three of six descriptions of each image are the views; 150 bags are for training.

data = make_digit_bags(250, random_state=0)
views = {name: data.views[name] for name in ("pixels", "fourier", "gradients")}
train, test = slice(0, 150), slice(150, 250)

model = LEGOAnomalyClassifier(views, random_state=0).fit(data.bags[train], data.y[train])
scores = model.score_units(data.bags[test])

print(f"bags:  ROC AUC {roc_auc_score(data.y[test], model.decision_function(data.bags[test])):.3f}")
truth = np.concatenate(data.unit_y[test])
print(f"units: ROC AUC {roc_auc_score(truth, np.concatenate(scores)):.3f}")

# %%
# Which heads did held-out bags prefer? Each reads a fused graph of all terms, of one relation, or
# of one view.

for name, weight in sorted(model.heads_.items(), key=lambda item: -item[1]):
    loss = model.held_out_losses_[name]
    print(f"{weight:5.2f}  {name:32} held-out log-loss {loss:.3f}")

# %%
# A timeline for each of three anomalous bags: unit scores, and the images that the bag holds. Units
# that really are a 9 are marked; the classifier never saw these marks.

shown = (np.flatnonzero(data.y[test] == 1) + test.start)[:3]
figure, rows = plt.subplots(6, 1, figsize=(9, 8), height_ratios=[3, 1] * 3, layout="constrained")
for bag, top, bottom in zip(shown, rows[::2], rows[1::2], strict=True):
    units, nine = scores[bag - test.start], data.unit_y[bag] == 1
    places = np.arange(len(units))
    top.bar(places, units, color=np.where(nine, "tab:red", "tab:gray"), width=0.7)
    top.set(xlim=(-0.5, len(units) - 0.5), ylim=(0, 1), xticks=[], ylabel=f"bag {bag}")
    bottom.imshow(np.hstack(data.images[data.index[bag]]), cmap="gray_r", aspect="auto")
    bottom.axis("off")
rows[0].set_title("score of each unit (red: truly a 9) and the unit itself")

# %%
# What speaks for the anomaly in the highest unit of the first bag? Each view in turn is made
# missing, and the score of the unit is taken again.

bag = shown[0]
unit = data.bags[bag][[np.argmax(scores[bag - test.start])]]
full = model.decision_function([unit])[0]
for name, columns in views.items():
    without = unit.copy()
    without[:, columns] = np.nan
    print(f"without {name:10} the logit goes from {full:.2f} to ", end="")
    print(f"{model.decision_function([without])[0]:.2f}")

# %%
# Save the figure where the demo saves its own.

output = Path("demo_output")
output.mkdir(exist_ok=True)
figure.savefig(output / "find_the_anomalous_clip.png", dpi=120)
