# Everything that is done with this repository, by name: `make help`.
# Needs make and Python 3.11 or later; the rest it installs, locked by hash, into .venv and $(TOOLS).

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

ROOT := $(dir $(abspath $(lastword $(MAKEFILE_LIST))))
PYTHON ?= python3
TOOLS ?= $(ROOT).tools
BIN := .venv/bin
# Locks are complete, so nothing is resolved, and nothing is built from source: pip only fetches and checks.
INSTALL = install -qq --disable-pip-version-check --no-deps --only-binary :all: --require-hashes -r
SAM = $(TOOLS)/sam/bin/sam
CHECKOV = $(TOOLS)/checkov/bin/checkov
export SAM_CLI_TELEMETRY := 0

.PHONY: help
help: ## Show what can be made.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

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
	@$(BIN)/causeway schema --out integrations/.schemas >/dev/null
	@touch $@

.PHONY: tools
tools: $(TOOLS)/sam/.ready $(TOOLS)/checkov/.ready ## Install the SAM command line and checkov, each in an environment of its own.

$(TOOLS)/%/.ready: $(ROOT)requirements/%.txt
	@echo 'installing $* into $(@D)'
	@test -x $(@D)/bin/python || $(PYTHON) -m venv $(@D)
	@$(@D)/bin/python -m pip $(INSTALL) $<
	@touch $@

# ---- working --------------------------------------------------------------------------------------------------

.PHONY: run
run: setup ## Run the whole stack here with the example map and sample events; PORT=8080 chooses the port.
	@exec $(BIN)/causeway dev --demo $(if $(PORT),--port $(PORT))

.PHONY: sam-local
sam-local: setup ## Open the local cloud that runs here to `sam local`, and write its settings for it.
	@exec $(BIN)/python -m causeway_cli.local.containers

.PHONY: test
test: setup ## Run the tests, WORKERS of them beside each other: some wait more than they work.
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n $(or $(WORKERS),3) --dist loadfile --no-loadscope-reorder $(ARGS)

.PHONY: lint
lint: setup ## Check style and form.
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check

.PHONY: types
types: setup ## Check types.
	@$(BIN)/mypy

.PHONY: fuzz
fuzz: setup ## Send requests that nobody thought of to the verification; SECONDS=600 says for how long.
	@$(BIN)/python -m tests.fuzz.webhooks --seconds $(or $(SECONDS),60)

.PHONY: storm
storm: setup ## Send deliveries through a storm of faults and killed processes; DELIVERIES=2000 SEED=1.
	@$(BIN)/python -m tests.chaos.storm --deliveries $(or $(DELIVERIES),2000) --seed $(or $(SEED),1)

.PHONY: reading
reading: setup ## Read an API in trouble, and ask it, while processes are killed; RECORDS=50000 SEED=1 SECONDS=1500.
	@$(BIN)/python -m tests.chaos.reading --records $(or $(RECORDS),50000) --seed $(or $(SEED),1) --seconds $(or $(SECONDS),1500)

.PHONY: drills
drills: setup ## Break everything in turn and show who hears of it how soon; ONLY=target-down is one of them.
	@$(BIN)/python -m tests.chaos.drills --seed $(or $(SEED),1) $(addprefix --only ,$(ONLY))

