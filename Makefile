# What a person types here: `make` lists it.

# Any Python from 3.11 to 3.13 makes the environment: `make demo PYTHON=python3.12`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# More options for uv. For networks and tests, Python's package index gives Linux the torch that brings its CUDA
# libraries along, 5 GB of which gmv uses the CPU part. Who can reach an index of CPU builds may take those (not part of
# our tests):
#   make lock install-networks UV_FLAGS="--torch-backend cpu"
UV_FLAGS ?=

# Each has servers of its own, and takes 2 GB; a file's tests stay together. Many wait for servers, so two use two cores.
TEST_PROCESSES ?= 2

PYTEST = $(BIN)/pytest --numprocesses $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder --durations=15

# What an image has installed; of requirements-networks.lock, pretrained networks can be run, too.
REQUIREMENTS ?= requirements.lock

# What builds images: docker, podman or buildah.
ENGINE ?= docker
VERSION = $(shell sed -n 's/^__version__ = "\(.*\)"/\1/p' worker/gmv/__init__.py)

# uv does not read pip's configuration: it is given the index that pip was given, unless it has one of its own.
UV = index=$$($(BIN)/pip config get global.index-url 2>/dev/null || true); \
	index=$${UV_DEFAULT_INDEX:-$${PIP_INDEX_URL:-$$index}}; \
	env $${index:+UV_DEFAULT_INDEX="$$index"} VIRTUAL_ENV="$(CURDIR)/$(VENV)" $(BIN)/uv
UV_INSTALL = $(UV) pip install --quiet --require-hashes $(UV_FLAGS)
# Tests start gmv hundreds of times. Where Python may not write its bytecode (PYTHONDONTWRITEBYTECODE), an import of torch
# takes 6 s each time rather than 2: so what tests need is compiled when it is installed.
UV_INSTALL_GMV = $(UV) pip install --quiet --no-deps --no-build-isolation --editable .
UV_COMPILE = $(UV) pip compile --quiet --universal --no-header --generate-hashes --python-version 3.11 $(UV_FLAGS)
NETWORKS = --extra pretrained --extra onnx --extra transformers

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo demo-kafka test test-all ops-test lint simulate faults mutations exact bench install install-networks install-dev services schemas reference chart image image-test lock clean

help: ## This list.
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "%-20s %s\n", $$1, $$2 }'

demo: install ## The whole story on real images, with nothing but Python: index, events, credits, a report. Start here.
	$(BIN)/gmv demo

demo-kafka: install services ## The same story over a real Kafka and Redis, started here and removed afterwards.
	$(BIN)/python -m examples.demo_kafka

test: install-dev services ## The tests, against real servers; installs what they need, where it may. CI runs these.
	$(PYTEST) -m "not exhaustive"

test-all: install-dev services ## All tests, with those of long runs that others cover in short: before a release.
	$(PYTEST)

ops-test: install-dev services ## What an operator sees: panels, alerts and probes of a real worker that is killed.
	$(BIN)/pytest -o python_files="test_*.py *drill.py" tests/ops tests/dashboards

lint: install-dev ## Style, types, and the order of the layers.
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

simulate: install-dev ## 20,000 simulated runs under faults, each judged; some 20 minutes. RUNS=500 for fewer.
	$(BIN)/python -m tests.simulator --runs $(or $(RUNS),20000)

faults: install-dev services ## 29 faults on real processes, each judged, into faults.md; some hour and a half. RUNS=1 for fewer.
	$(BIN)/python -m tests.faults --markdown faults.md --json faults.json $(and $(RUNS),--runs $(RUNS))

mutations: install-dev services ## Each protection of exactly once taken away in turn: which test misses it.
	$(BIN)/python -m tests.mutations --markdown docs/mutations.md

exact: install-dev ## The same index and receipts, byte for byte, as on processors of other kinds, which this one plays.
	$(BIN)/pytest tests/exact tests/linear tests/test_instruction_sets.py tests/valuation/test_exact_functions.py

