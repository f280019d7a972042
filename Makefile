# `make run` and `make test` need Python >= 3.11 and make, nothing else; they make their own environment in .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: run test lint build snapshots bench wheel lift clean

run: $(READY) ## build and validate the graph, answer a first question
	@$(BIN)/hypomag build
	@echo
	@echo "Which findings does FHSH have, how often, and who says so?   (hypomag query hallmark-findings --bind disease=FHSH)"
	@echo
	@$(BIN)/hypomag query hallmark-findings --bind disease=FHSH --format table

test: $(READY) ## the whole suite (on a fresh build, which the commands then read)
	$(BIN)/hypomag build
	$(BIN)/python -m pytest -q

lint: $(READY) ## linters and layout
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/hypomag fmt --check

build: $(READY)
	$(BIN)/hypomag build

snapshots: $(READY) ## write the snapshots of all queries anew; read the diff
	HYPOMAG_SNAPSHOTS=write $(BIN)/python -m pytest -q tests/test_queries.py -k snapshot

bench: $(READY) ## side-by-side measurements, as ratios within one run
	$(BIN)/python benchmarks/cold.py

wheel: $(READY) ## dist/*.whl with the built graph inside
	$(BIN)/python -m build --wheel

lift: $(READY) ## HPO annotations -> ontology/lifted/hpoa.ttl
	$(BIN)/hypomag lift

$(READY): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable . --group dev
	@touch $@

clean:
	rm -rf build dist $(VENV)
