# The two commands of the README are `make quickstart` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed-dev
STAMP_RUN := $(VENV)/.installed-run

.PHONY: quickstart test check unit test-vllm docs format clean

quickstart: $(STAMP_RUN)  ## from nothing to a small dataset, on the embedded model
	$(BIN)/synth run recipes/quickstart.yaml

test: check  ## everything that needs no accelerator, the real embedded model included
	$(BIN)/synth models pull
	$(BIN)/python -m pytest tests/browser tests/e2e -n auto
	$(BIN)/python -m pytest tests/live -m "not vllm"

check: $(STAMP)  ## format, lint, types, layers and unit tests: under a minute
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	for folder in envs/*/; do \
	  (cd $$folder && MYPYPATH=.:../.. $(abspath $(BIN))/mypy --config-file ../../pyproject.toml *.py) || exit 1; done
	$(BIN)/lint-imports
	$(BIN)/python -m pytest tests/unit -n auto

test-vllm: $(STAMP)  ## a real vLLM (CPU build), in a virtual environment of its own
	./tests/live/vllm/run

docs: $(STAMP)  ## the documentation, in docs/_build
	$(BIN)/pip install -q --disable-pip-version-check -e '.[docs]'
	$(BIN)/python -m sphinx -W -q -b html docs docs/_build

format: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

$(STAMP): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -q --disable-pip-version-check -e '.[embedded,dev]'
	touch $@

$(STAMP_RUN): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -q --disable-pip-version-check -e '.[embedded]'
	touch $@

clean:
	rm -rf $(VENV) runs .mypy_cache .ruff_cache .hypothesis
