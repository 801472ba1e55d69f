# `make help` lists the commands. Everything installs into this folder (.venv, node_modules, .cache), except Debian packages
# (python3-venv, Docker, two small ones) that are missing and that root may install.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

WORKERS ?= 3
BLOCK_TIME ?= 0
FLAVOUR ?= token
CHAIN_ID ?=
CHAIN_PORT ?=
NODE_URL ?=
OUT ?= devnet.json
KEEP ?= 0
SEEDS ?= 2000
# Length of the hostile mix; SEED chooses its deals and faults.
SECONDS ?= 3600
# Test processes: most tests wait for other processes, so twice the cores are kept busy.
JOBS ?= 4
# COVERAGE=1 measures the branches that the tests run and fails below the floor in .coveragerc.
COVERAGE ?= 0

PY := .venv/bin/python
BIN := .venv/bin
SOURCES := libs/protocol/src libs/poco/src libs/kit/src libs/transactions/src $(wildcard services/*/src tools/*/src) clients/python/src
TESTS := conftest.py $(wildcard libs/*/tests services/*/tests tools/*/tests) clients/python/tests tests
CHECKED := $(filter-out libs/protocol/src,$(SOURCES)) $(TESTS) $(wildcard tools/*.py) tools/worker_release tools/service_image tools/pool_env tools/pool_backup tools/monitoring tools/docs_site tools/moving services/worker/packaging clients/python/examples
# A virtual environment that the caller is in must not mislead the tools.
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV
# Each test process rewrites the asserts of all tests, unless an earlier one kept them as bytecode.
unexport PYTHONDONTWRITEBYTECODE
# Node and Go from their wheels, when this machine lacks them (tools/install_toolchain.sh).
export PATH := $(CURDIR)/.cache/toolchain/bin:$(PATH)

.PHONY: help
help: ## list the commands
	@grep -Eh '^[a-z0-9%-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /|/' | column -t -s '|'

# --- installation ---------------------------------------------------------------------------------

.venv/.installed: requirements.lock tools/bootstrap.lock tools/install_python.sh pyproject.toml $(wildcard libs/*/pyproject.toml services/*/pyproject.toml tools/*/pyproject.toml) clients/python/pyproject.toml
	@echo "installing the Python environment …" >&2
	@tools/install_python.sh

.PHONY: python docker node install test-packages
python: .venv/.installed
docker: .venv/.installed
	@tools/install_docker.sh
node: .venv/.installed
	@tools/install_toolchain.sh node
test-packages: docker
	@tools/install_test_packages.sh
install: docker node ## install everything that the other commands need
	@$(PY) -m workerpool_devnet.packages

# --- use ------------------------------------------------------------------------------------------

.PHONY: demo devnet
demo: install ## a whole pool computes four tasks bought on a real chain (KEEP=1 leaves it up, BLOCK_TIME=1 mines each second)
	@$(PY) -m workerpool_devnet demo --block-time $(BLOCK_TIME) $(if $(filter-out 0,$(KEEP)),--keep)

devnet: install ## a pool in the foreground (WORKERS=3 BLOCK_TIME=0.25 FLAVOUR=native CHAIN_ID=134 CHAIN_PORT=8545 NODE_URL=http://… OUT=devnet.json); Ctrl-C takes it down
	@exec $(PY) -m workerpool_devnet up --workers $(WORKERS) --block-time $(BLOCK_TIME) --flavour $(FLAVOUR) --out $(OUT) \
	  $(if $(CHAIN_ID),--chain-id $(CHAIN_ID)) $(if $(CHAIN_PORT),--chain-port $(CHAIN_PORT)) $(if $(NODE_URL),--node-url $(NODE_URL))

# --- checks ---------------------------------------------------------------------------------------

PYTEST := $(BIN)/pytest -q --dist loadfile
QUICK := not full and not soak
# The folders that hold tests with the mark e2e: to collect all others takes longer (tests/architecture checks the list).
E2E := services/worker/tests/process tools/devnet/tests $(addprefix tests/,browser contract e2e hostile install sdk)
COVERED := $(filter-out 0,$(COVERAGE))

.PHONY: test test-full soak hostile check lint codespell words types imports generated unit e2e
test: ## what every contributor runs: every check, the unit and contract tests, the core of the e2e tests
	@$(MAKE) --no-print-directory -j 2 --output-sync=target check rewritten
	@$(MAKE) --no-print-directory unit
	@$(MAKE) --no-print-directory e2e
unit: install test-packages ## only the tests that start no whole pool
	@$(PYTEST) -n $(JOBS) -m "$(QUICK) and not e2e" $(if $(COVERED),--cov --cov-report=term:skip-covered)
