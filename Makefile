# Everything a developer needs; `make` alone lists it.
VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= python3

.DEFAULT_GOAL := help
.PHONY: help setup pooler node-tools demo test check fix bench mutants docs constraints pictures

help: ## List these commands
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

$(VENV)/.ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Headcount needs Python 3.11 or later: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode -e '.[all]' --group dev -c constraints.txt
	@touch $@

setup: $(VENV)/.ready ## Install the program and its tools into .venv

# The tests of Postgres put a PgBouncer in between. Root has it installed here where it
# is missing; anybody else is told by the tests.
pooler:
	@PATH="$$PATH:/usr/sbin"; command -v pgbouncer >/dev/null || ! command -v apt-get >/dev/null || test "$$(id -u)" != 0 || \
	  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends pgbouncer; }

# The tests compile and run the routes of the Next.js example, by what it names itself.
NODE_TOOLS := examples/nextjs/node_modules/.package-lock.json
node-tools: $(NODE_TOOLS)
$(NODE_TOOLS): examples/nextjs/package.json examples/nextjs/package-lock.json
	@command -v npm >/dev/null || ! command -v apt-get >/dev/null || test "$$(id -u)" != 0 || \
	  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends nodejs npm; }
	@command -v npm >/dev/null || { echo "The tests need Node.js 20 or later, with npm."; exit 2; }
	npm ci --prefix examples/nextjs --silent --no-audit --no-fund --ignore-scripts
	@touch $@

demo: setup ## Find exactly 100 creators in the sandbox, and show them
	HEADCOUNT_SANDBOX_LATENCY_MS=700 $(BIN)/headcount find 100 apple tech gaming --sandbox --format table

test: setup pooler node-tools ## Run the whole test suite with its coverage gate
	$(BIN)/pytest -q --numprocesses=3 --cov --cov-report=term:skip-covered
	$(BIN)/coverage report --include='src/headcount/core/*,src/headcount/engine.py,src/headcount/ports.py' --fail-under=100 --skip-covered
	$(BIN)/coverage report --fail-under=95 --format=total

check: setup ## Check style, types, floors and documentation
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/mkdocs build --strict --quiet

fix: setup ## Mend what can be mended by machine
	$(BIN)/ruff check --fix-only --quiet
	$(BIN)/ruff format --quiet

bench: setup ## Measure speed, as ratios within one run
	$(BIN)/python benchmarks/run.py

mutants: setup ## Change the core in small ways, and see that a test notices each
	$(BIN)/python scripts/mutants.py

docs: setup ## Build the documentation into site/
	$(BIN)/mkdocs build --strict

pictures: setup ## Draw the pictures of the README and the docs anew
	$(BIN)/python scripts/pictures.py
	$(BIN)/python benchmarks/plots.py

constraints: setup ## Compile the pins anew
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-emit-index-url --no-annotate --upgrade --all-extras --group dev pyproject.toml -o constraints.txt
