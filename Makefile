# setup: everything that is needed, idempotent; leaves .venv/bin/stack-run
# demo:  the whole way once, on real guests        test: default tests, with real guests      test-long: the slow ones, too
# fuzz:  every reader, guided by coverage          check: lint, types, layers                       bench: ratios into bench/RESULTS.md
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: fuzz setup demo test test-fast test-long test-xen check bench mutants clean

setup:
	@PYTHON=$(PYTHON) tools/setup

demo:
	@PYTHON=$(PYTHON) tools/demo

test:
	@PYTHON=$(PYTHON) tools/setup --tests
	$(BIN)/pytest -m "not real"
	$(BIN)/pytest -m "thorough and not real"
	$(BIN)/pytest -m real --durations=12

test-fast: setup
	$(BIN)/pytest -m "not real"

test-long: test
	@PYTHON=$(PYTHON) tools/setup --slow-tests
	$(BIN)/pytest -m "slow and not xen"

# a Xen host is built of Debian's packages and run in an emulated machine: some minutes
test-xen: setup
	$(BIN)/pytest -m xen tests/xen

check: setup
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: setup
	$(BIN)/python -m bench

fuzz: setup
	$(BIN)/pip install -q atheris
	@for reader in hot cfn tosca tosca2 json environment; do PYTHONPATH=.:tests $(BIN)/python -m fuzz $$reader $(or $(SECONDS_EACH),60) || exit 1; done

mutants: setup
	PYTHONPATH=.:tests $(BIN)/python -m mutants

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
