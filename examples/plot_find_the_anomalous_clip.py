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
from legofuse.inspection import explain
from legofuse.plotting import ExplanationDisplay, UnitScoresDisplay

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
# A timeline for each of two anomalous bags: unit scores over the truth, which the classifier never
# saw, and the images that the bag holds.

shown = (np.flatnonzero(data.y[test] == 1) + test.start)[:2]
timeline, rows = plt.subplots(4, 1, figsize=(9, 6), height_ratios=[3, 1] * 2, layout="constrained")
for bag, top, bottom in zip(shown, rows[::2], rows[1::2], strict=True):
    UnitScoresDisplay(scores[bag - test.start], data.unit_y[bag]).plot(ax=top)
    n_units = len(data.bags[bag])
    top.set(xlim=(-0.5, n_units - 0.5), title=f"bag {bag}", xlabel="")
    for unit, index in enumerate(data.index[bag]):
        bottom.imshow(data.images[index], cmap="gray_r", extent=(unit - 0.45, unit + 0.45, 0, 1))
    bottom.set(xlim=(-0.5, n_units - 0.5), ylim=(0, 1), xlabel="unit", aspect="auto", yticks=[])

# %%
# What speaks for the anomaly in the highest unit of the first bag? Its logit is a sum of a base and
# of what each reference unit, from the training bags, says through each view.

bag = shown[0]
found = explain(model, [data.bags[bag]])
unit = int(np.argmax(found.scores))
if found.parts is None:  # not every way of scoring is such a sum; views can always be told
    figure, axes = plt.subplots(figsize=(9, 4), layout="constrained")
    ExplanationDisplay.from_explanation(found, unit, ax=axes)
else:
    figure, axes = plt.subplots(2, 1, figsize=(9, 6), height_ratios=[4, 9], layout="constrained")
    ExplanationDisplay.from_explanation(found, unit, ax=axes[0])
    ExplanationDisplay.from_explanation(found, unit, by="landmark", n_landmarks=6, ax=axes[1])
    strongest = np.argsort(-np.abs(found.landmark_parts[unit]))[:6]
    for reference, part in zip(
        found.landmarks[strongest], found.landmark_parts[unit, strongest], strict=True
    ):
        digit = "a 9" if data.unit_y[reference[0]][reference[1]] else "no 9"
        print(f"bag {reference[0]:3}, unit {reference[1]:2} ({digit:4}): {part:+.2f}")
figure.suptitle(f"logit of unit {unit} of bag {bag}")
for view, part in zip(found.views, found.view_parts[unit], strict=True):
    print(f"{view:10} {part:+.2f}")

# %%
# Save the figures where the demo saves its own.

output = Path("demo_output")
output.mkdir(exist_ok=True)
timeline.savefig(output / "find_the_anomalous_clip.png", dpi=120)
figure.savefig(output / "why_it_is_anomalous.png", dpi=120)
