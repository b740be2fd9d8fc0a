# Everything a developer types, from a bare Python: `make` lists it.
#
# Needs Python 3.11 or newer with venv, and make; no root. The first `run` or `test` makes the virtual environment in
# .venv and installs what requirements*.lock names, by hash; later ones see from the stamps that nothing is to be done.

SHELL := /bin/sh
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
MADE := $(VENV)/pyvenv.cfg

# Some machines forbid Python its cache of bytecode; every command and site would compile the project anew.
unexport PYTHONDONTWRITEBYTECODE

# The first Python that is new enough and can make environments; where none is, the check below says so about python3.
# The system's own comes first: distributions build it with profiles and without a shared library, and a site on it takes
# a fifth less processor time than on one that was compiled plainly, as version managers do.
PYTHON ?= $(shell for python in /usr/bin/python3 python3 python3.14 python3.13 python3.12 python3.11; do \
    "$$python" -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$python" && exit; \
    done; echo python3)

# An environment that was moved, or whose Python was replaced, is made again whatever its stamps say.
ifeq ($(shell grep -sF '$(CURDIR)/$(VENV)/bin/python' $(BIN)/pip >/dev/null && $(BIN)/python -c pass 2>/dev/null && echo sound),)
$(MADE) $(VENV)/run.stamp $(VENV)/test.stamp: FORCE
endif
FORCE:

# One sentence says what is missing, before anything is written.
define CHECK_PYTHON
import sys
if sys.version_info < (3, 11):
    sys.exit("Python 3.11 or newer is needed; this one is %d.%d. Install one, or name it: make PYTHON=/path/to/python3" % sys.version_info[:2])
try:
    import ensurepip, venv
except ImportError:
    sys.exit("Python's venv is missing: install it (on Debian and Ubuntu: apt install python3-venv).")
endef
export CHECK_PYTHON

# $(call install,LOCK): the locked packages by hash, then this project itself, editable, built by the locked builder.
define install
	@echo "Installing what $(1) names (a minute or two, once) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(1) \
	    || { echo "The packages could not be installed; the lines above say why." >&2; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index -e .
	@touch $@
endef

$(MADE):
	@python="$(PYTHON)"; \
	command -v "$$python" >/dev/null || { echo "$$python is missing: install Python 3.11 or newer." >&2; exit 1; }; \
	"$$python" -c "$$CHECK_PYTHON" && rm -rf $(VENV) && "$$python" -m venv $(VENV)

# The test lock holds the run lock's packages too, in the same versions.
$(VENV)/run.stamp: $(MADE) requirements.lock setup.py
	$(call install,requirements.lock)

$(VENV)/test.stamp: $(MADE) requirements-test.lock setup.py
	$(call install,requirements-test.lock)
	@touch $(VENV)/run.stamp

##@ The two commands

.PHONY: run
run: $(VENV)/run.stamp ## Start the demo federation: identity provider, Intranet, Learning and the worker; Ctrl-C stops it
	@exec $(BIN)/federation demo run $(ARGS)

.PHONY: test
test: lint ## Linter, types, import contracts and every test, two at a time (PYTEST_ARGS="-k name" for some)
	@$(BIN)/pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS)

##@ While working

.PHONY: venv
venv: $(VENV)/run.stamp ## The virtual environment alone, as the run lock says (what a deployment needs)

.PHONY: lint
lint: $(VENV)/test.stamp ## Linter, formatter, types and import contracts alone
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

.PHONY: format
format: $(VENV)/test.stamp ## Format the code, and repair what the linter can repair
	@$(BIN)/ruff check --quiet --fix-only .
	@$(BIN)/ruff format --quiet .

.PHONY: coverage
coverage: $(VENV)/test.stamp ## Every test once more with branch coverage; prints the table
	@$(BIN)/pytest --cov --cov-report=term $(PYTEST_ARGS)

# Seconds for each target, and how many targets at a time.
FUZZ_SECONDS ?= 60
FUZZ_JOBS ?= 2

.PHONY: fuzz
fuzz: $(VENV)/test.stamp ## Fuzz each parser for FUZZ_SECONDS=60, two at a time (FUZZ="name name" for some)
	@$(BIN)/python -m tests.fuzz --seconds $(FUZZ_SECONDS) --jobs $(FUZZ_JOBS) $(FUZZ)

.PHONY: differential
differential: $(VENV)/test.stamp ## Thousands of messages before us and two other implementations: who differs, and our rule
	@$(BIN)/python -m tests.differential

.PHONY: bench
bench: $(VENV)/test.stamp ## Measure each budget beside its yardstick and print the table
	@$(BIN)/python -m tests.bench

.PHONY: bench-check
bench-check: $(VENV)/test.stamp ## The same, and fail when a budget is missed
	@$(BIN)/python -m tests.bench --check

.PHONY: bench-peers
bench-peers: $(VENV)/test.stamp ## Beside other programs' servers (Debian's SimpleSAMLphp and Shibboleth SP), over HTTP
	@$(BIN)/python -m tests.bench --peers

.PHONY: docs
docs: $(VENV)/test.stamp ## Write the pages of docs/reference that come from the code
	@$(BIN)/python -m tests.house.reference

##@ Now and then

# Universal: one lock for each Python and platform of setup.py. Versions move with LOCK_ARGS=--upgrade only.
LOCK = $(BIN)/uv pip compile setup.py --quiet --universal --python-version 3.11 --generate-hashes --no-strip-markers --no-strip-extras \
    --only-binary lxml --only-binary xmlsec --emit-build-options --custom-compile-command "make lock" $(LOCK_ARGS)

.PHONY: lock
lock: $(VENV)/test.stamp ## Resolve setup.py into both locks (LOCK_ARGS=--upgrade takes newer versions)
	@$(LOCK) --extra build --output-file requirements.lock
	@$(LOCK) --extra build --extra test --constraints requirements.lock --output-file requirements-test.lock

.PHONY: clean
clean: ## Remove the virtual environment and the tools' caches; keys and databases in var/ stay
	@rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage*
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: reset
reset: ## Forget the demo: its keys, databases and published metadata (asks nothing)
	@rm -rf var metadata/*.local.xml

.PHONY: help
help: ## This list
	@awk 'BEGIN { FS = ":.*## " } /^##@/ { printf "\n%s\n", substr($$0, 5) } \
	    /^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
