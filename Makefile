# Everything that is done with this repository, by name: `make help`.
# Needs make and Python 3.11 or later; the rest it installs, locked by hash, into .venv and $(TOOLS).

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
TOOLS ?= .tools
BIN := .venv/bin
# Locks are complete, so nothing is resolved, and nothing is built from source: pip only fetches and checks.
INSTALL = install -qq --disable-pip-version-check --no-deps --only-binary :all: --require-hashes -r
SAM = $(TOOLS)/sam/bin/sam
CHECKOV = $(TOOLS)/checkov/bin/checkov
export SAM_CLI_TELEMETRY := 0

.PHONY: help
help: ## Show what can be made.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# ---- setting up -----------------------------------------------------------------------------------------------

.PHONY: setup
setup: .venv/.ready ## Make .venv, with the command .venv/bin/causeway.

.venv/.ready: requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo 'Python 3.11 or later is needed: make setup PYTHON=/path/to/python3.11' >&2; exit 1; }
	@echo 'setting up .venv: locked packages, once'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip $(INSTALL) requirements/dev.txt
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

.PHONY: tools
tools: $(TOOLS)/sam/.ready $(TOOLS)/checkov/.ready ## Install the SAM command line and checkov, each in an environment of its own.

$(TOOLS)/%/.ready: requirements/%.txt
	@echo 'installing $* into $(@D)'
	@test -x $(@D)/bin/python || $(PYTHON) -m venv $(@D)
	@$(@D)/bin/python -m pip $(INSTALL) $<
	@touch $@

# ---- working --------------------------------------------------------------------------------------------------

.PHONY: run
run: setup ## Run the whole stack here with the example map and sample events; PORT=8080 chooses the port.
	@exec $(BIN)/causeway dev --demo $(if $(PORT),--port $(PORT))

.PHONY: test
test: setup ## Run the tests.
	@$(BIN)/python -m pytest $(ARGS)

.PHONY: lint
lint: setup ## Check style and form.
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check

.PHONY: types
types: setup ## Check types.
	@$(BIN)/mypy

.PHONY: bench
bench: setup $(TOOLS)/sam/.ready ## Measure cold start, warm time and throughput.
	@for benchmark in benchmarks/*.py; do $(BIN)/python "$$benchmark" || exit 1; done

.PHONY: template
template: setup tools ## Check the template: cfn-lint, sam validate, checkov.
	@$(BIN)/cfn-lint template.yaml
	@$(SAM) validate --lint
	@$(CHECKOV) --quiet --compact --framework cloudformation --file template.yaml

# ---- locks ----------------------------------------------------------------------------------------------------

# A lock names versions and hashes and no registry. What runs in Lambda is resolved for its Python; the hashes are
# those of every wheel, so that one lock serves both architectures.
LOCK = $(BIN)/uv pip compile -q --upgrade --generate-hashes --no-emit-index-url --no-annotate --no-header --universal

.PHONY: lock
lock: setup ## Resolve all dependencies anew.
	@$(LOCK) --python-version 3.13 pyproject.toml --output-file requirements/layer.txt
	@for group in compile dev sam checkov; do \
	  $(LOCK) --python-version 3.11 --group $$group $$(test $$group = dev && echo pyproject.toml) \
	    --output-file requirements/$$group.txt || exit 1; done
