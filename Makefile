# Every target sets up what it needs, with nothing but make and Python >= 3.11; the second time that costs nothing.
UV_VERSION := 0.13.9
UV := .venv-tools/uv-$(UV_VERSION)/bin/uv
READY := .venv/.ready
RUN := .venv/bin
SCORED := .venv-scoreboard
PEERS := tests/benchmarks/scoreboard/requirements.txt

# The tests' processes: each has a broker of its own, and waits for it half of the time.
PROCESSES ?= 4

# The demo's settings, for example: make demo ARGS="--seed 1"
ARGS ?=

# What Python has compiled stays in the environment, also where no such files may lie beside sources: else each process compiles all anew.
# Tests make environments of their own, of which nothing is to stay: what they compile is let go when others begin.
COMPILED = PYTHONDONTWRITEBYTECODE= PYTHONPYCACHEPREFIX="$(CURDIR)/.venv/bytecode$(TESTED)"
TESTED :=

.DEFAULT_GOAL := help
.PHONY: help demo test lint format benchmark chaos scoreboard schemas

help:  ## Say what there is
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' Makefile

demo: $(READY)  ## A year of real flights in which better models are trained, proved and promoted: loop.png; with ARGS=--drift, what drifts and why
	@$(COMPILED) $(RUN)/driftbus demo $(ARGS)

test: TESTED := -tested
test: lint  ## What the gate runs: format, lint, types, imports, then all tests; skipped ones are listed at the end
	@rm -rf .venv/bytecode-tested
	@UV=$(CURDIR)/$(UV) $(COMPILED) $(RUN)/pytest -q -rs -n $(PROCESSES) $(ARGS)

lint: $(READY)  ## Format, lint, types, imports
	@$(RUN)/ruff format --check --quiet
	@$(RUN)/ruff check --quiet
	@$(RUN)/mypy
	@$(RUN)/lint-imports > .venv/imports.txt || { cat .venv/imports.txt; exit 1; }

format: $(READY)  ## Format, and mend what can be mended
	@$(RUN)/ruff format
	@$(RUN)/ruff check --fix

benchmark: $(READY)  ## Measure the pipeline on a real Kafka: ladder, models, detector, latency (seven minutes)
	@$(RUN)/python -m tests.benchmarks.run $(ARGS)

chaos: $(READY)  ## Kill and pause everything on a real Kafka, with one broker and with three, and compare with a clean run (fifteen minutes)
	@$(COMPILED) $(RUN)/python -m tests.kafka.chaos $(ARGS)

scoreboard: $(SCORED)/.ready  ## Measure false alarms and delays, ours and the peers', and write docs/scoreboard.md (half an hour)
	@$(SCORED)/bin/python -m pytest -q -o filterwarnings=default tests/benchmarks/scoreboard/test_originals.py
	@$(SCORED)/bin/python -W ignore -m tests.benchmarks.scoreboard.run $(ARGS)

schemas: $(READY)  ## Write the JSON Schemas of all messages anew
	@$(RUN)/driftbus schemas export schemas/published

$(READY): pyproject.toml uv.lock $(UV)
	@UV_PYTHON=$(dir $(UV))python UV_PYTHON_DOWNLOADS=never $(UV) sync --locked --all-extras --no-extra sentence-transformers --quiet
	@touch $@

$(SCORED)/.ready: $(PEERS) pyproject.toml $(UV)
	@UV_PYTHON_DOWNLOADS=never $(UV) venv --quiet --clear --python $(dir $(UV))python $(SCORED)
	@$(UV) pip install --quiet --python $(SCORED)/bin/python --no-deps --requirement $(PEERS) --editable .
	@touch $@

# `uv` goes by its version, so that another one is another file.
$(UV):
	@for python in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11 python; do \
		$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null || continue; \
		echo "setting up with $$($$python --version)"; \
		$$python -m venv .venv-tools/uv-$(UV_VERSION) && $(dir $(UV))python -m pip install --quiet uv==$(UV_VERSION) && touch $@ && exit 0; \
		echo "$$python cannot make a virtual environment with pip; on Debian and Ubuntu install python3-venv" >&2; exit 1; \
	done; \
	echo "no Python 3.11 or later found; install one, or name it: make PYTHON=/path/to/python" >&2; exit 1
