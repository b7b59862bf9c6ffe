# The verbs of this project; `make help` lists them. Everything is written inside this directory.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
UV_VERSION := 0.13.9
SMG_VERSION := 1.13.0
BIN := .venv/bin
READY := .venv/ready
MORE ?= 0
BENCHMARKS ?=
LEGS ?=

export PIP_CACHE_DIR := $(CURDIR)/.cache/pip
export UV_CACHE_DIR := $(CURDIR)/.cache/uv
export RUFF_CACHE_DIR := $(CURDIR)/.cache/ruff
export MYPY_CACHE_DIR := $(CURDIR)/.cache/mypy
export PYTHONPYCACHEPREFIX := $(CURDIR)/.cache/pycache
export DAGSTER_HOME := $(CURDIR)
export CONVERSATIONS_DAGSTER_STATE := $(CURDIR)/.dagster

help:  ## list the verbs
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 22

setup: $(READY)  ## put the environment into .venv, from the lock

demo: $(READY)  ## sync sample conversations from a local API, through Dagster (MORE=3: three of them have gone on)
	@$(BIN)/python -m pipelines.demo --more $(MORE)

test: $(READY)  ## run the tests
	@$(BIN)/python -m pytest

test-matrix: $(READY)  ## run the tests on other versions of Python, DuckDB and Dagster, too (LEGS="python3.13 duckdb2")
	@.ci/matrix $(LEGS)

check: $(READY)  ## lint, format, types, arrows between the packages
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --cache-dir .cache/import-linter

benchmark: $(READY)  ## measure, for hours (BENCHMARKS="full_load --items 20000": one of them, small)
	@test -x .cache/benchmarks/venv/bin/python || $(PYTHON) -m venv .cache/benchmarks/venv
	@VIRTUAL_ENV=$(CURDIR)/.cache/benchmarks/venv $(BIN)/uv pip install --quiet -c requirements.lock --group benchmark
	@$(BIN)/python -m benchmarks $(BENCHMARKS)

smg: $(READY)  ## install SMG, another server of the API, for the tests that ask it (107 MB)
	@test -d .cache/smg/smg || $(BIN)/python -m pip install --quiet --no-deps --target .cache/smg smg==$(SMG_VERSION) setproctitle

dev: $(READY)  ## open the Dagster UI at http://127.0.0.1:3000
	@mkdir -p "$(CONVERSATIONS_DAGSTER_STATE)"
	@PYTHONWARNINGS='ignore:Function `dev_command` is superseded' $(BIN)/dagster dev -m pipelines.definitions

$(READY): requirements.lock pyproject.toml Makefile
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name it with PYTHON=...")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@VIRTUAL_ENV=$(CURDIR)/.venv $(BIN)/uv pip install --quiet --require-hashes -r requirements.lock
	@VIRTUAL_ENV=$(CURDIR)/.venv $(BIN)/uv pip install --quiet --no-deps --no-build-isolation -e .
	@touch $(READY)

.PHONY: help setup demo test test-matrix check benchmark smg dev
