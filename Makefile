# Two commands: `make demo` (a finished report) and `make test` (every check). Both set up what they need.
PYTHON ?= python3
VENV   ?= .venv
DEMO   ?= demo
BIN    := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help demo test check docs system pictures clean

help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /|/' | awk -F'|' '{printf "make %-9s %s\n", $$1, $$2}'

demo: $(VENV)/.ready ## from images to a finished report, offline, with simulated participants
	@$(BIN)/tastebench demo $(DEMO)

test: $(VENV)/.ready system check ## format, lint, types, order of imports, tests
	@$(BIN)/pytest

check: $(VENV)/.ready
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

docs: $(VENV)/.ready ## the documentation as a site
	@$(BIN)/sphinx-build -q -W --keep-going -c docs -d docs/_build/read . docs/_build/html
	@echo "The site: docs/_build/html/index.html"

pictures: $(VENV)/.ready system ## make the README's pictures again
	@$(BIN)/python docs/take_pictures.py $(DEMO) docs/pictures

clean: ## remove the virtual environment and the demo
	rm -rf $(VENV) $(DEMO)

# The stamp is written last, so an interrupted installation is taken up again.
$(VENV)/.ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "tastebench needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1). Try: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 2; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || \
		{ echo "$(PYTHON) lacks the venv module. On Debian or Ubuntu: apt-get install python3-venv"; exit 2; }
	@echo "Setting up $(VENV) (once; a few minutes) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]' || \
		{ echo "The packages could not be installed; pip's message is above. Check the network, then run make again."; exit 2; }
	@touch $@

# What pip cannot install: a browser for the pages, and the nginx that a deployment is tried with.
system:
	@lacking=""; \
	command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || lacking="chromium"; \
	PATH="$$PATH:/usr/sbin:/sbin" command -v nginx >/dev/null || lacking="$$lacking nginx-light"; \
	[ -z "$$lacking" ] || { \
		echo "Installing for the tests:" $$lacking "..."; \
		SUDO=$$([ "$$(id -u)" = 0 ] || echo "sudo -n"); \
		{ $$SUDO apt-get update -qq && $$SUDO env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $$lacking; } >/dev/null || \
		{ echo "The tests need these, and they could not be installed. As root: apt-get install" $$lacking; exit 2; }; }
