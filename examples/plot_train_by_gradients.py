"""
Train by gradients, with callbacks
==================================

How does one train the fusion like a network: on a GPU where there is one, in mini-batches, with a
head and callbacks of one's own? The layers of `legofuse.nn` are torch modules, and `make_net` makes
a net of skorch, which takes skorch's callbacks: here one that lowers the learning rate, and one
that stops when the loss on held-out rows no longer falls.
"""

import matplotlib.pyplot as plt
import torch
from sklearn.model_selection import train_test_split
from skorch.callbacks import EarlyStopping, LRScheduler

from legofuse import LEGOFusionTransformer
from legofuse.datasets import load_digits_views
from legofuse.nn import (
    FusionPolynomial,
    MLPHead,
    TensorData,
    WeightedLoss,
    cross_entropy,
    fit_net,
    make_generator,
    make_net,
    resolve_device,
)

digits = load_digits_views()
views = {name: digits.views[name] for name in ("pixels", "fourier", "profiles")}
split = {"train_size": 500, "stratify": digits.y, "random_state": 0}
X, X_test, y, y_test = train_test_split(digits.X, digits.y, **split)

# %%
# The easy way: the transformer does it all, `device="auto"` is a GPU if there is one.

fusion = LEGOFusionTransformer(views, relation="correlation", weights="neural", n_landmarks=200)
fusion.fit(X, y)
print(f"{fusion.n_iter_} iterations, last loss {fusion.history_[-1]['train_loss']:.4f}")

# %%
# The open way: relations to the landmarks go in, the polynomial fuses them, a head of two layers
# scores the classes.


class Classifier(torch.nn.Module):
    def __init__(self, n_references, generator):
        super().__init__()
        self.fuse = FusionPolynomial(fusion.powers_)
        self.head = MLPHead(n_references, 64, n_outputs=10, generator=generator)

    def forward(self, relations):
        return self.head(self.fuse(list(relations.unbind(1))))


def relations(X, y):
    graphs = torch.stack([torch.tensor(g) for g in fusion.relation_graphs(X).values()], dim=1)
    return TensorData(graphs.float().to(device), torch.tensor(y).to(device))


device = resolve_device("auto")
rows, held_out, labels, held_out_labels = train_test_split(X, y, stratify=y, random_state=0)
generator = make_generator(0)
net = make_net(
    Classifier(len(fusion.landmarks_), generator),
    WeightedLoss(cross_entropy),
    lr=3e-3,
    max_epochs=60,
    batch_size=64,
    generator=generator,
    device=device,
    valid_data=relations(held_out, held_out_labels),
    callbacks=[
        EarlyStopping(patience=10, sink=lambda _: None),
        LRScheduler("ExponentialLR", gamma=0.97),
    ],
)
fit_net(net, relations(rows, labels))
with torch.no_grad():
    guess = net.module_.eval()(relations(X_test, y_test).X).argmax(1).cpu().numpy()
print(f"{len(net.history)} epochs, test accuracy {(guess == y_test).mean():.3f}")

# %%
plt.plot(net.history[:, "train_loss"], label="training rows")
plt.plot(net.history[:, "valid_loss"], "--", label="held-out rows")
plt.yscale("log")
plt.xlabel("epoch")
plt.ylabel("cross-entropy")
plt.legend()
plt.tight_layout()
plt.show()
