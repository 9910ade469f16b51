"""Data that nothing was tuned on: no default, rule or idea of legofuse was taken from them.

But for one: a bound of ``linear``, seen to be missing in some tables of ``real_values``, which are
counted apart.

``classes`` and ``rare_classes`` are tables with classes (of KEEL), ``series`` series of sensors (of
aeon), ``real_values`` tables with real targets (of R's packages), ``bags`` multiple-instance sets.
How tables are cut into views is in ``_tables``, how accuracies are compared in ``_accuracy``.
"""
