# `make demo` and `make test` need nothing but Python 3.11 or newer: they set up .venv themselves, once.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
MINUTES ?= 5

.DEFAULT_GOAL := help
.PHONY: help demo test

help:
	@echo "make demo    train on real images for five minutes, restore images that were not seen (MINUTES=$(MINUTES))"
	@echo "make test    check style, types, layers, and run the tests"

demo: $(VENV)/.installed
	$(BIN)/napari-vaegan demo --minutes $(MINUTES)
	@echo
	@echo "Look at demo/contact_sheet.png; the figures are in demo/results.md."

# Two processes of one thread, whatever the machine: the tests' times and results depend on it. Tests of a file stay together,
# as do the models that they share.
test: $(VENV)/.installed-with-tools
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses 2 --dist loadfile

$(VENV)/.installed: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing napari-vaegan into $(VENV); the first time takes some minutes."
	$(PIP_INSTALL) --editable .
	@touch $@

$(VENV)/.installed-with-tools: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing napari-vaegan and the tools of its tests into $(VENV); the first time takes some minutes."
	$(PIP_INSTALL) --editable ".[dev]"
	@touch $@ $(VENV)/.installed

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null \
	  || { echo "There is no $(PYTHON). On Debian: apt-get install python3 python3-venv"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "$$($(PYTHON) --version) is too old: 3.11 or newer is needed. Name one: make PYTHON=python3.12 …"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
	  || { echo "Python's module venv is missing. On Debian: apt-get install python3-venv"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }
