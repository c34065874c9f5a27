# Everything a person does with this repository. `make` alone prints the list.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/sh

PYTHON ?= python3
BIN := .venv/bin
# PORT and DATA_DIR reach the server: make run PORT=9000 DATA_DIR=/srv/affiliate
export PORT DATA_DIR

INSTALLED := .venv/.installed
INSTALLED_DEV := .venv/.installed-dev
TRANSLATIONS := .venv/.translations
PO := $(wildcard affiliate/translations/*/LC_MESSAGES/*.po)
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input install --quiet
# Built with the setuptools that we pinned: pip would fetch one of its own, unhashed.
PIP_HASHED := $(PIP) --require-hashes --no-build-isolation --use-pep517

.PHONY: help
help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

.PHONY: setup
setup: $(INSTALLED) $(TRANSLATIONS) ## virtual environment, hashed requirements, compiled translations
	@$(BIN)/python -m compileall -qq affiliate migrations wsgi.py || true  # a quick start, also where Python may not write caches

.PHONY: run
run: setup ## start everything in the foreground and print where to look (PORT, DATA_DIR)
	@exec $(BIN)/affiliate up

.PHONY: test
test: setup $(INSTALLED_DEV) chromium ## every test but the long faults (T=tests/ledger for some)
	$(CACHED) $(BIN)/pytest -n $(JOBS) -m "not faults" $(T)

.PHONY: test-faults
test-faults: setup $(INSTALLED_DEV) chromium ## the long fault tests
	$(BIN)/pytest -m faults $(T)

.PHONY: lint
lint: $(INSTALLED_DEV) ## style, types, import contracts, templates, requirement hashes
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/djlint --lint --quiet affiliate
	$(BIN)/pytest --noconftest tests/run/test_requirements.py

.PHONY: bench
bench: setup $(INSTALLED_DEV) ## benchmarks: a table, and JSON lines in DATA_DIR (T=ingest_rows for some, ROWS=2000000 for a smaller table, CLICKS=1000000 for smaller sites)
	$(if $(ROWS),BENCH_ROWS=$(ROWS) )$(if $(CLICKS),BENCH_PAGE_CLICKS=$(CLICKS) BENCH_CONSOLE_CLICKS=$(CLICKS) )$(BIN)/python tests/bench $(T)

.PHONY: migrate
migrate: setup ## bring the database to this version
	$(BIN)/affiliate db upgrade

.PHONY: translations
translations: $(INSTALLED_DEV) ## collect the texts of code and pages into the catalogues
	$(BIN)/pybabel extract -F config/babel.cfg -k _ -k _l -k lazy_gettext -k N_ -k ngettext:1,2 -k pgettext:1c,2 --no-location --sort-output -o .venv/messages.pot affiliate
	$(BIN)/pybabel update -i .venv/messages.pot -d affiliate/translations --no-fuzzy-matching --ignore-obsolete

.PHONY: styles
styles: setup ## take from Tabler what the pages use now
	$(BIN)/python config/trim_styles.py

.PHONY: lock
lock: ## pin requirements again, with hashes and without index addresses (needs uv)
	cd config && $(LOCK) requirements-build.in -o requirements-build.txt
	cd config && $(LOCK) requirements.in -o requirements.txt
	cd config && $(LOCK) requirements-dev.in -c requirements.txt -o requirements-dev.txt

LOCK := $(or $(UV),uv) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate
CACHED := env -u PYTHONDONTWRITEBYTECODE  # the tests start 150 processes, and each would compile all of the program
JOBS := $(shell echo $$(($$(nproc 2>/dev/null || echo 1) + 1)))  # one more than cores: some tests wait for processes that they start

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { echo "Python 3.11 or newer is needed: install it, or name it with PYTHON=." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { echo "Python's venv is missing: apt install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv .venv

$(INSTALLED): config/requirements-build.txt config/requirements.txt pyproject.toml | $(BIN)/python
	$(PIP) --require-hashes --requirement config/requirements-build.txt
	$(PIP_HASHED) --requirement config/requirements.txt
	$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(INSTALLED_DEV): config/requirements-dev.txt | $(INSTALLED)
	$(PIP_HASHED) --requirement config/requirements-dev.txt
	@touch $@

$(TRANSLATIONS): $(PO) | $(INSTALLED)
	@if [ -n "$(PO)" ]; then $(BIN)/pybabel --quiet compile -d affiliate/translations; fi
	@touch $@

.PHONY: chromium
chromium:
	@command -v chromium chromium-browser google-chrome >/dev/null && command -v curl >/dev/null && exit 0; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium curl; \
	else \
		echo "The browser tests need Chromium, and curl for the lines that a shop copies: sudo apt install chromium curl" >&2; exit 1; \
	fi
