# Everything here works from a fresh clone: .venv is made from uv.lock when it is missing
# or out of date, and Debian packages are installed when root asks.

VENV := .venv
PYTHON ?= python3
UV_VERSION := 0.13.9
PYTEST := pytest -n 2 --dist loadfile --no-loadscope-reorder
PACKAGES := curl orthanc orthanc-dicomweb orthanc-python nginx-light chromium docker-compose wrk openssl gettext-base npm python3-venv jq fonts-noto-core unzip dcmtk dicom3tools tesseract-ocr postgresql

.DEFAULT_GOAL := help
.PHONY: help init packages check test demo bench fuzz lock

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

init: $(VENV)/.synced ## the virtual environment

$(VENV)/bin/uv:
	@$(PYTHON) -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer with venv is needed: apt-get install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet uv==$(UV_VERSION)

$(VENV)/.synced: uv.lock pyproject.toml | $(VENV)/bin/uv
	$(VENV)/bin/uv sync --frozen --quiet --inexact --python $(VENV)/bin/python
	@touch $@

packages: ## real servers and a browser for the tests (Debian, root)
	@demo/packages $(PACKAGES)

check: init ## format, lint, types, import contracts
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

# Whole programs run as users run them: measured, they take twice as long, and reach no
# line that has no other test.
test: init packages check ## everything: check, tests with their coverage, whole programs
	$(VENV)/bin/coverage erase
	$(VENV)/bin/coverage run -m $(PYTEST) --ignore=tests/e2e
	$(VENV)/bin/coverage combine --quiet
	$(VENV)/bin/coverage report
	$(VENV)/bin/$(PYTEST) tests/e2e

demo: init ## a running demo with a real Orthanc; Ctrl-C ends it
	$(VENV)/bin/python -m demo

bench: init ## ratios against references measured in the same run
	benchmarks/run

fuzz: init ## damaged inputs for the codecs of the anonymizer, a million for each
	$(VENV)/bin/python -m tests.fuzz --runs 1000000
	$(VENV)/bin/python -m tests.fuzz --runs 1000000 --target json

lock: init ## take newer versions of the libraries
	$(VENV)/bin/uv lock --upgrade
