# The commands of this repository: `make help` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
UV_VERSION := 0.13.9
# What the caller's own environment says of Python is none of ours.
unexport VIRTUAL_ENV PYTHONPATH PYTHONHOME CONDA_PREFIX PYTHONDONTWRITEBYTECODE
# pip, because it knows the package index that this machine is configured for.
PIP := $(BIN)/python -m pip --quiet --quiet --disable-pip-version-check --require-virtualenv

.DEFAULT_GOAL := help
.PHONY: help setup demo test browser lint fmt bench chaos build lock docs clean

help: ## List the commands.
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(STAMP) ## Create .venv from the lock file and leave .venv/bin/duly, kernels compiled.

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Duly needs Python 3.11 or newer, this is %d.%d: make PYTHON=python3.12 $(or $(MAKECMDGOALS),setup)" % sys.version_info[:2])'
	@echo "Installing from requirements.lock into $(VENV) ..."
	@$(PYTHON) -m venv --clear $(VENV)
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation -e .
	@$(BIN)/duly doctor --warm
	@touch $(STAMP)

demo: setup ## Run the main job on a generated book, write the report, fill both faces.
	@$(BIN)/duly demo --faces

# Debian's browser and a Chinese font, for the tests that open pages; without them these are skipped.
BROWSER := chromium fonts-noto-cjk
APT := DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0

browser: # Install what `make test` opens pages with, where it may.
	@if [ "$$(dpkg-query --show --showformat='$${db:Status-Status} ' $(BROWSER) 2>/dev/null)" = "installed installed " ]; then :; \
	elif command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
		echo "Installing $(BROWSER) with apt-get, for the tests that open pages ..."; \
		$(APT) install -y --no-install-recommends $(BROWSER) >/dev/null 2>&1 \
		|| { $(APT) update && $(APT) install -y --no-install-recommends $(BROWSER) >/dev/null; } \
		|| echo "No browser could be installed: the tests that open pages are skipped."; \
	else echo "No $(BROWSER) here and no leave to install: the tests that open pages are skipped."; fi

test: setup browser ## Everything CI runs: lint, import order, rules, tests.
	@$(MAKE) --no-print-directory lint
	$(BIN)/duly rules test
	$(BIN)/python -m pytest -n 2 --dist worksteal

lint: setup ## Check style, types and import order.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fmt: setup ## Format the code.
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup ## Measure book to snapshot and snapshot to plan against DuckDB's own scan.
	$(BIN)/duly bench

chaos: setup ## Kill, cut and restart what sends, and count what must be nought (CHAOS="--seed N").
	$(BIN)/python tests/service/chaos/run_chaos.py $(CHAOS)

build: setup ## Build the wheel into dist/.
	$(BIN)/python -m build --wheel --no-isolation

lock: setup ## Renew requirements.lock (hashes only: works with any package index).
	@$(PIP) install uv==$(UV_VERSION)
	UV_PYTHON_DOWNLOADS=never VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv pip compile pyproject.toml --group dev --universal --generate-hashes --no-emit-index-url --quiet --output-file requirements.lock --custom-compile-command "make lock"

docs: setup ## Regenerate the reference pages under docs/reference.
	$(BIN)/duly reference --out docs/reference

clean: ## Remove what can be made again.
	rm -rf $(VENV) dist build .duly .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +
