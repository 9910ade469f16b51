"""The stages of a fit: read bags, prepare graphs, fit heads or train nets."""

from copy import copy
from typing import Any

import numpy as np
from sklearn.utils import column_or_1d

from .._all_or_nothing import all_or_nothing
from .._compat import check_sample_weight
from .._progress import Stages
from .._random import random_generator
from .._threads import single_threaded_blas
from ..bags import is_table
from ..terms import name_terms
from ._apart import fit_apart, parts_to_share
from ._bags import canonical_bags
from ._checks import (
    check_label_each,
    check_parameters,
    check_two_classes,
    choose_head,
    class_factors,
    read_labels,
    threshold,
    warn_missing,
)
from ._domains import narrowed, read_any, undivided
from ._linear import fit_linear
from ._net_fit import made_of, make_nets, pooled_beside, train_nets, warn_changed, warn_lost
from ._prepare import draw_fusion, prepare
from ._stack import N_FOLDS
from ._trials import average_heads, average_weights

_STAGES = ("read", "prepare", "fit heads")


class BagFitting:
    """Mixin: all of fitting but its parameters."""

    warm_start: Any
    reference: Any
    random_state: Any
    class_weight: Any
    contamination: Any
    time_view: Any
    pos_label: Any
    n_ensemble: Any
    pooling: Any
    top_k: Any
    verbose: Any
    max_epochs: Any
    device: Any
    views_: Any
    classes_: Any
    pos_label_: Any
    reference_: Any
    heads_: Any
    held_out_losses_: Any
    _domains: Any
    _time_view: Any
    _several_units: Any
    _masses: Any
    _members: Any
    _nets: Any
    _made_of: Any
    _init_callback_context: Any
    _logits: Any

    def _guarded(self, X, y, sample_weight, sample_domain, classes=None, bit_by_bit=False):
        """Fit; after an error, or Ctrl-C, all is as it was."""
        context = self._init_callback_context(max_subtasks=len(_STAGES))
        with all_or_nothing(self):
            context.call_on_fit_task_begin(estimator=self)
            progress = Stages(self, context, len(_STAGES))
            with single_threaded_blas():
                given = X, y, sample_weight, sample_domain, classes
                self._fit(given, progress, bit_by_bit)
            context.call_on_fit_task_end(estimator=self)
            return self

    def _fit(self, given, progress, bit_by_bit):
        check_parameters(self)
        head = choose_head(self, bit_by_bit)
        goes_on = bit_by_bit or (head == "net" and self.warm_start)
        goes_on = goes_on and getattr(self, "_nets", 0) > 0
        reference = self.reference_ if goes_on else self.reference
        if bit_by_bit and not goes_on:
            warn_lost(self)
        with progress.stage(_STAGES[0]):
            ordered = head == "net" and reference != "landmarks"
            bags, canonical = self._read_training(given, ordered, goes_on, bit_by_bit)
            progress.note(
                f"{len(canonical.labels)} distinct of {len(bags.offsets) - 1} bags, "
                f"{len(canonical.rows)} units, {len(bags.columns)} views"
            )
        rng = random_generator(self.random_state)
        with progress.stage(_STAGES[1]):
            prepared, note = None, "as before"
            if not goes_on:
                prepared = prepare(self, bags, canonical)
                note = f"{len(prepared.graphs)} graphs, {len(prepared.expansion.powers)} terms"
            progress.note(note)
        epochs = 1 if bit_by_bit else self.max_epochs
        steps = epochs if head == "net" else N_FOLDS
        with progress.stage(_STAGES[2], steps * self.n_ensemble):
            weight = canonical.weight * class_factors(
                self.class_weight,
                canonical.labels,
                canonical.weight,
                self.classes_,
                self.pos_label_,
            )
            masses = np.bincount(canonical.labels, weight, minlength=2)
            if bit_by_bit and goes_on:
                masses = masses + self._masses
            self._masses = masses
            self.prior_ = float(self._masses[1] / self._masses.sum())
            if head == "net":
                found = bags, canonical, prepared, weight
                self._fit_nets(*found, rng, bit_by_bit, progress.step)
            else:
                self._fit_linear(bags, canonical, prepared, weight, rng, progress.step)
            progress.note(", ".join(f"{name} ({w:.2f})" for name, w in self.heads_.items()))
        self.offset_ = 0.0
        if self.contamination is not None:
            fitted = self._logits(bags.units[canonical.rows], canonical.offsets)
            margin = 1e-5 if self._nets else 1e-9  # what logits may change by with the bags beside
            self.offset_ = threshold(fitted, canonical.weight, self.contamination, margin)

    def _read_training(self, given, ordered, goes_on, bit_by_bit):
        """Checked bags, and the canonical ones; sets the classes and the views."""
        X, y, sample_weight, sample_domain, classes = given
        if y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is None."
            )
        check_label_each(y)
        y = column_or_1d(y, warn=True)
        time_view = self._time_view if goes_on else self.time_view
        bags = read_any(self, X, sample_domain, len(y), time_view=time_view, reset=not goes_on)
        positive = self.pos_label_ if goes_on else self.pos_label
        known = self.classes_ if goes_on and classes is None else classes
        if goes_on and not np.array_equal(np.unique(known), self.classes_):
            raise ValueError(
                f"classes={np.unique(known).tolist()} differ from those seen before, "
                f"{self.classes_.tolist()}."
            )
        labels, known, positive = read_labels(y, known, positive, is_table(X), bit_by_bit)
        self.classes_, self.pos_label_ = known, positive
        weight = check_sample_weight(sample_weight, y, dtype=np.float64)
        warn_missing(bags, "left out of the fit")
        self.views_, self._time_view = bags.views, time_view
        several = len(bags.has_view) > len(labels)
        self._several_units = several or (goes_on and self._several_units)
        found = bags.offsets, labels, weight, ordered
        canonical = canonical_bags(bags.X, *found, bags.domains)
        check_two_classes(canonical.labels, self.classes_, at_least=1 if bit_by_bit else 2)
        if bags.domains is not None and not goes_on:  # bags left out count as not given
            given = len(self._domains)
            self._domains = np.unique(bags.unit_domains[canonical.rows]).tolist()
            if len(self._domains) < given:
                bags = undivided(narrowed(bags, self._domains), self._domains)
                canonical = canonical_bags(bags.X, *found, bags.domains)
        return bags, canonical

    def _fit_linear(self, bags, canonical, prepared, weight, rng, step):
        """Members of the ensemble, each with references of its own."""
        own = self.reference == "both" or (self.reference == "auto" and canonical.several_units)
        self._members, trials = [], []
        parts = parts_to_share(canonical, prepared.domains, bags)
        for _ in range(self.n_ensemble):
            if parts:
                member, found = fit_apart(self, prepared, bags, parts, weight, rng, own, step)
                trials += found
            else:
                fusion, ids, _ = draw_fusion(self, prepared, canonical, bags, rng, own)
                member, trial = fit_linear(
                    fusion,
                    ids,
                    bags.units[canonical.rows],
                    canonical,
                    weight,
                    pooling=self.pooling,
                    top_k=self.top_k,
                    reference=self.reference,
                    seed=rng.randint(np.iinfo(np.int32).max),
                    step=step,
                )
                trials.append(trial)
            self._members.append(member)
        self._nets = 0
        self.__dict__.pop("history_", None)
        self._tell(trials)
        self.heads_, self.held_out_losses_ = average_heads(trials)
        kept = [head for member in self._members for head, _, _ in member.heads]
        kinds = {"relations" if head.kind == "relations" else "units" for head in kept}
        self.pooling_ = "both" if len(kinds) > 1 else kinds.pop()
        kept_for_units = [head for member in self._members for head, _, _ in member.unit_heads]
        spreads = self.reference == "both" or any(h.share for h in [*kept, *kept_for_units])
        self.reference_ = "both" if spreads else "landmarks"
        self.graphs_, self.powers_ = prepared.graphs, prepared.expansion.powers
        self.n_iter_ = max(1, *(head.n_iter for head in kept))
        self._set_weights(average_weights(prepared.weights, trials))

    def _fit_nets(self, bags, canonical, prepared, weight, rng, bit_by_bit, step):
        """Nets (new ones, or those that go on), and pooled relations beside them if wanted."""
        units = bags.units[canonical.rows]
        if prepared is None:
            warn_changed(self, self._made_of)
            nets, losses = [copy(net) for net in self._members[: self._nets]], None
            for net in nets:
                net.device = self.device
        else:
            self._made_of = made_of(self)
            tried = None if bit_by_bit else weight
            nets, losses = make_nets(self, bags, canonical, prepared, tried, rng)
        epochs = 1 if bit_by_bit else None
        train_nets(self, nets, units, canonical, weight, rng, epochs=epochs, step=step)
        self._members, self._nets = list(nets), len(nets)
        self.heads_, self.pooling_ = {"net": 1.0}, "units"
        if losses is not None:
            self.held_out_losses_ = {f"net, {name}": loss for name, loss in losses.items()}
        if self.pooling == "both":
            pooled, trials = pooled_beside(self, nets, units, canonical, weight, rng)
            self._members += pooled
            self._tell(trials)
            heads, losses = average_heads(trials)
            self.heads_ = {"net": 0.5, **{name: share / 2 for name, share in heads.items()}}
            self.held_out_losses_ |= losses
            self.pooling_ = "both"
        first = nets[0]
        self.reference_, self.history_ = first.reference, first.history
        self.graphs_, self.powers_ = first.graphs, first.expansion.powers
        self.n_iter_ = len(self.history_)
        self._set_weights(np.mean([net.weights for net in nets], axis=0))

    def _set_weights(self, weights):
        self.terms_, self.weights_ = name_terms(self.graphs_, self.powers_), weights
        self.view_importances_ = self._members[0].importances(weights)

    def _tell(self, trials):
        """Print what held-out bags say of the heads."""
        if not self.verbose:
            return
        for trial in trials:
            for head, share in zip(trial.heads, trial.shares, strict=True):
                loss = trial.losses.get(str(head), np.nan)
                print(f"{head}: held-out log-loss {loss:.3f}, weight {share:.2f}")