bench: install services ## How fast it is on this machine, over the demo's events, a real Kafka and a real Redis.
	test -d gmv-demo || $(BIN)/gmv demo
	$(BIN)/gmv bench rerank --index gmv-demo/index
	$(BIN)/gmv bench events gmv-demo/events.jsonl --index gmv-demo/index
	$(BIN)/python -m tests.services.around $(BIN)/gmv bench ledger
	$(BIN)/python -m tests.services.around $(BIN)/gmv bench stream gmv-demo/events.jsonl --index gmv-demo/index
	$(BIN)/python -m tests.services.around $(BIN)/gmv bench latency gmv-demo/events.jsonl --index gmv-demo/index

install: $(VENV)/.installed ## gmv and what it needs, into .venv.

install-networks: install ## The same, and what runs pretrained networks, for gmv index build --encoder.
	@$(UV_INSTALL) --requirement requirements-networks.lock

install-dev: $(VENV)/.installed-dev ## The same, and what tests and checks need.

services: ## What tests run: Redis, Valkey, Kafka, Prometheus, a browser, Helm and its checkers.
	@$(PYTHON) -m tests.services.install

schemas: install ## Write schemas/ from the models.
	$(BIN)/python -m tools.schemas

reference: install ## Write docs/configuration.md, the page of all settings.
	$(BIN)/python -m tools.write_configuration

chart: install-dev services ## Write what the Helm chart has from elsewhere: its schema of gmv's settings, its README.
	$(BIN)/python -m tools.chart_settings_schema
	.services/bin/helm-docs-* --log-level warning --chart-search-root helm/gmv --output-file README.md

image: ## The container image, by Docker; by podman or buildah with ENGINE=podman.
	$(ENGINE) build --file docker/Dockerfile --tag gmv:$(VERSION) --build-arg UV_FLAGS="$(UV_FLAGS)" \
	--build-arg REQUIREMENTS=$(REQUIREMENTS) \
	--build-arg VERSION=$(VERSION) --build-arg REVISION=$$(git rev-parse HEAD) .

image-test: install-dev ## Build the image where there is no registry, and run it. As root on Debian; 15 minutes, 20 GB.
	$(BIN)/python -m tests.deploy.build_image

lock: $(VENV)/.made ## Write the lock files; the newest of everything with UV_FLAGS=--upgrade.
	printf 'setuptools\nuv\n' | { $(UV_COMPILE) --no-annotate - --output-file bootstrap.lock; }
	$(UV_COMPILE) --extra worker --extra tracing pyproject.toml --output-file requirements.lock
	$(UV_COMPILE) --extra worker --extra tracing $(NETWORKS) --constraint requirements.lock pyproject.toml \
	--output-file requirements-networks.lock
	$(UV_COMPILE) --extra worker --extra tracing $(NETWORKS) --extra rights --extra experiments --extra dev \
	--constraint requirements-networks.lock pyproject.toml --output-file requirements-dev.lock
	$(PYTHON) -m tests.services.jars

clean: ## Remove all that was made here: environment, servers' files, caches, the demo.
	rm -rf $(VENV) .services gmv-demo build dist worker/*.egg-info
	rm -rf .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find worker tests examples -name __pycache__ -prune -exec rm -rf {} +

$(VENV)/.made: bootstrap.lock
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || { \
	echo "gmv needs Python 3.11, 3.12 or 3.13, and $(PYTHON) is not one. Name one: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { \
	echo "$(PYTHON) makes no virtual environment. On Debian: apt-get install python3-venv"; exit 1; }
	@echo "installing uv, and with it what gmv needs, into $(VENV)"
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement bootstrap.lock
	@touch $@

$(VENV)/.installed: $(VENV)/.made requirements.lock pyproject.toml
	@$(UV_INSTALL) --requirement requirements.lock
	@$(UV_INSTALL_GMV)
	@$(BIN)/gmv warm
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.made requirements-dev.lock pyproject.toml
	@$(UV_INSTALL) --compile-bytecode --requirement requirements-dev.lock
	@$(UV_INSTALL_GMV)
	@$(BIN)/gmv warm
	@touch $@ $(VENV)/.installed
