"""The anomaly classifier: read bags, fuse, fit heads, weigh them by held-out bags."""

from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.metaestimators import available_if

from .._compat import CallbackSupportMixin, with_callbacks
from .._validation import one_column_each
from ..config import DocumentationLink
from ._checks import may_train_bit_by_bit, unfitted
from ._fitting import BagFitting
from ._scores import BagScores

__all__ = ["LEGOAnomalyClassifier"]


class LEGOAnomalyClassifier(
    CallbackSupportMixin, BagFitting, BagScores, ClassifierMixin, DocumentationLink, BaseEstimator
):
    r"""Tell anomalous bags, and the units that make them so, from labels of bags alone.

    A bag (a video, a document, a molecule) holds units (clips, sentences, conformations) in
    several views and has one label. Units are related to reference units of the training bags
    view by view, the relations are fused by a polynomial in their entries,

    .. math:: G = \sum_a A_a \, R_1^{\circ a_1} \circ \dots \circ R_M^{\circ a_M},

    and linear heads score either units, a bag's score being the mean of its top k, or bags, by
    the largest relation of a bag's units to each reference, or by how close bags come to each
    training bag, unit by unit or in the extremes of their features. Beside them stands novelty: how
    little a unit is related to the most related unit of normal bags, the only units whose label is
    known.
    Logits z of units may spread over the fused graph of their own bag,

    .. math:: z' = (1 - \beta) z + \beta D^{-1} G_+ z.

    Which weights A, which heads and which share :math:`\beta` are used is decided by the log-loss
    of held-out training bags.

    Parameters
    ----------
    views : dict, list of (str, columns), int or None, default=None
        Which columns form which view, as in :class:`~legofuse.LEGOFusionTransformer`. A dict of
        such dicts, by domain, is for domains (data sets) of different features: all have views of
        the same names, of any width.
    relation : str or dict, default="auto"
        Similarity of units within a view, one of :data:`legofuse.relations.RELATIONS`, or one for
        each view. ``"auto"`` enters correlation and gaussian as two graphs of each view.
    degree : int, default=2
        Highest power.
    interactions : {"total", "additive", "pairwise", "separable"}, default="total"
        Which products of powers enter, see :func:`~legofuse.fusion.exponents`.
    expansion : {"elementwise", "hops"}, default="elementwise"
        Entry-wise powers, or matrix powers of the normalised graphs, which need all distinct
        training units as references.
    zeroth : {"ones", "identity"}, default="ones"
        What the zeroth power of a graph is. ``"identity"`` needs ``interactions`` pairwise or
        separable and all distinct training units as references.
    reference : {"auto", "landmarks", "bag", "both"}, default="auto"
        What units are related to: reference units of the training bags (``"landmarks"``), the
        units of their own bag (``"bag"``, the paper's graph), or both: unit scores from the
        landmarks spread over the graph of the bag. ``"auto"`` chooses by the log-loss of held-out
        bags: linear heads between landmarks and both (which must gain a nat in all), a net among
        all three.
    time_view : str, default=None
        Name of a view that holds positions in time, used (by a Gaussian) in the graph of the bag
        only.
    n_references : int, default=128
        Number of training units that unit scores are linear in relations to, drawn evenly from
        bags. Pooled relations are taken to eight times as many, and so are those of units by
        linear heads with ``pooling="auto"``.
    n_units : int, default=32
        Number of segments that a bag is resampled to, in the order of its units, for a net whose
        reference uses the bag.
    pooling : {"auto", "units", "relations", "both"}, default="auto"
        Score units, then pool the top k; or pool relations, then score the bag; or average both.
        ``"auto"`` weighs all, and besides them regression on units that carry their bag's label
        and, where bags have several units, novelty, extremes of bags (of one domain) and (where
        training bags have two references or more on average) relations between bags, by the
        log-loss of held-out bags; a net scores units.
    head : {"auto", "linear", "net"}, default="auto"
        Linear heads on Nyström features and on pooled relations, in closed form or convex, or the
        paper's net, trained by gradients. See the notes for what ``"auto"`` takes.
    hidden_units : int or None, default=32
        Of the net's head; None is a linear one.
    top_k : int or float, default=3
        Number of units, or fraction of a bag's units, that a bag's score is the mean of. Unless
        it is 1, ``pooling="auto"`` tries the single largest unit score as well.
    pair_sampling : bool, default=False
        Fuse a random pair of views in each iteration, as the paper does, and average over all
        pairs when predicting.
    degree_variance : float, default=0.0
        Strength of :func:`~legofuse.nn.degree_variance_penalty`.
    degree_threshold : float, default=0.5
        Relations below it do not count for a unit's degree.
    degree_top_k : int, default=3
        Number of units of an anomalous bag, those of highest degree, that the penalty looks at.
    max_epochs : int, default=40
        Number of epochs of the net.
    lr, weight_decay : float, default=2e-3 and 1e-3
        Of AdamW.
    batch_size : int, default=64
        Bags in a batch.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes; those that a dict does not name have weight 1.
    early_stopping : bool, default=False
        Stop when the loss of held-out bags has not fallen for 5 epochs, and keep the best epoch.
    validation_fraction : float, default=0.1
        Share of bags held out for that, stratified.
    n_ensemble : int, default=1
        Number of members, each with references of its own, whose logits are averaged.
    contamination : float or None, default=None
        Share of training bags that :meth:`predict` calls anomalous; None calls those anomalous
        whose probability is above 0.5.
    pos_label : int, str or None, default=None
        The anomalous class; None is ``classes_[1]``, which is refused (a warning where X is one
        array of rows) for labels -1 and 1, and where the words say otherwise ("anomaly", "normal").
    device : str, default="auto"
        Where the net is trained and scores: ``"auto"`` is an accelerator if there is one.
    callbacks : list of skorch callbacks, default=None
        Passed on to the net, whose inputs are relations of packed bags: callbacks that let it
        predict, such as ``EpochScoring`` by a name, do not know these. A stored classifier keeps
        them without what a fit left in them.
    warm_start : bool, default=False
        Whether :meth:`fit` goes on from the net of the fit before, with its views, graphs,
        references and members: parameters of these have no effect then, and it warns if one was
        changed.
    random_state : int, RandomState or None, default=None
        Chooses references and folds, and where nets start.
    verbose : int, default=0
        Above 0 a line is printed for each stage of the fit, and one for each head with its
        held-out log-loss and its weight; above 1 one for each epoch of a net. Progress bars are
        scikit-learn's (from 1.9 on):
        ``set_callbacks(sklearn.callback.ProgressBar())``.

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
    pos_label_ : object
        The anomalous class.
    views_ : dict of str to ndarray
        Column indices of each view; a dict of such dicts where views are given by domain.
    graphs_ : list of (str, str)
        View and relation of each graph.
    powers_ : ndarray of shape (n_terms, n_graphs)
        Exponents of each term.
    terms_ : list of str
        Readable names of the terms.
    weights_ : ndarray of shape (n_terms,)
        Weights A of the terms, those of the heads averaged; they add up to 1. Of a separable
        polynomial, factors as :func:`~legofuse.fusion.fuse_separable` takes them.
    view_importances_ : dict of str to float
        Each view's share of the centred norm of the fused graph of landmarks, by ``weights_``;
        they add up to 1.
    heads_ : dict of str to float
        Weight of each head in scores of bags, with the share that spreads; the mean over domains
        that have heads of their own. Scores of units weigh more heads, see :meth:`score_units`.
    held_out_losses_ : dict of str to float
        Log-loss on held-out bags of each head tried; empty where a class has a single bag.
    pooling_ : {"units", "relations", "both"}
        What the heads with a weight in scores of bags pool.
    reference_ : {"landmarks", "bag", "both"}
        What units are related to; ``"both"`` where scores, of bags or of units, spread over the
        graph of the bag.
    offset_ : float
        Subtracted from logits by :meth:`decision_function`; 0 unless ``contamination`` is set.
    prior_ : float
        Share of anomalous bags, the probability of what misses every view.
    n_iter_ : int
        Largest number of iterations of one of ``heads_``, or epochs of the net.
    net_ : Net
        The trained skorch net (of the first member of an ensemble); absent without one.
    history_ : list of dict
        Epoch and losses of that net; absent without one.
    n_features_in_ : int
        Number of columns of a unit; absent where views are given by domain.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the columns, where bags are frames.

    See Also
    --------
    legofuse.LEGOFusionTransformer : Fuses views of samples with labels of their own.
    legofuse.bags.to_bags : Cuts a long table into bags.

    Notes
    -----
    Fitting is exact in ``sample_weight``: a bag of weight 2 gives the same result as the bag
    repeated; the order of bags and of the units in a bag does not matter. The weights A that
    compete are label-free: all terms alike, those of one relation, those of one view. Held-out
    bags are those of five folds, cut three times up to 200 bags and twice up to 300; they also tell
    the slope that averaged logits are multiplied by, shrunk towards 1 as by 40 bags. Two heads
    relate bags to bags, as kernels of sets do: by the largest relation of a unit to the references
    of a training bag, the mean over the units, and by the largest relation of a bag's units to a
    reference, the mean over the references of a training bag. Another relates bags by the largest
    and the smallest value of each feature (the statistics of Gärtner et al. 2002, in a Gaussian),
    to 512 training bags at most; :func:`~legofuse.inspection.explain` counts what it says of a unit
    as part of the base. Scores of a bag may come from logits
    that spread over its graph in full; a unit keeps at least half of its own.

    Files of ``skops.io`` hold a fitted classifier without pickles; the types to trust are
    ``legofuse.anomaly.LEGOAnomalyClassifier``, ``legofuse.anomaly._linear.LinearMember``,
    ``legofuse.anomaly._net.NetMember``, ``legofuse.anomaly._apart.DomainsMember``,
    ``legofuse.anomaly._fusion.UnitFusion`` and ``legofuse.fused.FusedGraph``.

    A net is trained when one is asked for, or by what needs one:

    =============================================  =====================================
    parameters                                     what is fitted
    =============================================  =====================================
    ``head="auto"`` and none of those below        linear heads
    ``head="linear"`` and none of those below      linear heads
    ``head="net"``                                 a net
    ``reference="bag"``, ``pair_sampling=True``,   a net; with ``head="linear"`` an error
    ``degree_variance`` above 0,
    ``early_stopping=True``, ``warm_start=True``,
    ``callbacks``, or :meth:`partial_fit`
    a net and ``pooling="both"``                   a net, and linear heads on pooled
                                                   relations, half each
    a net and ``pooling="relations"``              an error
    =============================================  =====================================

    ``hidden_units``, ``n_units``, ``max_epochs``, ``lr``, ``weight_decay``, ``batch_size``,
    ``validation_fraction`` and the other parameters of the penalty do not matter to linear heads.
    Where the reference of a net uses the bag, the order of units within a bag matters (position in
    time decides on segments); elsewhere it does not. Linear heads spread scores over the graph of
    the units as they are, without segments.

    With ``sample_domain``, views are standardised within each domain. Where domains have features
    of their own, each has landmarks of its own (``n_references`` of them), and a unit is related to
    those of its domain. Linear heads share what a unit's relations to the normal and to the
    anomalous bags of its domain say (their mean, and the largest to each bag): one head on these
    is trained on all domains, heads of a domain may deviate from it as far as its own bags say,
    and compete with heads that know nothing of it on held-out bags of the domain, where the losses
    of other domains count as much as eight bags of its own. It needs two bags of a class in every
    domain; a domain may hold normal bags alone. scikit-learn's built-in
    scorers and ``cross_val_predict`` do not forward ``sample_domain``: use :meth:`score` with
    metadata routing, or a scorer of your own.

    References
    ----------
    "Learnable Expansion of Graph Operators for Multi-Modal Feature Fusion", ICLR 2025,
    arXiv:2410.01506.

    Chen, Bi and Wang, "MILES: Multiple-Instance Learning via Embedded Instance Selection",
    TPAMI 2006, for pooled relations.

    Examples
    --------
    >>> from legofuse import LEGOAnomalyClassifier
    >>> from legofuse.datasets import make_digit_bags
    >>> data = make_digit_bags(n_bags=60, units_per_bag=5, random_state=0)
    >>> views = {name: data.views[name] for name in ("pixels", "gradients")}
    >>> model = LEGOAnomalyClassifier(views, n_references=40, random_state=0)
    >>> model = model.fit(data.bags[:40], data.y[:40])
    >>> bool(model.score(data.bags[40:], data.y[40:]) > 0.8)
    True
    >>> [len(scores) for scores in model.score_units(data.bags[:2])]
    [5, 5]
    """

    def __init__(
        self,
        views=None,
        *,
        relation="auto",
        degree=2,
        interactions="total",
        expansion="elementwise",
        zeroth="ones",
        reference="auto",
        time_view=None,
        n_references=128,
        n_units=32,
        pooling="auto",
        head="auto",
        hidden_units=32,
        top_k=3,
        pair_sampling=False,
        degree_variance=0.0,
        degree_threshold=0.5,
        degree_top_k=3,
        max_epochs=40,
        lr=2e-3,
        weight_decay=1e-3,
        batch_size=64,
        class_weight=None,
        early_stopping=False,
        validation_fraction=0.1,
        n_ensemble=1,
        contamination=None,
        pos_label=None,
        device="auto",
        callbacks=None,
        warm_start=False,
        random_state=None,
        verbose=0,
    ):
        self.views = views
        self.relation = relation
        self.degree = degree
        self.interactions = interactions
        self.expansion = expansion
        self.zeroth = zeroth
        self.reference = reference
        self.time_view = time_view
        self.n_references = n_references
        self.n_units = n_units
        self.pooling = pooling
        self.head = head
        self.hidden_units = hidden_units
        self.top_k = top_k
        self.pair_sampling = pair_sampling
        self.degree_variance = degree_variance
        self.degree_threshold = degree_threshold
        self.degree_top_k = degree_top_k
        self.max_epochs = max_epochs
        self.lr = lr
        self.weight_decay = weight_decay
        self.batch_size = batch_size
        self.class_weight = class_weight
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_ensemble = n_ensemble
        self.contamination = contamination
        self.pos_label = pos_label
        self.device = device
        self.callbacks = callbacks
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

    @with_callbacks
    def fit(self, X, y, sample_weight=None, sample_domain=None):
        """Fit heads on labelled bags.

        Parameters
        ----------
        X : sequence of (n_units_i, n_features) arrays, 3-D array, or 2-D array
            Bags; trailing all-NaN units of a 3-D array are padding; each row of a 2-D array is
            a bag of one unit.
        y : array-like of shape (n_bags,)
            Two classes.
        sample_weight : array-like of shape (n_bags,), optional
            Weight of each bag; weight 2 is the bag twice. Their sum is the number of bags that
            heads are fitted to: let weights that tell how much bags matter have a mean of 1.
        sample_domain : array-like of shape (n_bags,), optional
            Domain (data set, site, camera) of each bag: views are standardised within each.

        Returns
        -------
        self
            The fitted classifier.

        Raises
        ------
        ValueError, TypeError
            If a parameter, the views, the bags, labels or weights are not usable; nothing is
            fitted then.
        """
        return self._guarded(X, y, sample_weight, sample_domain)

    @available_if(may_train_bit_by_bit)
    @with_callbacks
    def partial_fit(self, X, y, classes=None, sample_weight=None, sample_domain=None):
        """Train the net on further bags, for one epoch.

        The first call also decides, from the bags it is given, on statistics and references
        (landmarks, by ``reference="auto"``). There is no such method where the parameters ask for
        what is no net alone, such as ``head="linear"``. After a fit of linear heads it makes a new
        net, with a warning: it goes on from a fit with ``head="net"``.

        Parameters
        ----------
        X : sequence of (n_units_i, n_features) arrays, 3-D array, or 2-D array
            Bags, as in :meth:`fit`.
        y : array-like of shape (n_bags,)
            One or both of the classes.
        classes : array-like of shape (2,), optional
            Needed in the first call where y holds one of them.
        sample_weight : array-like of shape (n_bags,), optional
            Weight of each bag.
        sample_domain : array-like of shape (n_bags,), optional
            Domain of each bag.

        Returns
        -------
        self
            The fitted classifier.

        Raises
        ------
        ValueError, TypeError
            As :meth:`fit`.
        """
        return self._guarded(X, y, sample_weight, sample_domain, classes, bit_by_bit=True)

    @property
    def net_(self):
        """The trained skorch net (of the first member), made anew from arrays."""
        if not getattr(self, "_nets", 0):
            raise AttributeError(
                f"This {type(self).__name__} has no net_: no net was trained. Use head='net', or a "
                "parameter that needs a net, and fit."
            )
        return self._members[0].restore()

    def __getstate__(self):
        """All but what a fit left in callbacks: a schedule holds the optimiser and its device."""
        state = dict(super().__getstate__())
        if state["callbacks"]:
            state["callbacks"] = [unfitted(callback) for callback in state["callbacks"]]
        return state

    def __sklearn_is_fitted__(self):
        return hasattr(self, "weights_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.input_tags.allow_nan = one_column_each(self.views)
        return tags
