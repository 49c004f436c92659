# The commands of a newcomer and of continuous integration. Nothing here needs root; `make test` uses apt-get
# for its test peers when it may, and says what it left out when it may not.

.DEFAULT_GOAL := help
SHELL := /bin/sh

BIN := .venv/bin
STAMP := .venv/.installed
DATA ?= ./data
PYTEST_ARGS ?=
# Processes that run tests beside each other, a file at a time; 0: none but this one. Those with real peers mostly wait.
TEST_PROCESSES ?= 0
BESIDE = -n $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder

# The first Python that is new enough.
PYTHON ?= $(shell for each in python3.11 python3.12 python3.13 python3; do \
	if $$each -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then echo $$each; break; fi; done)

.PHONY: help venv run test test-quick lint format bench lock changelog clean

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1	/p' Makefile | while read -r name text; do printf '  make %-12s %s\n' "$$name" "$$text"; done

venv: $(STAMP) ## Create .venv with the package, its extras and the test tools
	@:

$(STAMP): pyproject.toml requirements.lock
	@[ -n "$(PYTHON)" ] || { echo "Polyphony needs Python 3.11 or later; none was found." >&2; exit 1; }
	@.ci/make-venv "$(PYTHON)"
	@echo "Installing the packages of requirements.lock into .venv"
	@$(BIN)/python -m pip install -q --disable-pip-version-check -r requirements.lock
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e . 2>/dev/null \
		|| $(BIN)/python -m pip install --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

run: venv ## Run the engine on ./data (DATA=dir for another folder)
	@exec $(BIN)/polyphony serve --data $(DATA)

test: venv ## Run all tests, real peers included
	@$(BIN)/python -m tests.system_packages install
	@$(BIN)/python -m pytest $(BESIDE) $(PYTEST_ARGS)

test-quick: venv ## Run the tests that need no real peers
	@$(BIN)/python -m pytest -m "not slow" $(BESIDE) $(PYTEST_ARGS)

lint: venv ## Check style, types and spelling
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/codespell

format: venv ## Put the code in its house form
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: venv ## Measure what a call costs on this machine
	$(BIN)/polyphony bench sip
	$(BIN)/polyphony bench media

lock: venv ## Write requirements.lock from what .venv holds
	@{ sed -n '/^#/p' requirements.lock; $(BIN)/python -m pip freeze --all --exclude pip --exclude-editable; } > requirements.tmp
	@mv requirements.tmp requirements.lock

changelog: venv ## Gather changes/ into CHANGELOG.md
	$(BIN)/towncrier build --yes

clean: ## Remove .venv and what the tools left
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage*
