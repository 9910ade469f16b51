"""The quality benchmark: legofuse beside its peers, on real multi-view data and fixed splits.

``data`` knows sets, splits and perturbations; ``tuning`` the search that all methods share;
``methods`` and ``peers`` what is compared; ``run`` fills a JSON-lines file; ``stats``, ``report``
and ``figures`` turn that file into tables and pictures; ``check`` guards against regressions.
"""
