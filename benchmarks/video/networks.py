"""Networks as baselines: an MLP with the top-k loss, and torchmil's ABMIL and DSMIL.

Features are standardised on training units. With 50 training bags or more a stratified tenth of
them decides when to stop. torchmil 1.0.2's DSMIL takes its maximum over padding too, so torchmil's
models are given one bag at a time.
"""

import copy

import numpy as np
from sklearn.model_selection import train_test_split

EPOCHS, PATIENCE, WEIGHT_DECAY = 40, 6, 1e-3
FEWEST = 50  # training bags from which a tenth is held out


class Network:
    """Training by Adam, one bag at a time or in padded batches, stopped by held-out bags."""

    batch_size, lr = 1, 1e-3

    def __init__(self, seed):
        self.seed = seed

    def fit(self, bags, y):
        import torch

        units = np.concatenate(bags)
        self.mean, scale = units.mean(axis=0), units.std(axis=0)
        self.scale = np.where(scale > 1e-12, scale, 1.0)
        tensors = [self.tensor(bag) for bag in bags]
        labels = torch.as_tensor(y, dtype=torch.float32)
        rows, held_out = np.arange(len(y)), None
        if len(y) >= FEWEST:
            rows, held_out = train_test_split(
                rows, test_size=0.1, stratify=y, random_state=self.seed
            )
        with torch.random.fork_rng(devices=[]):
            torch.random.manual_seed(self.seed)
            self.net = self.build(units.shape[1])
            self.train(tensors, labels, rows, held_out)
        return self

    def tensor(self, bag):
        import torch

        return torch.as_tensor((bag - self.mean) / self.scale, dtype=torch.float32)

    def train(self, bags, labels, rows, held_out):
        import torch

        rng = np.random.default_rng(self.seed)
        optimiser = torch.optim.Adam(self.net.parameters(), lr=self.lr, weight_decay=WEIGHT_DECAY)
        best, state, since = np.inf, None, 0
        for _ in range(EPOCHS):
            self.net.train()
            order = rng.permutation(rows)
            for start in range(0, len(order), self.batch_size):
                part = order[start : start + self.batch_size]
                optimiser.zero_grad()
                self.loss([bags[i] for i in part], labels[part]).backward()
                optimiser.step()
            if held_out is None:
                continue
            loss = self.held_out_loss(bags, labels, held_out)
            since += 1
            if loss < best:
                best, state, since = loss, copy.deepcopy(self.net.state_dict()), 0
            if since == PATIENCE:
                break
        if state is not None:
            self.net.load_state_dict(state)
        self.net.eval()

    def held_out_loss(self, bags, labels, rows):
        import torch

        self.net.eval()
        with torch.no_grad():
            return float(np.mean([float(self.loss([bags[i]], labels[[i]])) for i in rows]))

    def predict(self, bags):
        """Logit of each bag, and scores of its units."""
        import torch

        with torch.no_grad():
            return [self.outputs(self.tensor(bag)) for bag in bags]

    def decision_function(self, bags):
        return np.array([logit for logit, _ in self.predict(bags)])

    def score_units(self, bags):
        return [units for _, units in self.predict(bags)]


class TopK(Network):
    """Two layers a unit; a bag's logit is the mean of its three largest."""

    batch_size, k, hidden = 64, 3, 128

    def build(self, n_features):
        from torch import nn

        return nn.Sequential(
            nn.Linear(n_features, self.hidden),
            nn.ReLU(),
            nn.Dropout(0.3),
            nn.Linear(self.hidden, 1),
        )

    def pooled(self, logits):
        return logits.topk(min(self.k, len(logits))).values.mean()

    def loss(self, bags, labels):
        import torch
        from torch.nn.functional import binary_cross_entropy_with_logits

        logits = self.net(torch.cat(bags)).squeeze(1).split([len(bag) for bag in bags])
        return binary_cross_entropy_with_logits(
            torch.stack([self.pooled(part) for part in logits]), labels
        )

    def outputs(self, bag):
        logits = self.net(bag).squeeze(1)
        return float(self.pooled(logits)), logits.numpy()


class Peer(Network):
    """A model of torchmil, one bag at a time.

    Units are scored by DSMIL's own logits of units, and by ABMIL's attention (softmax over the bag)
    times the probability of the bag.
    """

    def __init__(self, name, seed):
        super().__init__(seed)
        self.name = name

    def build(self, n_features):
        import torchmil.models

        return getattr(torchmil.models, self.name)(in_shape=(n_features,))

    def loss(self, bags, labels):
        return sum(self.net.compute_loss(labels, bags[0][None])[1].values())

    def outputs(self, bag):
        import torch

        logit, units = self.net.predict(bag[None], return_inst_pred=True)
        if self.name == "ABMIL":
            units = torch.softmax(units, dim=1) * torch.sigmoid(logit)
        return float(logit), units[0].numpy()
