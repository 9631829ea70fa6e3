# varka: `make` lists the targets.
VENV := .venv
PY := $(VENV)/bin/python
PYTHON ?= python3

.DEFAULT_GOAL := help
.PHONY: help install dev demo test lint fuzz bench conformance load lock

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(VENV)/.installed ## varka into .venv
dev: $(VENV)/.dev ## and what its tests need

$(VENV)/.installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("varka needs Python 3.11 or newer; this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else 0'
	@test -x $(PY) || $(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "Python's venv is missing: apt-get install python3-venv" >&2; exit 1; }
	$(PY) -m pip install -q --disable-pip-version-check --require-hashes --no-deps --only-binary :all: -r requirements.lock
	$(PY) -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	$(PY) -m compileall -q src
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.installed
	$(PY) -m pip install -q --disable-pip-version-check --require-hashes --no-deps --only-binary :all: -r requirements-dev.lock
	@touch $@

demo: install ## a mesh, a canary, a header match: two minutes of tour
	@PATH="$(CURDIR)/$(VENV)/bin:$$PATH" $(PY) demo/demo.py

lint: dev ## style, types, layers
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(PY) tools/make_stubs.py $(VENV)/typings
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

test: lint ## everything that must hold
	$(VENV)/bin/pytest

bench: dev ## figures, as JSON on stdout
	$(PY) -m benchmarks

fuzz: dev ## objects changed at any place, many more of them than in the tests
	VARKA_FUZZ=20000 $(VENV)/bin/pytest -q tests/properties/test_mutations.py

conformance: dev ## Istio's own cases; needs ../shared
	$(PY) tools/conformance.py

load: dev ## many simulated sidecars; needs ../shared
	$(PY) -m benchmarks load

lock: ## pin the newest versions that fit pyproject.toml
	uv pip compile -q --universal --generate-hashes --no-header --no-annotate --python-version 3.11 --group build pyproject.toml -o requirements.lock
	uv pip compile -q --universal --generate-hashes --no-header --no-annotate --python-version 3.11 --group dev -c requirements.lock -o requirements-dev.lock