.PHONY: bench
bench: setup $(TOOLS)/sam/.ready ## Measure cold start, warm time, throughput and verifying.
	@for benchmark in $(filter-out benchmarks/poll.py,$(wildcard benchmarks/*.py)); do $(BIN)/python "$$benchmark" || exit 1; done
	@$(MAKE) bench-poll

.PHONY: bench-poll
bench-poll: setup $(TOOLS)/bench-poll/.ready ## Measure reading an API, beside dlt, singer-sdk and airbyte-cdk.
	@$(BIN)/python benchmarks/poll.py --peers $(TOOLS)/bench-poll/bin/python $(ARGS)

.PHONY: template
template: setup tools ## Check the template: cfn-lint, sam validate, checkov.
	@$(BIN)/cfn-lint template.yaml
	@$(SAM) validate --lint
	@$(CHECKOV) --quiet --compact --skip-download --framework cloudformation --file template.yaml

# ---- locks ----------------------------------------------------------------------------------------------------

# A lock names versions and hashes and no registry. What runs in Lambda is resolved for its Python; the hashes are
# those of every wheel, so that one lock serves both architectures.
LOCK = $(BIN)/uv pip compile -q $(if $(UPGRADE),--upgrade) --generate-hashes --no-emit-index-url --no-annotate --no-header --universal

.PHONY: lock
lock: setup ## Resolve dependencies after a change of pyproject.toml; UPGRADE=1 takes the newest of all.
	@$(LOCK) --python-version 3.13 pyproject.toml --output-file requirements/layer.txt
	@for group in compile dev sam checkov bench-poll; do \
	  $(LOCK) --python-version 3.11 --group $$group $$(test $$group = dev && echo pyproject.toml) \
	    --output-file requirements/$$group.txt || exit 1; done

# ---- what `sam build` calls -----------------------------------------------------------------------------------

# SAM makes `build-NAME` in a copy of the code's folder and takes what is put into ARTIFACTS_DIR. Everything else is
# reached through ROOT, so a fresh clone builds with nothing but Python 3.11 and make.

# Lambda's file systems are read-only and SAM's zip files have no times, so source is compiled anew in every cold start
# unless its bytecode comes along, unchecked. That takes an interpreter of the runtime's version; without one the
# build works all the same, and functions start slower.
RUNTIME = 3.13
RUNTIME_PYTHON = $(firstword $(shell for python in python$(RUNTIME) $(HOME)/.pyenv/versions/$(RUNTIME).*/bin/python; do \
  "$$python" -c 'import sys; sys.exit("%d.%d" % sys.version_info[:2] != "$(RUNTIME)")' 2>/dev/null && echo "$$python"; done))
# $(call bytecode,where Lambda unpacks it). Tracebacks show the files as Lambda has them; the same source makes the same bytes.
define bytecode
$(if $(RUNTIME_PYTHON),PYTHONHASHSEED=0 $(RUNTIME_PYTHON) -m compileall -q --invalidation-mode unchecked-hash \
  -s "$(ARTIFACTS_DIR)" -p $(1) "$(ARTIFACTS_DIR)",true)
endef

.PHONY: build-WebhookFunction build-ProcessorFunction build-StreamFunction build-PollerFunction build-SchedulerFunction build-WatchdogFunction build-AuthorizerFunction build-RequestFunction build-ConsoleFunction
build-WebhookFunction build-ProcessorFunction build-StreamFunction build-PollerFunction build-SchedulerFunction build-WatchdogFunction build-AuthorizerFunction build-RequestFunction build-ConsoleFunction:
	@cp app.py "$(ARTIFACTS_DIR)"
	@$(call bytecode,/var/task)

.PHONY: build-CausewayLayer
build-CausewayLayer:
	@$(if $(RUNTIME_PYTHON),,echo 'no Python $(RUNTIME) here: no bytecode, so cold starts take about twice as long')
	@mkdir -p "$(ARTIFACTS_DIR)/python"
	@cp -R causeway "$(ARTIFACTS_DIR)/python"
	@find "$(ARTIFACTS_DIR)" -name __pycache__ -prune -exec rm -rf {} +
	@$(call bytecode,/opt)

# botocore describes every service of AWS, 25 MB. These are the ones that Causeway's functions may call through it.
BOTOCORE_SERVICES = dynamodb events kinesis s3 secretsmanager sns sqs ssm sts

# The folder in which this is made is named for the architecture, and says which wheels fit it.
.PHONY: build-DependenciesLayer
build-DependenciesLayer: $(TOOLS)/pip/.ready
	@$(TOOLS)/pip/bin/python -m pip $(INSTALL) $(ROOT)requirements/layer.txt --target "$(ARTIFACTS_DIR)/python" \
	  --no-compile --implementation cp --python-version $(RUNTIME) $(addprefix --platform ,$(shell cat platforms))
	@cd "$(ARTIFACTS_DIR)/python" && rm -rf bin \
	  && find . -path '*.dist-info/*' -not -name METADATA -not -path '*/licenses/*' -type f -delete \
	  && find botocore/data -mindepth 1 -maxdepth 1 -type d $(BOTOCORE_SERVICES:%=-not -name %) -exec rm -rf {} +
	@$(call bytecode,/opt)

$(TOOLS)/pip/.ready:
	@$(PYTHON) -m venv $(@D)
	@touch $@

.PHONY: build-PlanLayer
build-PlanLayer: $(TOOLS)/compile/.ready
	@PYTHONPATH=$(ROOT)layers/causeway $(TOOLS)/compile/bin/python -m causeway.plan.compile . --out "$(ARTIFACTS_DIR)"
	@$(call bytecode,/opt)
