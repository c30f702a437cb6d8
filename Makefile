# Every command of the project. `make` alone lists them.
# PYTHON=, PORT=, DATABASE_URL=, DB= and ARGS= are said on the command line or exported.

PYTHON ?= $(shell sh tools/find_python.sh)
DB ?=
ARGS ?=
VENV := .venv/bin/python
ENVIRONMENT = $(or $(PYTHON),exit 1;) -m tools.environment

.DEFAULT_GOAL := help
.PHONY: help run test lint format matrix conformance bench soak docs clean

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## start the sample site on 127.0.0.1:8000 (PORT=8001 DATABASE_URL=postgres://…|mysql://…|sqlite:…)
	@$(ENVIRONMENT) run
	@$(VENV) -m tools.run_site

test: ## run the tests on every database (DB=sqlite|postgres|mysql ARGS="-k name")
	@$(ENVIRONMENT) test --db '$(or $(DB),all)' --servers
	@$(VENV) -m tools.run_tests --db '$(or $(DB),all)' -- $(ARGS)

lint: ## check style and types
	@$(ENVIRONMENT) dev
	$(VENV) -m ruff check
	$(VENV) -m ruff format --check
	$(VENV) -m mypy

format: ## put the code into the project's style
	@$(ENVIRONMENT) dev
	$(VENV) -m ruff check --fix
	$(VENV) -m ruff format

matrix: ## run the tests with every installed Python and every Django (DB=sqlite, ARGS="-k name")
	@$(ENVIRONMENT) dev --db '$(DB)' --servers
	@$(VENV) -m nox -- --db '$(or $(DB),sqlite)' -- $(ARGS)

conformance: ## run Django's and Storm's own tests on the engine (DB=sqlite|postgres|mysql|all)
	@$(ENVIRONMENT) test --db '$(or $(DB),all)' --servers
	@$(VENV) -m conformance --db '$(or $(DB),all)' $(ARGS)

bench: ## measure the engine against Django's native backends
	@$(ENVIRONMENT) test --db all --servers
	@$(VENV) -m benchmarks $(ARGS)

soak: ## 10,000 requests over 50 threads: connections and memory, beside the native backends
	@$(ENVIRONMENT) test --db all --servers
	@$(VENV) -m benchmarks.connections $(ARGS)

docs: ## build the documentation into docs/_build/html
	@$(ENVIRONMENT) docs
	$(VENV) -m sphinx --fail-on-warning docs docs/_build/html

clean: ## remove all that these commands made, the sample site's database too
	rm -rf .venv .nox .cache .mypy_cache .pytest_cache .ruff_cache build dist docs/_build var *.egg-info
	find . -name __pycache__ -prune -exec rm -rf {} +
