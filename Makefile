# The whole life of a checkout. Every target is idempotent; a second `make setup` takes a moment.
# Needs: Python 3.11 to 3.13 (PYTHON=… chooses one), make, bash. `.ci/debian` brings what Debian lacks.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV   := .venv
BIN    := $(VENV)/bin
NODE   := tests/interop/node

# pip reads the lock and nothing else: versions and hashes are the whole truth about what gets in.
PIP    := $(BIN)/python -m pip --disable-pip-version-check --no-input

.PHONY: help setup demo test lint format types layers drift check lock schemas docs clean

help:
	@echo 'make setup    virtual environment in .venv/, locked dependencies, system libraries'
	@echo 'make demo     two example systems: evidence, dossiers, portal (build/demo/)'
	@echo 'make test     the tests'
	@echo 'make check    lint, types, layers and drift of generated files'
	@echo 'make format   rewrite the code as ruff wants it'
	@echo 'make lock     resolve the dependencies again into requirements*.lock (needs uv)'
	@echo 'make schemas  write the generated JSON Schemas again'
	@echo 'make docs     write the generated reference pages again'

setup: $(VENV)/.system $(VENV)/.project

# 1. An environment of its own. The check comes first, so that a machine without
#    the venv module gets the line to run and not half an environment.
$(BIN)/python:
	@.ci/debian python '$(PYTHON)'
	@echo 'Making the virtual environment in $(VENV)/'
	@'$(PYTHON)' -m venv $(VENV)

# 2. The locked dependencies. The lock is whole, so nothing is resolved again: a resolver would look at
#    releases that are newer than the lock (old pip stops there), and `pip check` says whether it is whole.
$(VENV)/.locked: requirements.lock | $(BIN)/python
	@echo 'Installing the locked dependencies (about a gigabyte, once)'
	@$(PIP) install --quiet --require-hashes --no-deps -r requirements.lock
	@$(PIP) check
	@touch $@

# 3. This project, editable, built by the locked build tools.
$(VENV)/.project: pyproject.toml $(VENV)/.locked
	@$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

# 4. The libraries that pip cannot bring: WeasyPrint's.
$(VENV)/.system: .ci/debian | $(BIN)/python
	@.ci/debian runtime '$(BIN)/python'
	@touch $@

# 5. Judges written in JavaScript, for the tests; left out where there is no npm.
$(NODE)/node_modules/.locked: $(NODE)/package-lock.json
	@if command -v npm >/dev/null; then \
	  echo 'Installing the JavaScript judges'; \
	  npm ci --prefix $(NODE) --silent --no-audit --no-fund && touch $@; \
	else echo 'npm is not installed: the tests that need it will be skipped, and say so'; fi

# 6. Spark, 500 MB for one test: CI asks for it, and whoever wants to run that test. In a folder of its own, since
#    where PySpark is found, importing Great Expectations ends every interpreter that runs no file (pytest's workers too).
$(VENV)/spark: requirements-spark.lock $(VENV)/.project
	@rm -rf $@
	@$(PIP) install --quiet --require-hashes --no-deps --no-build-isolation --target $@ -r requirements-spark.lock
	@touch $@

demo: setup
	@$(BIN)/compliance demo

test: setup $(NODE)/node_modules/.locked
	@$(BIN)/python -m pytest -n $${TEST_PROCESSES:-2} --dist loadfile $(ARGS)

lint: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

format: setup
	@$(BIN)/ruff check --fix --quiet .
	@$(BIN)/ruff format .

types: setup
	@$(BIN)/mypy

layers: setup
	@$(BIN)/lint-imports

drift: setup
	@.ci/drift

check: lint types layers drift

schemas: setup
	@rm -rf schemas/evidence schemas/needs
	@$(BIN)/compliance schema export --dir schemas

docs: setup
	@$(BIN)/python docs/generate.py

COMPILE := uv pip compile --universal --python-version 3.11 --generate-hashes --no-config \
  --no-emit-index-url --no-emit-find-links --no-header --no-annotate --quiet

lock:
	$(COMPILE) --group dev --extra postgres --extra example --extra dicom pyproject.toml -o requirements.lock
	$(COMPILE) --group spark -o requirements-spark.lock
	@! grep -nE '[a-z]+://' requirements*.lock

clean:
	rm -rf build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
