# camcert's one task file. `make` creates the environment and lists the tasks.
SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/camcert-installed
OUT ?= out/demo

# How the tests are ordered: ORDER=file, or ORDER=random with an optional SEED.
ORDER ?= file
SEED ?=
# Four workers on two cores: most tests wait for a camera. Those marked "paced" come after the others, two at once.
WORKERS ?= 4
export ORDERING := $(if $(filter random,$(ORDER)),$(if $(SEED),--randomly-seed=$(SEED)),-p no:randomly)
# Anything else for pytest, e.g. make test TESTS=tests/standards PYTEST_ARGS="-k decide -x"
TESTS ?= tests
PYTEST_ARGS ?=
TESTING = $(BIN) $(WORKERS) $(PYTEST_ARGS) $(TESTS)

LOCK_OPTIONS = --quiet --generate-hashes --strip-extras --allow-unsafe --no-header --no-annotate \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host

.PHONY: help install demo test coverage check validate benchmark bundle lock peers clean
.DEFAULT_GOAL := help

help: $(READY)
	@sed -n 's/^\([a-z]*\):.*## /make \1\t/p' Makefile | expand -t 18

install: $(READY) ## create .venv from the lock file

$(READY): requirements-dev.lock requirements-peers.lock pyproject.toml tools/create-venv.sh
	@tools/create-venv.sh $(VENV)
	@echo "installing into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e .
	@rm -rf $(VENV)/peers # apart: onvif-python and onvif-zeep both call their package 'onvif'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
		--target $(VENV)/peers -r requirements-peers.lock
	@touch $@

demo: $(READY) ## certify a virtual camera, from the wire to the Chinese report (OUT=out/demo)
	$(BIN)/bench demo --out $(OUT)

test: $(READY) ## every test (ORDER=random SEED=n, TESTS=path, PYTEST_ARGS=...)
	@tools/install-peers.sh || [ -z "$$CI" ] # a person may do without; CI never
	@tools/install-npm-client.sh $(VENV) || [ -z "$$CI" ]
	tools/run-tests.sh $(TESTING)

coverage: $(READY) ## every test with branch coverage: takes half as long again
	@rm -f .coverage .coverage.*
	CAMCERT_COVERAGE=yes tools/run-tests.sh $(TESTING)
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report --format=total | sed 's/$$/ % branch coverage (.venv\/bin\/coverage report: details)/'

check: $(READY) ## formatting, lint, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy bench fixtures instruments reports standards tools
	$(BIN)/lint-imports

validate: $(READY) ## every procedure against known truth (long)
	$(BIN)/python tests/validate/run.py --out out/validate
	$(BIN)/python tests/validate/tone.py --out out/validate/tone
	$(BIN)/bench validate image --out out/validate/image
	@missed=0; for proof in light likeness little_light osd privacy_mask sharpened view; do echo "$$proof:"; \
		$(BIN)/python tests/validate/$$proof.py --out out/validate/$$proof || missed=1; done; exit $$missed

$(VENV)/yardsticks: $(READY) requirements-benchmark.lock
	@rm -rf $@
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --require-hashes \
		--target $@ -r requirements-benchmark.lock # other people's e-SFR, measured beside ours
	@touch $@

benchmark: $(READY) $(VENV)/yardsticks ## how fast, and how much memory
	$(BIN)/python -m tools.benchmark --out out/benchmark

bundle: $(READY) ## one archive that installs without any network: dist/camcert-*.tar
	$(BIN)/python tools/bundle.py --out dist

lock: $(READY) ## resolve the dependencies anew (public registry only)
	$(BIN)/pip-compile $(LOCK_OPTIONS) --upgrade --output-file requirements.lock pyproject.toml
	$(BIN)/pip-compile $(LOCK_OPTIONS) --upgrade --extra dev --constraint requirements.lock \
		--output-file requirements-dev.lock pyproject.toml

peers: ## install the RTSP servers and players that tests/peers/ talks to (Debian, root)
	tools/install-peers.sh

clean: ## remove what was made, .venv included
	rm -rf $(VENV) build dist out htmlcov .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache \
		.import_linter_cache .hypothesis *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
