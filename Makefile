# Everything is made by `make demo` and `make test`; a second run takes seconds. `make help` lists.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
VENV := .venv
HOST := contrib/host/host
CHROMIUM := contrib/browser/chromium
TEST_HOST := test
DESTDIR ?= /
PYTEST := $(VENV)/bin/python -m pytest

.PHONY: help demo demo-stop test test-fast test-browser test-vm bench lint docs install clean

help: ## show this
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 20

demo: $(VENV)/stamp ## boot a throwaway host, drop a file into it, show what comes of it
	@contrib/demo

demo-stop: ## stop what `make demo` started; what was built stays in the cache
	@$(HOST) --name demo down

# Each of the workers that run the host tests has a host of its own, which it makes and removes;
# what hosts are made of is built while the fast tests run, and the browser, one after the other.
test: $(VENV)/stamp ## every test, those on a real host and in a browser included
	@{ $(HOST) --name $(TEST_HOST) up && $(CHROMIUM) --no-sandbox --version >&2; } & made=$$!; \
	failed=0; \
	$(PYTEST) tests/unit tests/wire -n auto || failed=1; \
	wait $$made || failed=1; \
	$(PYTEST) tests/browser -n 2 || failed=1; \
	$(HOST) --name $(TEST_HOST) install || failed=1; \
	$(HOST) --name $(TEST_HOST) down --purge; \
	WORKLOADD_TEST_HOST=$(TEST_HOST) $(PYTEST) tests/host -n 2 --dist loadfile || failed=1; \
	exit $$failed

test-fast: $(VENV)/stamp ## the tests that need no host
	@$(PYTEST) tests/unit tests/wire -n auto

test-browser: $(VENV)/stamp ## the page in a real Chromium
	@$(PYTEST) tests/browser -n auto

test-vm: $(VENV)/stamp ## what only a kernel of its own shows: limits, power cuts (emulated: minutes)
	@failed=0; WORKLOADD_TEST_VM=$(TEST_HOST) $(PYTEST) tests/vm || failed=1; \
	contrib/host/vm --name $(TEST_HOST) down --purge; \
	exit $$failed

bench: $(VENV)/stamp ## measure against Quadlet on a throwaway host
	@$(VENV)/bin/python contrib/bench/bench

lint: $(VENV)/stamp ## linters and types
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy
	@$(VENV)/bin/lint-imports

docs: $(VENV)/stamp ## write what is made from the code: references, JSON schema
	@$(VENV)/bin/python -m workloadd.docs contrib

install: $(VENV)/stamp ## install on this machine, or into DESTDIR
	@contrib/install --root $(DESTDIR)

clean: ## remove .venv/ and what tools left; the cache of the throwaway host stays
	rm -rf $(VENV) .hypothesis .mypy_cache .ruff_cache .pytest_cache .import_linter_cache *.egg-info
	find . -name __pycache__ -prune -exec rm -rf {} +

$(VENV)/stamp: pyproject.toml contrib/venv
	@contrib/venv $(PYTHON) $(VENV)
	@touch $@
