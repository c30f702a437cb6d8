# Every command of the project. `make` alone lists them.
# PYTHON=, PORT=, DATABASE_URL=, DB= and ARGS= are said on the command line or exported.

PYTHON ?= $(shell sh tools/find_python.sh)
DB ?=
ARGS ?=
VENV := .venv/bin/python
ENVIRONMENT = $(or $(PYTHON),exit 1;) -m tools.environment

.DEFAULT_GOAL := help
.PHONY: help run test lint format matrix coherence values conformance bench bench-openid fuzz-openid openid-dropin bench-cleanup soak crash docs clean bench-dojo beside thorough screenshots release-check load bench-jsonrpc fuzz-jsonrpc bench-acl access isolation crash-files bench-files crash-jobs bench-jobs asgi replicas third-orm

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## start the sample site on 127.0.0.1:8000 (PORT=8001 DATABASE_URL=postgres://…|mysql://…|sqlite:…)
	@$(ENVIRONMENT) run
	@$(VENV) -m tools.run_site

test: ## run the tests on every database (DB=sqlite|postgres|psycopg2|pgbouncer|mysql ARGS="-k name")
	@$(ENVIRONMENT) test --db '$(or $(DB),all)' --servers --browser
	@$(VENV) -m tools.run_tests --db '$(or $(DB),all)' -- $(ARGS)

lint: ## check style and types, of the templates and the documentation too
	@$(ENVIRONMENT) dev
	$(VENV) -m ruff check
	$(VENV) -m ruff format --check
	$(VENV) -m mypy
	TQDM_DISABLE=1 $(VENV) -m djlint --quiet --lint djintegrate testproject tests
	$(VENV) -m tools.check_markdown
	$(VENV) -m codespell_lib *.md Makefile *.py *.toml djintegrate docs proofs testproject tools

format: ## put the code into the project's style
	@$(ENVIRONMENT) dev
	$(VENV) -m ruff check --fix
	$(VENV) -m ruff format

matrix: ## run the tests with every installed Python and every Django (DB=sqlite, ARGS="-k name")
	@$(ENVIRONMENT) dev --db '$(DB)' --servers
	@$(VENV) -m nox -- --db '$(or $(DB),sqlite)' -- $(ARGS)

coherence: ## play 2,000 random sequences of both ORMs on each database, beside a model (DB=sqlite ARGS="--sequences 200")
	@$(ENVIRONMENT) test --db '$(or $(DB),all)' --servers
	@$(VENV) -m proofs.coherence --db '$(or $(DB),all)' $(ARGS)

values: ## take 1,000 random rows through the ORMs on each database, beside each other (DB=sqlite|postgres|…)
	@$(ENVIRONMENT) test --db '$(or $(DB),all)' --servers
	@MAPPING_EXAMPLES=1000 VALUES_EXAMPLES=1000 $(VENV) -m tools.run_tests --db '$(or $(DB),all)' -- tests/storm_backend/mapping/test_mapping_values.py tests/storm_backend/sqlalchemy/test_values.py $(ARGS)

conformance: ## run Django's and Storm's own tests on the engine (DB=sqlite|postgres|psycopg2|mysql|all)
	@$(ENVIRONMENT) test --db '$(or $(DB),all)' --servers
	@$(VENV) -m proofs.conformance --db '$(or $(DB),all)' $(ARGS)

bench: ## measure the engine against Django's native backends, row by row (ARGS="--only update --noise")
	@$(ENVIRONMENT) test --db all --servers
	@$(VENV) -m proofs.benchmarks $(ARGS)

fuzz-openid: ## 100,000 mutated OpenID answers, documents and bodies: none is a 500 (ARGS="--cases 10000")
	@$(ENVIRONMENT) test
	@$(VENV) -m pip install --quiet --disable-pip-version-check --only-binary :all: atheris || echo "Without atheris."
	@$(VENV) -W ignore -m tests.openid_auth.fuzz $(ARGS)

openid-dropin: ## run django-openid-auth 0.17's own tests, and python3-openid's documents, on the login
	@$(ENVIRONMENT) test
	@$(VENV) -m proofs.openid_dropin
	@$(VENV) -m proofs.openid_discovery

bench-openid: ## count the SQL statements of sign-ins beside django-openid-auth 0.17 on Django 4.2
	@$(ENVIRONMENT) test
	@$(VENV) -m proofs.benchmarks.openid $(ARGS)

bench-jsonrpc: ## measure a JSON-RPC call beside a JsonResponse view and beside django-modern-rpc
	@$(ENVIRONMENT) test
	@$(VENV) -m pip install --quiet --disable-pip-version-check 'django-modern-rpc==2.1.*'
	@$(VENV) -m proofs.benchmarks.jsonrpc $(ARGS)

fuzz-jsonrpc: ## 20,000 mutated JSON-RPC requests beside a model of the specification: none is a 500 (ARGS="--cases 2000")
	@$(ENVIRONMENT) test
	@$(VENV) -W ignore -m proofs.jsonrpc $(ARGS)

