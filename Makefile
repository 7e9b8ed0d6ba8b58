# `make help` lists what there is. Everything installs into .venv; nothing is needed but Python 3.11+.
PYTHON  ?= python3
VENV    := .venv
BIN     := $(VENV)/bin
INPUT   ?= examples/posts.jsonl
OUTPUT  ?= scores.jsonl
PROFILE ?= embedded
ARGS    ?=
CORPORA ?= corpora
STAMP   := $(VENV)/.installed

.PHONY: help setup score test test-all lint format docs models clean
.DEFAULT_GOAL := help

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "  Variables: INPUT=$(INPUT) OUTPUT=$(OUTPUT) PROFILE=$(PROFILE) ARGS= PYTHON=$(PYTHON)"

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet -c constraints.txt torch
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[dev]'
	@touch $@

setup: $(STAMP) ## Create .venv and install everything into it

score: $(STAMP) ## Score INPUT into OUTPUT
	$(BIN)/checker score $(INPUT) -o $(OUTPUT) --profile $(PROFILE) $(ARGS)

test: $(STAMP) ## Run the tests (minutes)
	$(BIN)/python -m pytest $(ARGS)

test-all: $(STAMP) ## Run the slow tests as well
	$(BIN)/python -m pytest -m '' $(ARGS)

lint: $(STAMP) ## Check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(STAMP) ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(STAMP) ## Write the generated parts of docs/
	$(BIN)/python scripts/write_result_docs.py

models: $(STAMP) ## Train the embedded models on CORPORA (hours on a CPU)
	$(BIN)/python scripts/train_translator.py --corpora $(CORPORA) --out runs/translator
	$(BIN)/python scripts/train_fluency.py --corpora $(CORPORA) --out runs/fluency
	$(BIN)/python scripts/train_style.py --corpora $(CORPORA) --out models/embedded/style
	$(BIN)/python scripts/ship_models.py --runs runs --models models
	$(BIN)/python scripts/fit_verdict.py --corpora $(CORPORA) --models models

clean: ## Remove .venv, caches and scores
	rm -rf $(VENV) .pytest_cache .ruff_cache .mypy_cache .hypothesis dist build scores.jsonl
