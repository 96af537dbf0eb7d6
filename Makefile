# The chores. CI runs these same targets; `make help` lists them.

PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
CODE := src tests
# Arguments for the program behind a target: make test ARGS="tests/unit -k rate", make demo ARGS=--once
ARGS ?=
# Two processes share the suite: the machines that it runs on have two cores.
PYTEST_WORKERS ?= 2

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint fmt types contracts migrations bench bench-long soak docs clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## Make .venv with everything in it, the imsys command too (needs Python 3.11)

# The stamp is newer than what the environment was made from, or the environment is made again.
$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

demo: setup ## Start IMSys with a simulated fleet and sample subscribers
	$(BIN)/imsys demo $(ARGS)

test: setup ## Run the tests (they start a PostgreSQL of their own)
	$(BIN)/pytest -n $(PYTEST_WORKERS) --dist loadfile $(ARGS)

lint: setup ## Look for mistakes and for code that is not formatted
	$(BIN)/ruff check $(CODE)
	$(BIN)/ruff format --check $(CODE)

fmt: setup ## Format the code and mend what can be mended by itself
	$(BIN)/ruff check --fix $(CODE)
	$(BIN)/ruff format $(CODE)

types: setup ## Check the types
	$(BIN)/mypy

contracts: setup ## Check that the arrows between the packages never turn back
	$(BIN)/lint-imports

migrations: setup ## Check that every change of a model has its migration (asks no database)
	$(BIN)/python -m tests.migrations

bench: setup ## Measure against the budgets, in a few minutes
	$(BIN)/python -m tests.bench $(ARGS)

bench-long: setup ## Measure what takes longer too: a million subscribers on a thousand routers
	$(BIN)/python -m tests.bench --long $(ARGS)

soak: setup ## Run the scenarios with fresh seeds until something breaks or the time is up
	$(BIN)/python -m tests.soak $(ARGS)

docs: setup ## Write the page that is made from the code, the command reference
	$(BIN)/python -m imsys.cli.reference docs/reference/cli.md

clean: ## Remove the environment and what tools have cached
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
