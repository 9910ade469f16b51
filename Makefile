# make demo and make test need Python 3.11 or newer and nothing else: each builds an environment of
# its own, with the versions of constraints.txt, and keeps it until what it was built from changes.
# Where packages come from is pip's own configuration (pip.conf, PIP_INDEX_URL, ...).
#
#   make demo PYTHON=python3.12     another interpreter
#   make test ARGS='-k fusion -x'   more arguments for pytest
#   make test JOBS=8                tests in so many processes at once (0: in pytest's own)
#   make test ENVS=/tmp/envs        environments elsewhere

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test test-slow test-dask doctest docs lint types clean

ENVS ?= .
JOBS ?= 2
DEMO := $(ENVS)/.venv-demo
TEST := $(ENVS)/.venv-test
DASK := $(ENVS)/.venv-dask
DOCS := $(ENVS)/.venv-docs

# The first interpreter that is new enough and can create environments.
PROBE := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11 python; do \
	if $$python -c '$(PROBE)' >/dev/null 2>&1; then echo $$python; break; fi; done)

export MPLBACKEND := Agg

help:
	@echo 'make demo       the method on real data: prints a table, writes a figure to demo_output/'
	@echo 'make test       all fast tests, doctests included'
	@echo 'make test-slow  the tests that take longer'
	@echo 'make test-dask  lazy input, a cluster of two worker processes included'
	@echo 'make doctest    the examples in docstrings only'
	@echo 'make docs       the documentation, with all examples run: docs/_build/html/index.html'
	@echo 'make lint       ruff: rules and formatting'
	@echo 'make types      mypy'
	@echo 'make clean      remove environments, caches and outputs'

# The demo's matrices are small: on a busy machine threads wait for one another longer than they work.
demo: export OMP_NUM_THREADS ?= 1
demo: export OPENBLAS_NUM_THREADS ?= 1
demo: $(DEMO)/.ready
	$(DEMO)/bin/python examples/plot_fuse_in_a_pipeline.py

# Each process takes one core: their libraries' threads would wait for one another.
test: export OMP_NUM_THREADS ?= 1
test: export OPENBLAS_NUM_THREADS ?= 1
test: $(TEST)/.ready
	$(TEST)/bin/python -m pytest -n $(JOBS) $(ARGS)

test-slow: $(TEST)/.ready
	$(TEST)/bin/python -m pytest -m 'slow and not (network or data or gpu)' $(ARGS)

# Ray and Spark recipes run where these are installed: make test-dask EXTRA='ray[data] pyspark'
test-dask: $(DASK)/.ready
	$(if $(EXTRA),$(DASK)/bin/python -m pip install --quiet --constraint constraints.txt $(EXTRA))
	$(DASK)/bin/python -m pytest -m 'not (network or data or gpu)' -rs tests/test_dask.py $(ARGS)

doctest: $(TEST)/.ready
	$(TEST)/bin/python -m pytest legofuse $(ARGS)

# Without a network; ARGS='-D plot_gallery=0' leaves the examples out.
docs: export OMP_NUM_THREADS ?= 1
docs: export OPENBLAS_NUM_THREADS ?= 1
docs: $(DOCS)/.ready
	$(DOCS)/bin/python -m sphinx -W --keep-going -n -q -b html docs docs/_build/html $(ARGS)
	@echo 'open docs/_build/html/index.html'

lint: $(TEST)/.ready
	$(TEST)/bin/python -m ruff check .
	$(TEST)/bin/python -m ruff format --check .

types: $(TEST)/.ready
	$(TEST)/bin/python -m mypy

$(DEMO)/.ready: EXTRAS := plot
$(TEST)/.ready: EXTRAS := test,lint
$(DASK)/.ready: EXTRAS := test,dask
$(DOCS)/.ready: EXTRAS := docs,plot,dask
$(DEMO)/.ready $(TEST)/.ready $(DASK)/.ready $(DOCS)/.ready: pyproject.toml constraints.txt
	@test -n '$(PYTHON)' || { echo 'No Python >= 3.11 with venv was found: make PYTHON=...' >&2; exit 1; }
	'$(PYTHON)' -m venv --clear '$(@D)'
	'$(@D)/bin/python' -m pip install --quiet --constraint constraints.txt --editable '.[$(EXTRAS)]'
	touch '$@'

clean:
	rm -rf $(DEMO) $(TEST) $(DASK) $(DOCS) build dist demo_output examples/demo_output
	rm -rf docs/_build docs/generated docs/auto_examples
	rm -rf .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find legofuse tests -name __pycache__ -type d -prune -exec rm -rf {} +
