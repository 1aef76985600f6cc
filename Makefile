# What can be done with a checkout. Each step leaves a stamp in .venv/stamps and is repeated only when what it was made
# from has changed. Needs Rust, Python and their package registries, nothing else.

PYTHON ?= python3
VENV := .venv
# The interpreters of `make pythons`.
PYTHONS := python3.10 python3.11 python3.12 python3.13
BIN := $(VENV)/bin
STAMPS := $(VENV)/stamps
WHEELS := target/wheels

MATURIN := maturin==1.16.0
# mypy is among what the tests use. It reads the types of what the package itself needs, too.
RUFF := ruff==0.17.6
UVLOOP := uvloop

# One interpreter for maturin and for cargo, so that neither rebuilds what the other has built.
export PYO3_PYTHON := $(abspath $(BIN)/python)
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
CARGO_TEST := $(if $(shell command -v cargo-nextest),nextest run,test)

RUST_SOURCES := Cargo.toml Cargo.lock $(shell find crates -name '*.rs' -o -name Cargo.toml) \
  bench/hyper/Cargo.toml bench/load/Cargo.toml
PYTHON_SOURCES := pyproject.toml README.md $(shell find python -name '*.py' -o -name '*.pyi' -o -name '*.json' -o -name py.typed)

say = @printf '==> %s\n' "$(1)"

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run wheel test parity fuzz pythons whole lint format options bench clean tools

help: ## Tell what there is to do
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(STAMPS)/examples ## Build everything and serve the examples on http://127.0.0.1:8000
	$(call say,serving the examples on http://127.0.0.1:8000; Ctrl-C ends it)
	@$(BIN)/andon main:app --app-dir examples --workers 2 $(ARGS)

wheel: $(STAMPS)/wheel ## Build the release wheel into target/wheels

test: $(STAMPS)/tests ## Run all tests: Rust, then pytest on the installed wheel (ARGS: for pytest)
	$(call say,Rust tests)
	@cargo $(CARGO_TEST) --workspace --exclude andon-python
	@$(BIN)/python tests/support/interpreter_library.py cargo $(CARGO_TEST) \
	  --package andon-python --lib --no-default-features
	$(call say,Python tests)
	@$(BIN)/python -m pytest $(ARGS)

parity: $(STAMPS)/tests ## FastAPI's own tests, natively and plainly, compared (ARGS: test files, --help)
	@$(BIN)/python -m tests.parity suite $(ARGS)

fuzz: $(STAMPS)/tests ## Hostile requests to generated applications (ARGS="--requests 1000000 --seed 1")
	@$(BIN)/python -W ignore -m tests.parity fuzz $(ARGS)

pythons: ## All parity tests with each supported Python (ARGS="python3.10 /opt/python3.12/bin/python3")
	@for python in $(or $(ARGS),$(PYTHONS)); do \
	  version=$$($$python -c 'import sys; print("%d.%d" % sys.version_info[:2])') || exit 1; \
	  $(MAKE) --no-print-directory whole PYTHON=$$python ARGS= VENV=.cache/python-$$version \
	    WHEELS=.cache/python-$$version/wheels CARGO_TARGET_DIR=target/python-$$version || exit 1; \
	done

# Apart from all that is made for the first interpreter, whose tests need more than each Python has.
whole: $(STAMPS)/parity
	@$(BIN)/python -m tests.parity whole

lint: $(STAMPS)/lint ## Check formatting, lints and types
	$(call say,rustfmt and clippy)
	@cargo fmt --all --check
	@cargo clippy --workspace --all-targets --quiet -- -D warnings
	$(call say,ruff and mypy)
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy

format: $(STAMPS)/lint ## Format all code
	@cargo fmt --all
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

options: $(STAMPS)/venv ## Write docs/options.md anew from the options' definitions
	@cargo run --quiet --package andon-cli --example options > target/options.md
	@mv target/options.md docs/options.md

bench: $(STAMPS)/wheel ## Measure Andon and its peers side by side (ARGS: for python -m bench)
	@$(BIN)/python -m bench $(ARGS)

clean: ## Remove everything that was built or installed here
	rm -rf $(VENV) .venv-bench .cache $(WHEELS)
	cargo clean

# What the targets above stand on

tools:
	@command -v cargo > /dev/null || { \
	  printf 'error: `cargo` is not on PATH\n\nhint: install Rust 1.95 or later: https://rustup.rs\n' >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { \
	  printf 'error: `$(PYTHON)` is not Python 3.10 or later\n\nhint: install one, or name one: make PYTHON=python3.12\n' >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' || { \
	  printf 'error: `$(PYTHON)` cannot make virtual environments\n\nhint: on Debian and Ubuntu: apt-get install python3-venv\n' >&2; exit 1; }

$(STAMPS)/venv: | tools
	$(call say,making $(VENV))
	@$(PYTHON) -m venv $(VENV)
	@mkdir -p $(STAMPS)
	@touch $@

$(STAMPS)/wheel: $(STAMPS)/venv $(RUST_SOURCES) $(PYTHON_SOURCES) LICENSE
	$(call say,building the wheel (the first time takes some minutes))
	@$(PIP) '$(MATURIN)'
	@rm -f $(WHEELS)/andon-*.whl
	@$(BIN)/maturin build --release --locked --interpreter $(PYO3_PYTHON) --out $(WHEELS)
	@touch $@

$(STAMPS)/installed: $(STAMPS)/wheel
	$(call say,installing the wheel)
	@$(PIP) $(WHEELS)/andon-*.whl
	@$(PIP) --force-reinstall --no-deps $(WHEELS)/andon-*.whl
	@touch $@

$(STAMPS)/examples: $(STAMPS)/installed examples/requirements.txt
	$(call say,installing what the examples use)
	@$(PIP) -r examples/requirements.txt
	@touch $@

$(STAMPS)/tests: $(STAMPS)/examples tests/requirements.txt
	$(call say,installing what the tests use)
	@$(PIP) -r tests/requirements.txt
	@touch $@

$(STAMPS)/parity: $(STAMPS)/examples tests/parity/requirements.txt
	$(call say,installing what the parity tests use)
	@$(PIP) -r tests/parity/requirements.txt
	@touch $@

$(STAMPS)/lint: $(STAMPS)/venv Makefile tests/requirements.txt examples/requirements.txt
	$(call say,installing the linters)
	@$(PIP) '$(RUFF)' '$(UVLOOP)' -r tests/requirements.txt -r examples/requirements.txt
	@touch $@
