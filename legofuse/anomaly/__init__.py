"""Weakly supervised anomaly detection over bags of units: one label a bag, none a unit.

`_bags` reads and merges bags, `_checks` judges parameters and labels, `_prepare` lists graphs and
draws references, `_polynomials` are the weights that compete. `_fusion` relates units to
references, `_own_graph` to one another within their bag, `_extremes` bags to bags. `_heads` are
linear heads on what is read from the graphs, `_fit_head` fits them and `_top_k` pools their logits,
`_trials` lists those that compete and weighs them by what held-out bags say (`_stack`), and
`_linear` fits them.
`_domains` reads bags of several domains; where their features differ, `_roles` are relations that
mean the same in all of them, and `_apart` fits heads of each.
`_net` is the paper's net instead, trained by gradients (by torch, which nothing else imports), and
`_net_fit` trains it. `_fitting` goes through the stages of a fit, `_scores` is what a fitted
classifier says, `_parts` takes that apart, and `_classifier` is the estimator.
"""

from ._classifier import LEGOAnomalyClassifier

__all__ = ["LEGOAnomalyClassifier"]

LEGOAnomalyClassifier.__module__ = __name__  # the name by which files refer to it
