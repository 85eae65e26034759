# `make` alone lists the targets.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV_VERSION := 0.13.9
PIP_AUDIT_VERSION := 2.10.1
PROCESSES ?= 4
APART := --numprocesses $(PROCESSES) --dist loadfile --no-loadscope-reorder
WALKS := tests/browser
SHOWN := $(patsubst %,tests/browser/test_%.py,designer unharmed optimised capture_engines) tests/app/test_capture.py \
	$(patsubst %,tests/pages/test_%.py,axe browser drawing) tests/demo/test_pictures.py
STORE_TESTS := tests/journey tests/collector tests/app \
	--ignore tests/app/test_postgres.py --ignore tests/app/test_capture.py
SOURCES := app collector heatmap migrations snippets tests

.DEFAULT_GOAL := help
.PHONY: help setup provide demo audit test test-system-postgres test-shown test-walks test-faults test-secrets fuzz bench-closing bench-stall bench-stall-demo bench-pages bench bench-ingest bench-render bench-snippet lint types golden gallery docs demo-pictures pictures image format clean

help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-22s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.ready ## make .venv with everything in it

$(VENV)/.ready: uv.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Gloed needs Python 3.11 or newer: make PYTHON=python3.13"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { echo "$(PYTHON) has no venv: on Debian, apt install python3-venv"; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "uv==$(UV_VERSION)"
	@VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv sync --frozen --all-extras --no-extra bench --inexact --compile-bytecode --quiet
	@touch $@
	@echo "Ready: . $(VENV)/bin/activate gives you the command gloed"

provide: setup ## make sure browsers and servers for the tests are there
	@$(BIN)/python -m tests.provide

demo: setup ## a Dutch webshop with a week of visitors, and where they stalled
	@exec $(BIN)/gloed demo

test: setup provide ## the journey of one event, then everything else but what browsers are for
	@$(BIN)/python -m pytest tests/journey
	@$(BIN)/python -m pytest $(APART) tests --ignore tests/journey $(patsubst %,--ignore %,$(WALKS) $(SHOWN))

test-shown: setup provide ## pages, ours and shops', in browsers, side by side
	@$(BIN)/python -m pytest $(AGAIN) $(APART) $(SHOWN)

test-walks: setup provide ## visits in three engines, timed by what their hands did, one after the other
	@$(BIN)/python -m pytest $(AGAIN) $(WALKS) $(SHOWN:%=--ignore %)

test-system-postgres: setup provide ## the parts that touch the store, on the system's PostgreSQL
	@$(BIN)/python -m tests.on_postgres $(BIN)/python -m pytest $(APART) $(STORE_TESTS)

test-secrets: setup ## plant secrets in everything that is taken, stop and kill, and look for them in every file
	@$(BIN)/python -m tests.faults.planted

fuzz: setup ## hostile bytes for every decoder: SECONDS=120 each, by atheris where it is installed, else by our own
	@$(BIN)/python -m tests.fuzz --seconds $(or $(SECONDS),120)

test-faults: setup ## kill workers and Postgres under load, overload them; count what is lost
	@$(BIN)/python -m tests.faults

bench-closing: setup ## a day of VIEWS=1000000 views: CPU and memory of closing and sealing it
	@VIEWS=$(or $(VIEWS),1000000) $(BIN)/python -m tests.bench.closing

bench-stall: setup ## the stall map: false alarms, power, daily looks, cost; half an hour (SEED=1 RUNS=1000)
	@SEED=$(SEED) RUNS=$(RUNS) PARTS=$(PARTS) $(BIN)/python -m tests.bench.stall

bench-stall-demo: setup ## the demo's own stall, twenty times with and without it: is it found (FROM=1 SEEDS=20)
	@FROM=$(FROM) SEEDS=$(SEEDS) $(BIN)/python -m tests.bench.stall_demo

bench-pages: setup ## what each of our pages asks of the store and takes of the processor
	@$(BIN)/python -m tests.bench.pages

bench: bench-ingest bench-render bench-snippet ## every benchmark; the last line of each is its figures as JSON

bench-ingest: setup ## batches, beacons, openings, stylesheets against a bare server; what is lost (Linux)
	@$(BIN)/python -m tests.bench.ingest

bench-snippet: setup provide ## what the snippet costs a page: bytes, requests, style and load time
	@$(BIN)/python -m tests.bench.snippet

bench-render: $(VENV)/.bench ## points to picture against other packages: speed, truth, memory (SEED=1)
	@SEED=$(SEED) $(BIN)/python -m tests.bench.render

$(VENV)/.bench: $(VENV)/.ready
	@VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv sync --frozen --all-extras --inexact --compile-bytecode --quiet
	@touch $@

lint: setup ## style, types, imports, dependencies
	@$(BIN)/ruff format --check $(SOURCES)
	@$(BIN)/ruff check $(SOURCES)
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/deptry .

audit: setup ## known weaknesses of the locked dependencies; fails for what cannot be audited
	@$(BIN)/uv export --frozen --all-extras --no-emit-project --quiet --format requirements-txt --output-file $(VENV)/locked.txt >/dev/null
	@$(BIN)/uv tool run pip-audit@$(PIP_AUDIT_VERSION) --strict --disable-pip --require-hashes --requirement $(VENV)/locked.txt

types: setup ## types alone
	@$(BIN)/mypy

format: setup ## put the code into its form
	@$(BIN)/ruff format $(SOURCES)
	@$(BIN)/ruff check --fix $(SOURCES)

golden: setup ## rewrite the golden pictures and texts; look at them before committing
	@GLOED_TEST_GOLDEN=rewrite $(BIN)/python -m pytest -q tests/heatmap/test_golden.py tests/pages/test_small_shop.py

gallery: setup ## draw docs/gallery anew: every palette, scale and mark, to look at
	@$(BIN)/python -m app.gallery docs/gallery

docs: setup ## rewrite the pages that are generated from the code
	@$(BIN)/python -m app.reference docs

demo-pictures: setup ## capture the demo shop's pages anew
	@$(BIN)/python -m app.demo.pictures

pictures: setup provide ## photograph the demo's pages for the documentation
	@$(BIN)/python -m tests.pictures docs/pictures --best

image: ## the container image
	docker build --tag gloed .

clean: ## remove what the targets made, but no data
	rm -rf $(VENV) dist .mypy_cache .ruff_cache .pytest_cache