# Keep the rewritten asserts of all tests so that the test processes need not rewrite them.
.PHONY: rewritten
rewritten: install test-packages
	@mkdir -p .cache && $(PYTEST) --collect-only -q >.cache/collected.log || { tail -n 40 .cache/collected.log; exit 1; }
e2e: install test-packages go-tools ## only the tests that do: chain, database, services and Docker as processes of their own
	@$(PYTEST) -n 3 -m "$(QUICK) and e2e" $(E2E)
test-full: install test-packages go-tools sdk-releases prometheus browser compose ## the rest of CI: the slow tests in their short forms
	@$(PYTEST) -n 3 -m "full and not soak" --ignore=tests/hostile
	@$(PYTEST) -m "full and not soak" tests/hostile
.PHONY: test-clients
test-clients: install test-packages clients-install ## the clients in four languages follow the same tasks of one pool (part of test-full)
	@$(PYTEST) -n 2 tests/clients
.PHONY: browser page-screenshots
browser: ## install the browser in which the operator's page is tested
	@tools/install_browser.sh
page-screenshots: install browser ## take the screenshots of docs/page.md on a running pool
	@SCREENSHOTS=$(CURDIR)/docs/images $(PYTEST) -n 0 tests/browser
.PHONY: sdk-releases
sdk-releases: python node ## install the published iExec command lines that tests/sdk run, into .cache/sdk
	@cd tests && exec ../$(PY) -m sdk.releases
soak: install test-packages go-tools sdk-releases ipfs nginx compose pebble helm ## the forms that run for an hour
	@tools/install_test_packages.sh soak
	@$(PYTEST) -m soak
.PHONY: stack-test
stack-test: install test-packages ipfs compose pebble helm ## a pool built and started by its compose files computes deals, over HTTP and behind HTTPS
	@$(PYTEST) tests/stack
hostile: install test-packages ## hostile deals, workers and faults beside honest deals, then a verdict (SECONDS=3600, SEED=17 repeats a run)
	@cd tests && exec ../$(PY) -m hostile --seconds $(SECONDS) $(if $(SEED),--seed $(SEED))

check: lint words types imports generated ## lint, types, import rules, contracts, generated files

lint: python codespell
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .
codespell: python
	@$(BIN)/codespell
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

.PHONY: simulate-transactions
simulate-transactions: python ## one wallet's pipeline under lagging, lying, forgetful nodes, crashes and reorganisations (SEEDS=2000, or SEED=17)
	@$(PY) -m workerpool_transactions.simulation $(if $(SEED),--seed $(SEED),--seeds $(SEEDS))

.PHONY: bench-dispatch bench-workers bench-worker bench-latency bench-idle bench-adapter bench-result bench-pages bench-post-compute
bench-dispatch: python ## replicates per second and dispatch latency, beside dask.distributed (docs/benchmarks.md)
	@cd tests && exec ../$(PY) -m bench.dispatch
bench-workers: python ## 5,000 connected workers: memory, heartbeats, kill -9 of the scheduler (docs/benchmarks.md)
	@cd tests && exec ../$(PY) -m bench.workers
bench-worker: install ## tasks per second of one worker, beside the same containers by the Docker API alone (docs/benchmarks.md)
	@cd tests && PYTHONPATH=.. exec ../$(PY) -m bench.containers
bench-latency: install ## match to COMPLETED beyond the app's run, on blocks of 0.25 s behind a sequencer (docs/benchmarks.md)
	@cd tests && exec ../$(PY) -m bench.latency
bench-idle: install ## calls per second and process of an idle pool, and per task, on each shape of chain (docs/benchmarks.md)
	@cd tests && exec ../$(PY) -m bench.idle
bench-pages: install ## pages of tasks, deals and workers with 100,000 tasks and 5,000 workers in the store (docs/benchmarks.md)
	@cd tests && exec ../$(PY) -m bench.pages
bench-adapter: install ## the adapter's transactions per second beside raw sends, and a bag of 1,000 tasks (docs/benchmarks.md)
	@cd tests && exec ../$(PY) -m bench.adapter

bench-result: install ipfs ## 1 GiB up and down through the result proxy, beside PyMongo and ipfs add (docs/benchmarks.md)
	@cd tests && exec ../$(PY) -m bench.result
bench-post-compute: python ## archive and digest of a result of 1 GiB, beside a plain copy of it (docs/benchmarks.md)
	@cd tests && exec ../$(PY) -m bench.post_compute

# --- what an operator installs --------------------------------------------------------------------

.PHONY: pool-check pool-secrets
pool-check: ## say what must change in .env before production (POOL=--https behind the reverse proxy, POOL=--worker on a worker's host)
	@cd tools && exec python3 -m pool_env check $(POOL)
