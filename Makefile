# `make help` lists the commands. Everything installs into this folder (.venv, node_modules, .cache), except Debian packages
# (python3-venv, Docker, two small ones) that are missing and that root may install.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

WORKERS ?= 3
BLOCK_TIME ?= 0
OUT ?= devnet.json
KEEP ?= 0
SEEDS ?= 2000
# Test processes: most tests wait for other processes, so twice the cores are kept busy.
JOBS ?= 4
# COVERAGE=1 measures the branches that the tests run and fails below the floor in .coveragerc.
COVERAGE ?= 0

PY := .venv/bin/python
BIN := .venv/bin
SOURCES := libs/protocol/src libs/poco/src libs/kit/src $(wildcard services/*/src) tools/devnet/src
TESTS := conftest.py $(wildcard libs/*/tests services/*/tests tools/*/tests) tests
CHECKED := $(filter-out libs/protocol/src,$(SOURCES)) $(TESTS) $(wildcard tools/*.py)
# A virtual environment that the caller is in must not mislead the tools.
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV
# Node and Go from their wheels, when this machine lacks them (tools/install_toolchain.sh).
export PATH := $(CURDIR)/.cache/toolchain/bin:$(PATH)

.PHONY: help
help: ## list the commands
	@grep -Eh '^[a-z0-9%-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /|/' | column -t -s '|'

# --- installation ---------------------------------------------------------------------------------

.venv/.installed: requirements.lock tools/bootstrap.lock tools/install_python.sh pyproject.toml $(wildcard libs/*/pyproject.toml services/*/pyproject.toml tools/*/pyproject.toml)
	@echo "installing the Python environment …" >&2
	@tools/install_python.sh

.PHONY: python docker node install
python: .venv/.installed
docker: .venv/.installed
	@tools/install_docker.sh
node: .venv/.installed
	@tools/install_toolchain.sh node
install: docker node ## install everything that the other commands need
	@$(PY) -m workerpool_devnet.packages

# --- use ------------------------------------------------------------------------------------------

.PHONY: demo devnet
demo: install ## a whole pool computes four tasks bought on a real chain (KEEP=1 leaves it up, BLOCK_TIME=1 mines each second)
	@$(PY) -m workerpool_devnet demo --block-time $(BLOCK_TIME) $(if $(filter-out 0,$(KEEP)),--keep)

devnet: install ## a pool in the foreground (WORKERS=3 BLOCK_TIME=0 OUT=devnet.json); Ctrl-C takes it down
	@exec $(PY) -m workerpool_devnet up --workers $(WORKERS) --block-time $(BLOCK_TIME) --out $(OUT)

# --- checks ---------------------------------------------------------------------------------------

PYTEST := $(BIN)/pytest -q --dist loadfile
QUICK := not full and not soak
COVERED := $(filter-out 0,$(COVERAGE))

.PHONY: test test-full soak check lint words types imports generated unit e2e
test: check unit e2e ## what every contributor runs: every check, the unit and contract tests, the core of the e2e tests
unit: install ## only the tests that start no whole pool
	@$(PYTEST) -n $(JOBS) -m "$(QUICK) and not e2e" $(if $(COVERED),--cov --cov-report=term:skip-covered)
e2e: install go-tools ## only the tests that do: chain, database, services and Docker as processes of their own
	@$(PYTEST) -n 2 -m "$(QUICK) and e2e"
test-full: install go-tools ## the rest of CI: the slow tests in their short forms
	@$(PYTEST) -n 2 -m "full and not soak"
soak: install go-tools ## the forms that run for an hour
	@$(PYTEST) -m soak

check: lint words types imports generated ## lint, types, import rules, contracts, generated files

lint: python
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/codespell
words: ## refuse the words that the house does not use, in prose
	@python3 tools/wordlist.py
types: python
	@$(BIN)/mypy $(CHECKED)
imports: python
	@$(BIN)/lint-imports --no-cache --no-logo
generated: python
	@$(BIN)/buf lint && $(BIN)/buf format -d --exit-code && $(PY) tools/release.py breaking && $(PY) tools/protogen.py --check && $(PY) tools/docs.py --check

reproduce-%: install ## show past bug N of docs/robustness.md on the code before its fix (make reproduce-1)
	@$(PY) tools/reproduce.py $*

.PHONY: simulate
simulate: python ## the scheduler under seeded crashes, delays and reorganisations (SEEDS=2000, or one with a trace: SEED=17)
	@$(PY) -m workerpool_core.simulation $(if $(SEED),--seed $(SEED),--seeds $(SEEDS))

.PHONY: bench-dispatch bench-workers
bench-dispatch: python ## replicates per second and dispatch latency, beside dask.distributed (docs/benchmarks.md)
	@cd tests && exec ../$(PY) -m bench.dispatch
bench-workers: python ## 5,000 connected workers: memory, heartbeats, kill -9 of the scheduler (docs/benchmarks.md)
	@cd tests && exec ../$(PY) -m bench.workers

# --- upkeep ---------------------------------------------------------------------------------------

.PHONY: protos docs lock format go-tools release-check release-image clean
protos: python ## write libs/protocol from protos/
	@$(PY) tools/protogen.py
docs: python ## write the parts of docs/ that are derived from code
	@$(PY) tools/docs.py
lock: python ## write requirements.lock from every pyproject.toml
	@PATH="$(CURDIR)/$(BIN):$$PATH" tools/lock.sh
format: python ## format Python and protos
	@$(BIN)/ruff check --fix . ; $(BIN)/ruff format . && $(BIN)/buf format -w
go-tools: .cache/bin/grpcurl ## build the Go programs that the tests run
.cache/bin/grpcurl: tools/go/go.mod tools/go/go.sum | .venv/.installed
	@tools/install_toolchain.sh go
	@echo "building grpcurl (about a minute, once) …" >&2
	@cd tools/go && GOTOOLCHAIN=local go build -o ../../$@ github.com/fullstorydev/grpcurl/cmd/grpcurl
	@touch $@
release-check: python ## one version for all packages, a changelog entry and the image of its protos
	@$(PY) tools/release.py check
release-image: python ## keep the image of the protos that `buf breaking` compares with: once per release
	@$(PY) tools/release.py image
clean: ## remove everything that was installed or generated here
	@rm -rf .venv node_modules .cache .hypothesis .mypy_cache .pytest_cache .ruff_cache
