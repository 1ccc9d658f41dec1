# Each target does its own set-up: a bare machine needs Python 3.11, make and a network.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
RIVALS := .venv-rivals
SOURCES := schemas documents policies detections ledger judgement streams sinks store consumers runtime cli tests bench sdk

.PHONY: help demo test check format bench overload soak chaos interop docs lock clean setup

help: ## what can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 12

$(BIN)/uv: requirements/bootstrap.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/bootstrap.txt
	@touch $@

$(VENV)/.embedded: $(BIN)/uv requirements/embedded.txt pyproject.toml
	$(UV) pip install --python $(BIN)/python --require-hashes -r requirements/embedded.txt
	$(UV) pip install --python $(BIN)/python --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.embedded requirements/dev.txt sdk/pyproject.toml
	$(UV) pip install --python $(BIN)/python --require-hashes -r requirements/dev.txt
	$(UV) pip install --python $(BIN)/python --quiet --no-deps --no-build-isolation -e sdk
	@touch $@

setup: $(VENV)/.dev ## everything for development, in .venv

demo: $(VENV)/.embedded ## the guided tour: agents act, are judged, stored, queried, proven
	$(BIN)/praetor demo

test: $(VENV)/.dev ## all tests, on real services
	$(BIN)/pytest

check: $(VENV)/.dev ## format, lint, types, import rules
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/mypy --config-file sdk/pyproject.toml
	$(BIN)/lint-imports

format: $(VENV)/.dev ## format and mend what lint can mend
	$(BIN)/ruff format $(SOURCES)
	$(BIN)/ruff check --fix $(SOURCES)

$(RIVALS)/.done: $(BIN)/uv requirements/rivals.txt
	$(UV) venv --quiet --clear --python $(BIN)/python $(RIVALS)
	$(UV) pip install --python $(RIVALS)/bin/python --require-hashes -r requirements/rivals.txt
	@touch $@

bench: $(VENV)/.dev ## measure: ratios to a baseline, alternating in one run
	@$(MAKE) --no-print-directory $(RIVALS)/.done || echo "The engines of others do not install here: the series rivals goes without."
	$(BIN)/python -m bench

overload: $(VENV)/.dev ## one govern worker under three times what it can do, for ten minutes
	$(BIN)/python -m bench.overload

soak: $(VENV)/.dev ## the stack under steady load for SOAK_SECONDS (1800), 10^6 hostile records, 100 bundles under load; the index against its oracle
	$(BIN)/python -m tests.policies.soak
	$(BIN)/python -m tests.detections.correlations.soak
	$(BIN)/python -m tests.detections.sigma.soak
	$(BIN)/python -m tests.alert.soak
	$(BIN)/python -m tests.soak
	$(BIN)/python -m tests.delivery.soak
	$(BIN)/pytest -m chaos tests/bundles

chaos: $(VENV)/.dev ## CHAOS_FAULTS (100) seeded faults on a running stack; the checker must find sabotage
	$(BIN)/python -m tests.chaos --seed $(or $(CHAOS_SEED),1) --faults $(or $(CHAOS_FAULTS),100)
	$(BIN)/pytest -m "chaos or not chaos" tests/chaos/test_sabotage.py
	$(BIN)/pytest -m chaos tests/sdk

interop: $(VENV)/.dev ## what needs Go, other Pythons, a real OpenSearch or the shared folder beside the repository
	$(BIN)/pytest -m interop tests/interop tests/sdk tests/delivery

docs: $(VENV)/.dev ## write the reference pages from the code
	$(BIN)/python -m cli.reference docs
	$(BIN)/python -m schemas.asyncapi > docs/asyncapi.json

lock: $(BIN)/uv ## pin every dependency with its hashes
	$(UV) pip compile -q --universal --generate-hashes --python-version 3.11 --custom-compile-command "make lock" requirements/bootstrap.in -o requirements/bootstrap.txt
	$(UV) pip compile -q --universal --generate-hashes --python-version 3.11 --custom-compile-command "make lock" pyproject.toml -o requirements/base.txt
	$(UV) pip compile -q --universal --generate-hashes --python-version 3.11 --custom-compile-command "make lock" pyproject.toml --extra embedded -c requirements/base.txt -o requirements/embedded.txt
	$(UV) pip compile -q --universal --generate-hashes --python-version 3.11 --custom-compile-command "make lock" pyproject.toml --extra embedded --extra notify --group dev -c requirements/embedded.txt -o requirements/dev.txt
	$(UV) pip compile -q --universal --generate-hashes --python-version 3.9 --custom-compile-command "make lock" sdk/pyproject.toml --extra kafka -o requirements/sdk.txt
	$(UV) pip compile -q --universal --generate-hashes --python-version 3.11 --custom-compile-command "make lock" --group bench -o requirements/rivals.txt

clean: ## remove the environment and caches
	rm -rf $(VENV) $(RIVALS) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist build
