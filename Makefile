# make setup   everything into .venv, by hash (needs Python 3.11 or 3.12, git and make)
# make demo    the closed loop on a local chain
# make test    all tests but the long campaigns; ARGS="-k vault" for some of them

V := .venv
PYTHON ?= $(shell for p in python3 python3.12 python3.11; do \
  $$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))' 2>/dev/null && { echo $$p; break; }; done)
export PATH := $(CURDIR)/$(V)/bin:$(PATH)
BENCHES := propose snapshot quotes plan gas
.PHONY: setup demo test test-deep lint format bench build docs lock clean

setup: $(V)/.ready
$(V)/.ready: requirements.lock pyproject.toml bot/chain/toolchain.py
	@test -n "$(PYTHON)" || { echo "Python 3.11 or 3.12 is needed and neither python3, python3.12 nor python3.11 is one;" \
	  "install it, or name it: make setup PYTHON=/path/to/python3.12"; exit 1; }
	@test -x $(V)/bin/python || $(PYTHON) -m venv $(V)
	@awk '/^[^ ]/ { on = /^uv==/ } on' requirements.lock > $(V)/uv.lock
	$(V)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement $(V)/uv.lock
	$(V)/bin/uv pip install --quiet --python $(V)/bin/python --require-hashes --requirements requirements.lock
	$(V)/bin/uv pip install --quiet --python $(V)/bin/python --no-deps --no-build-isolation --editable .
	$(V)/bin/python -m bot.chain.toolchain
	@touch $@

demo: setup
	$(V)/bin/evenkeel demo $(ARGS)

test: setup
	$(V)/bin/pytest -n 2 -m "not deep" $(ARGS)

test-deep: setup
	$(V)/bin/pytest -n 2 -m deep --hypothesis-profile=deep $(ARGS)

lint: setup
	$(V)/bin/ruff format --check .
	$(V)/bin/ruff check .
	$(V)/bin/mypy
	$(V)/bin/lint-imports --no-cache
	$(V)/bin/python scripts/build_contracts.py --check
	$(V)/bin/python scripts/build_docs.py --check

format: setup
	$(V)/bin/ruff format .
	$(V)/bin/ruff check --fix .

bench: setup
	@for name in $(BENCHES); do $(V)/bin/python -m bench.$$name $(ARGS) || exit 1; done

build: setup
	$(V)/bin/python scripts/build_contracts.py

docs: setup
	$(V)/bin/python scripts/build_docs.py

lock:
	$(V)/bin/uv pip compile --quiet --universal --python-version 3.11 --extra dev --generate-hashes --no-annotate \
	  --custom-compile-command "make lock" pyproject.toml --output-file requirements.lock

clean:
	rm -rf .build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache out
	find . -name __pycache__ -not -path './$(V)/*' -prune -exec rm -rf {} +