bench-dojo: ## measure a page of ten dijits in Chromium beside plain HTML and hand-written Dojo; a select of 100,000 rows
	@$(ENVIRONMENT) test --browser
	@$(VENV) -m proofs.benchmarks.dojo.rows
	@$(VENV) -m proofs.benchmarks.dojo $(ARGS)

bench-acl: ## measure has_perm through the roles' file beside ModelBackend's cached check
	@$(ENVIRONMENT) test
	@$(VENV) -m proofs.benchmarks.acl $(ARGS)

access: ## compare 10,000 random graphs of roles with a plain model, and make 10,000 slips (ARGS="--cases 1000")
	@$(ENVIRONMENT) test
	@$(VENV) -m proofs.acl $(ARGS)

isolation: ## play anomalies and histories with both ORMs in each transaction (ARGS="--transactions 20000")
	@$(ENVIRONMENT) test --db all --servers
	@$(VENV) -m proofs.isolation $(ARGS)

third-orm: ## run zope.sqlalchemy's own tests on engines of ours, and 2,000 random sequences of three ORMs (DB=sqlite|…)
	@$(ENVIRONMENT) test --db '$(or $(DB),all)' --servers
	@$(VENV) -m proofs.third_orm --db '$(or $(DB),all)' $(ARGS)
	@MODEL_EXAMPLES=2000 $(VENV) -m tools.run_tests --db '$(or $(DB),all)' -- tests/storm_backend/sqlalchemy/test_model.py

beside: ## compare 5,000 fields that Hypothesis puts together, as plain HTML and as dijits (ARGS="--pages 10")
	@$(ENVIRONMENT) test --browser
	@$(VENV) -m proofs.dojo $(ARGS)

thorough: ## run the tests with every theme, language, page and width, of which make test has a few (DB=sqlite|…)
	@$(ENVIRONMENT) test --db '$(or $(DB),sqlite)' --servers --browser
	@THOROUGH=1 $(VENV) -m tools.run_tests --db '$(or $(DB),sqlite)' -- $(ARGS)

bench-cleanup: ## remove a million expired nonces, with sign-ins beside it (ARGS="--db mysql --rows 100000")
	@$(ENVIRONMENT) test --db all --servers
	@$(VENV) -m proofs.benchmarks.openid.cleanup $(ARGS)

soak: ## 10,000 requests over 50 threads: connections and memory, beside the native backends
	@$(ENVIRONMENT) test --db all --servers
	@$(VENV) -m proofs.benchmarks.connections $(ARGS)

load: ## 50 clients for 60 seconds on the sample site, beside the same in Django's ORM (ARGS="--clients 20")
	@$(ENVIRONMENT) load --db postgres --servers
	@$(VENV) -m proofs.benchmarks.load $(ARGS)

crash: ## kill processes, and crash servers, at each step of two-phase commits, and compare (ARGS="--db psycopg2|pgbouncer")
	@$(ENVIRONMENT) test --db all --servers
	@$(VENV) -m proofs.crash $(ARGS)

asgi: ## 500 requests at a time under uvicorn, hypercorn and daphne, connections counted (ARGS="--server uvicorn")
	@$(ENVIRONMENT) test --db postgres --servers
	@$(VENV) -m proofs.asgi $(ARGS)

replicas: ## let browsers write and read while a standby lags and dies: none sees the past (ARGS="--seconds 60 --seed 1")
	@$(ENVIRONMENT) test --db postgres --servers
	@$(VENV) -m proofs.replicas $(ARGS)
crash-jobs: ## kill workers and connections while requests enqueue jobs, and compare (ARGS="--db sqlite --native")
	@$(ENVIRONMENT) test --db all --servers
	@$(VENV) -m proofs.jobs $(ARGS)

bench-jobs: ## measure jobs beside rows by hand, and beside django-tasks-db's own worker (ARGS="--db sqlite")
	@$(ENVIRONMENT) test --db all --servers
	@$(VENV) -m proofs.benchmarks.jobs $(ARGS)
crash-files: ## kill processes that write rows and files, at each step, and compare (ARGS="--kills 1000 --db sqlite")
	@$(ENVIRONMENT) test --db postgres --servers
	@$(VENV) -m proofs.files_crash $(ARGS)

bench-files: ## measure requests that save a file in the transaction beside none (ARGS="--db sqlite")
	@$(ENVIRONMENT) test --db all --servers
	@$(VENV) -m proofs.benchmarks.files $(ARGS)

screenshots: ## take the pictures in docs/images: a form in each of Dojo's themes, and the sample site
	@$(ENVIRONMENT) test --browser
	@$(VENV) -m tools.screenshots
	@$(VENV) -m tools.site_screenshots

docs: ## build the documentation into docs/_build/html
	@$(ENVIRONMENT) docs
	$(VENV) -m sphinx --quiet --fail-on-warning docs docs/_build/html

release-check: ## build sdist and wheel, look into them, and use both on each Python; uploads nothing
	@$(ENVIRONMENT) release
	@$(VENV) -m tools.release_check

clean: ## remove all that these commands made, the sample site's database too
	rm -rf .venv .nox .cache .mypy_cache .pytest_cache .ruff_cache build dist docs/_build var *.egg-info
	find . -name __pycache__ -prune -exec rm -rf {} +
