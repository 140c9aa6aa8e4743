# The short names of what people do. `make lab` and `make test` each work alone from a fresh clone.
NODES ?= 1
BIN := .venv/bin
LABCTL := $(BIN)/labctl

.PHONY: help venv setup browser lab test test-unit test-fuzz test-flat test-tls test-faults test-matrix lint lock down clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

venv:
	@scripts/setup.sh python

setup: ## .venv/bin/labctl and a running engine (YES=1: do not ask)
	@scripts/setup.sh

lab: setup ## build every image and bring up a lab (NODES=1)
	$(LABCTL) build
	$(LABCTL) up --nodes $(NODES)

down: venv ## take the lab down, with its data
	$(LABCTL) down

browser: ## what the browser tests need: chromium and chromedriver
	@scripts/setup.sh browser

test: setup ## every test: unit, engine, lab
	$(BIN)/pytest

test-unit: venv ## the tests that need no engine
	$(BIN)/pytest tests/unit

test-fuzz: venv ## 100,000 files, addresses, logs and frames that strangers could have made; about twenty minutes
	LABCTL_FUZZ_CASES=100000 $(BIN)/pytest tests/fuzz --timeout 3600

test-flat: setup ## a lab with `network: flat`; two minutes
	$(BIN)/pytest tests/flat

test-tls: setup ## labs that are born with TLS: Tempest, consoles, dashboard, storage, snapshots; three quarters of an hour
	$(BIN)/pytest tests/tls
	LABCTL_TEST_TLS=1 $(BIN)/pytest $(addprefix tests/lab/test_,demo.py sockets.py live_migration.py trace.py \
		verify.py scale.py console_page.py dashboard.py dev.py stop.py snapshot.py tls.py servers_on_ceph.py down.py)

test-faults: setup ## labs that are killed, switched off and moved; as root, about an hour
	$(BIN)/pytest tests/faults

test-matrix: setup ## every fault of `labctl fault` in a lab, named by the doctor or a trace; a quarter of an hour
	$(BIN)/pytest tests/matrix

lint: venv ## ruff, mypy, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

$(BIN)/uv:
	@scripts/setup.sh python

# The build backend, which pyproject.toml names under [build-system], is locked too: nothing is fetched for the install.
lock: $(BIN)/uv ## requirements.txt after a change of pyproject.toml; UPGRADE=1 takes the newest of everything
	echo 'setuptools>=68' | $(BIN)/uv pip compile --quiet pyproject.toml - --extra dev --python-version 3.11 --universal \
		--generate-hashes --only-binary :all: --no-annotate --custom-compile-command 'make lock' \
		$(if $(UPGRADE),--upgrade) --output-file requirements.txt

clean: ## remove what make and the tools left in this folder; images, caches and labs stay
	rm -rf .venv artifacts build dist labctl.egg-info .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
