# `make help` lists what there is. Everything installs into .venv; nothing is needed but Python 3.11+.
PYTHON  ?= python3
VENV    := .venv
BIN     := $(VENV)/bin
INPUT   ?= examples/posts.jsonl
OUTPUT  ?= scores.jsonl
ACCOUNTS ?= accounts.jsonl
PROFILE ?= embedded
JOBS    ?= 2
ARGS    ?=
CORPORA ?= corpora
LANGUAGES ?= ru
TESTSETS  ?= wmt23 wmt24
POSTS     ?= 100
E5      ?= e5-small-q4.bin
TRANSLATOR ?= --languages ru uk de fr es --systems google microsoft --vocab 12000 --minutes 100
STAMP   := $(VENV)/.installed
AS_ROOT := $(shell [ "$$(id -u)" = 0 ] || command -v sudo)

.PHONY: help setup score score-ray accounts serve test test-all test-browser lint format docs models calibrate-hub calibrate-translator clean
.DEFAULT_GOAL := help

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "  Variables: INPUT=$(INPUT) OUTPUT=$(OUTPUT) PROFILE=$(PROFILE) ARGS= PYTHON=$(PYTHON)"

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet -c constraints.txt torch
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[dev]'
	@touch $@

setup: $(STAMP) ## Create .venv and install everything into it

score: $(STAMP) ## Score INPUT into OUTPUT
	$(BIN)/checker score $(INPUT) -o $(OUTPUT) --profile $(PROFILE) $(ARGS)

score-ray: $(STAMP) ## Score INPUT, a file or a directory of them, into runs/scores-ray on a local Ray
	$(BIN)/checker score $(INPUT) -o runs/scores-ray --profile $(PROFILE) --runner ray $(ARGS)

accounts: $(STAMP) ## Judge the accounts of INPUT into ACCOUNTS, for example ARGS="--by user --time created_at"
	$(BIN)/checker accounts $(INPUT) -o $(ACCOUNTS) --profile $(PROFILE) $(ARGS)

serve: $(STAMP) ## Serve the page and the HTTP interface, for example ARGS="--port 8080"
	$(BIN)/checker serve --profile $(PROFILE) $(ARGS)

test: $(STAMP) ## Run the tests (minutes)
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile $(ARGS)

test-all: $(STAMP) ## Run the slow tests as well
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile -m '' $(ARGS)

test-browser: $(STAMP) ## Test the web page and the report in Chromium (CHROMIUM=path; else installs Debian's where apt is there)
	@command -v "$${CHROMIUM:-chromium}" >/dev/null || ! command -v apt-get >/dev/null \
		|| { $(AS_ROOT) apt-get update -qq && $(AS_ROOT) apt-get install -y -qq --no-install-recommends chromium; } \
		|| echo "Chromium could not be installed." >&2
	$(BIN)/python -m pytest -m browser $(ARGS)

lint: $(STAMP) ## Check style, types, and that imports go down
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(STAMP) ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(STAMP) ## Write the generated parts of docs/
	$(BIN)/python -m scripts.bench.result_docs
	$(BIN)/python -m scripts.bench.tables

models: $(STAMP) ## Train the embedded models on CORPORA (hours on a CPU)
	$(BIN)/python -m scripts.training.translator --corpora $(CORPORA) --out runs/translator $(TRANSLATOR)
	$(BIN)/python -m scripts.training.fluency --corpora $(CORPORA) --out runs/fluency
	$(BIN)/python -m scripts.training.style --corpora $(CORPORA) --out models/embedded/style
	$(BIN)/python -m scripts.training.ship --runs runs --models models
	$(BIN)/python -m scripts.training.encoder base --source $(E5) --corpora $(CORPORA) --out runs/encoder
	$(BIN)/python -m scripts.training.encoder pack --corpora $(CORPORA) --out runs/encoder --posts 90000
	$(BIN)/python -m scripts.training.encoder train --out runs/encoder --minutes 90
	$(BIN)/python -m scripts.training.encoder train --out runs/encoder --minutes 270 --hide 0.5 --faults 0.5
	mkdir -p runs/encoder-mean
	ln -sfn ../encoder/base ../encoder/train ../encoder/held runs/encoder-mean
	$(BIN)/python -m scripts.training.encoder blend --of runs/encoder --base 0.3 --out runs/encoder-mean
	$(BIN)/python -m scripts.training.encoder evaluate --out runs/encoder-mean --held 6000
	$(BIN)/python -m scripts.training.encoder_ship --out runs/encoder-mean --models models --pieces 45000
	$(BIN)/python -m scripts.training.faults base --source $(E5) --models models --out runs/faults
	$(BIN)/python -m scripts.training.faults pack --corpora $(CORPORA) --out runs/faults
	$(BIN)/python -m scripts.training.faults train --out runs/faults
	$(BIN)/python -m scripts.training.faults ship --out runs/faults --models models
	$(BIN)/python -m scripts.training.order --corpora $(CORPORA) --models models
	$(BIN)/python -m scripts.training.verdict --corpora $(CORPORA) --models models --cache runs/evidence --gather
	$(BIN)/python -m scripts.training.technical --corpora $(CORPORA) --evidence runs/evidence --models models
	$(BIN)/python -m scripts.training.rudimentary --evidence runs/evidence --models models
	$(BIN)/python -m scripts.training.verdict --corpora $(CORPORA) --models models --cache runs/evidence
	$(BIN)/python -m scripts.training.accounts gather --corpora $(CORPORA) --made runs/evidence/made --out runs/accounts.jsonl
	$(BIN)/python -m scripts.training.accounts fit runs/accounts.jsonl --evidence runs/evidence --models models
	$(BIN)/python -m scripts.training.quality --corpora $(CORPORA) --models models

calibrate-hub: $(STAMP) ## Fit calibration-hub.json for the hub models of LANGUAGES on TESTSETS (downloads both)
	mkdir -p runs
	$(BIN)/python -m scripts.training.prepare_wmt --testsets $(TESTSETS) --languages $(LANGUAGES) --lines 1 2 4 \
		--posts $(POSTS) --jsonl runs/hub.jsonl
	$(BIN)/checker models download $(addprefix --language ,$(LANGUAGES))
	$(BIN)/checker calibrate runs/hub.jsonl -o calibration-hub.json --profile hub $(ARGS)

calibrate-translator: $(STAMP) ## Fit calibration-translator.json for Firefox's translators of LANGUAGES on TESTSETS (downloads both), or with ARGS="--human posts.jsonl"
	$(BIN)/python -m scripts.training.calibrate_translator --languages $(LANGUAGES) --testsets $(TESTSETS) \
		--posts $(POSTS) -o calibration-translator.json $(ARGS)

clean: ## Remove .venv, caches and scores
	rm -rf $(VENV) .pytest_cache .ruff_cache .mypy_cache .hypothesis dist build scores.jsonl