pool-secrets: ## write ./secrets, which compose.yaml mounts: from .env, else strong passwords
	@cd tools && exec python3 -m pool_env secrets $(POOL)

.PHONY: pool-backup pool-restore
pool-backup: ## copy the data, settings and secrets of a running pool to a new folder (TO=/mnt/backup/monday)
	@cd tools && exec python3 -m pool_backup backup $(abspath $(TO))
pool-restore: ## create the volumes of a pool from such a folder (FROM=/mnt/backup/monday)
	@cd tools && exec python3 -m pool_backup restore $(abspath $(FROM))

.PHONY: worker-wheel worker-binary
worker-wheel: python ## dist/workerpool_worker-VERSION-py3-none-any.whl: the worker as one wheel that pip installs alone
	@cd tools && exec ../$(PY) -m worker_release wheel
worker-binary: python ## dist/poolworker-VERSION-linux-ARCH.tar.gz: the worker for hosts without Python, and that wheel
	@tools/install_binary_tools.sh
	@cd tools && exec ../$(PY) -m worker_release binary

# --- maintenance ----------------------------------------------------------------------------------

.PHONY: clients clients-check clients-install
clients: python ## write the generated code of clients/ from protos/; the generators are installed first
	@$(PY) tools/client_packages.py generate $(CLIENT)
clients-check: python ## compare it with what protos/ give now (part of test-full)
	@$(PY) tools/client_packages.py check $(CLIENT)
clients-install: python node ## install the clients, with what they need, as their users do
	@$(PY) tools/client_packages.py install $(CLIENT)

.PHONY: protos docs lock format go-tools ipfs nginx prometheus site release-check release-image clean
protos: python ## write libs/protocol from protos/; `make clients` writes the other languages
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
ipfs: .cache/bin/ipfs ## build Kubo, the IPFS node that tests and the bench of results start
.cache/bin/ipfs: tools/go/kubo/go.mod tools/go/kubo/go.sum | .venv/.installed
	@tools/install_toolchain.sh go
	@echo "building Kubo (9 minutes of processor time, once) …" >&2
	@cd tools/go/kubo && GOTOOLCHAIN=local go build -trimpath -o ../../../$@ github.com/ipfs/kubo/cmd/ipfs
	@touch $@
compose: .cache/docker/cli-plugins/docker-compose ## build Docker Compose, which `make test-full` and `make stack-test` run
.cache/docker/cli-plugins/docker-compose: tools/go/compose/go.mod tools/go/compose/go.sum | .venv/.installed
	@tools/install_toolchain.sh go
	@echo "building Docker Compose (some minutes of processor time, once) …" >&2
	@cd tools/go/compose && GOTOOLCHAIN=local go build -trimpath -o ../../../$@ github.com/docker/compose/v2/cmd
	@touch $@
pebble: .cache/bin/pebble ## build Pebble, the ACME server that `make stack-test` starts
.cache/bin/pebble: tools/go/pebble/go.mod tools/go/pebble/go.sum | .venv/.installed
	@tools/install_toolchain.sh go
	@cd tools/go/pebble && GOTOOLCHAIN=local go build -trimpath -o ../../../$@ github.com/letsencrypt/pebble/v2/cmd/pebble
	@touch $@
helm: .cache/bin/helm ## build Helm, which lints and renders the chart in a test
.cache/bin/helm: tools/go/helm/go.mod tools/go/helm/go.sum | .venv/.installed
	@tools/install_toolchain.sh go
	@echo "building Helm (some minutes of processor time, once) …" >&2
	@cd tools/go/helm && GOTOOLCHAIN=local go build -trimpath -o ../../../$@ helm.sh/helm/v3/cmd/helm
	@touch $@
nginx: .cache/nginx/usr/sbin/nginx ## unpack the reverse proxy of docs/addresses.md, which `make soak` runs
.cache/nginx/usr/sbin/nginx:
	@tools/unpack_debian.sh nginx "The test of the nginx configuration"
prometheus: .cache/prometheus/usr/bin/prometheus ## unpack Prometheus, against which `make test-full` runs every query of the dashboards
.cache/prometheus/usr/bin/prometheus:
	@tools/unpack_debian.sh prometheus "The test of dashboards and alerts"
site: python ## build the documents as one site that works offline, in dist/site
	@$(BIN)/sphinx-build -q -W --keep-going -b html -c tools/docs_site docs dist/site && echo "open dist/site/index.html" >&2
release-check: python ## one version for all packages, a changelog entry and the image of its protos
	@$(PY) tools/release.py check
release-image: python ## keep the image of the protos that `buf breaking` compares with: once per release
	@$(PY) tools/release.py image
clean: ## remove everything that was installed or generated here
	@rm -rf .venv node_modules .cache dist .hypothesis .mypy_cache .pytest_cache .ruff_cache
