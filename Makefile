# `make run` and `make test` need Python >= 3.11 and make, nothing else; they make their own environment in .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: run test frontend test-exports test-stores test-browser test-serve screenshots lint build snapshots bench bench-link bench-serve wheel lift clean

run: $(READY) ## build and validate the graph, answer a first question
	@$(BIN)/hypomag build
	@printf '\nWhich genes cause which disease, by loss or gain of function?   (hypomag query which-genes)\n\n'
	@$(BIN)/hypomag query which-genes --format table
	@printf '\nHow does the loss of TRPM6 lead to seizures?   (hypomag explain TRPM6 seizure --limit 1)\n\n'
	@$(BIN)/hypomag explain TRPM6 seizure --limit 1

test: $(READY) ## the whole suite (on a fresh build, which the commands then read)
	$(BIN)/hypomag build
	$(BIN)/python -m pytest -q -n 2 --dist loadfile

test-exports: $(READY) ## KGX, SSSOM and HPOA exports in others' validators (installs them in .venv-validators/); shows what they say
	$(BIN)/python -m pytest -q -m exports -rP

test-stores: $(READY) ## real stores: installs Virtuoso, Fuseki and RDF4J (on Debian, as root), then loads, asks and spoils each
	tools/stores.sh
	$(BIN)/hypomag build
	HYPOMAG_TEST_STORES=1 $(BIN)/python -m pytest -q -n 2 --dist loadgroup tests/test_stores.py

test-browser: $(VENV)/.browser frontend ## the published site and its page that asks in a real browser (installs Playwright, axe, Chromium, Node.js)
	HYPOMAG_TEST_BROWSER=1 $(BIN)/python -m pytest -q tests/test_browser.py tests/test_browser_ask.py tests/test_frontends.py

frontend: frontend/dist/licences.txt ## the page that asks in the browser, for publish and wheel (needs Node.js and npm; on Debian, as root, installs them)

test-serve: .clients/.ready ## the server in the hands of Comunica and Schemathesis (installs them in .clients/, and Node where there is none, on Debian, as root)
	HYPOMAG_TEST_SERVE=1 $(BIN)/python -m pytest -q tests/test_clients.py

bench-serve: $(READY) ## the server beside the native one and rdflib-endpoint (installs wrk on Debian, as root)
	command -v wrk >/dev/null || apt-get install -y -qq wrk >/dev/null
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --group clients
	$(BIN)/hypomag build
	$(BIN)/python benchmarks/serve.py

screenshots: $(VENV)/.browser ## pictures of the published site, wide and narrow, light and dark, into screenshots/
	$(BIN)/python tools/screenshots.py

lint: $(READY) ## linters and layout
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/hypomag fmt --check

build: $(READY)
	$(BIN)/hypomag build

snapshots: $(READY) ## write the snapshots of all queries and the counts of docs/exports.md anew; read the diff
	HYPOMAG_SNAPSHOTS=write $(BIN)/python -m pytest -q tests/test_queries.py tests/test_handovers.py -k 'snapshot or document_are_measured'

bench: wheel ## side-by-side measurements on the installed wheel, as ratios within one run
	rm -rf $(VENV)-bench && $(PYTHON) -m venv $(VENV)-bench
	$(VENV)-bench/bin/python -m pip install --quiet --disable-pip-version-check dist/*.whl
	$(VENV)-bench/bin/python benchmarks/cold.py $(VENV)-bench/bin

bench-link: $(READY) ## link HPO and all its annotations, validate, ask; needs 8 GB in build/ and some minutes
	$(BIN)/python benchmarks/link.py build-bench

wheel: $(READY) ## dist/*.whl with the built graph inside
	rm -rf dist && $(BIN)/python -m build --wheel

lift: $(READY) ## HPO annotations -> ontology/lifted/hpoa.ttl
	$(BIN)/hypomag lift

$(READY): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable . --group dev
	@touch $@

$(VENV)/.browser: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable . --group browser
	@command -v chromium chromium-browser google-chrome >/dev/null || \
	  { command -v apt-get >/dev/null && apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null; } || \
	  $(BIN)/python -m playwright install chromium
	@touch $@

.clients/.ready: $(READY) pyproject.toml
	command -v npm >/dev/null || { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends nodejs npm >/dev/null; }
	# Comunica 5 needs Node 22.
	npm install --silent --no-fund --no-audit --prefix .clients @comunica/query-sparql@4.5.0
	$(PYTHON) -m venv .clients/schemathesis
	.clients/schemathesis/bin/python -m pip install --quiet --disable-pip-version-check 'schemathesis>=4.30'
	@touch $@

frontend/dist/licences.txt: frontend/package-lock.json frontend/build.mjs $(wildcard frontend/src/*)
	@command -v npm >/dev/null || \
	  { command -v apt-get >/dev/null && apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends nodejs npm >/dev/null; } || \
	  { echo "make frontend needs Node.js 18 or newer and npm" >&2; exit 1; }
	cd frontend && npm ci --no-audit --no-fund --loglevel=error && npm run --silent build

clean:
	rm -rf build build-bench dist screenshots frontend/dist frontend/node_modules .clients $(VENV) $(VENV)-bench $(VENV)-validators
