# Equipoise. Every command sets itself up, from a bare checkout with Python 3.11 or newer and make; later runs skip
# that step until the lock file or pyproject.toml changes, and then need no network.

.DEFAULT_GOAL := help
.PHONY: help demo test bench lint messages clean lock
.SUFFIXES:

export PIP_DISABLE_PIP_VERSION_CHECK = 1
# Commands and tests start many programs, each of which would compile all of its modules anew.
unexport PYTHONDONTWRITEBYTECODE

NEW_ENOUGH := import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))
# The first of these that is new enough and can make a virtual environment; `make test PYTHON=...` overrides it.
PYTHON ?= $(shell for python in python3.13 python3.12 python3.11 python3; do \
	"$$python" -c '$(NEW_ENOUGH)' >/dev/null 2>&1 && { echo "$$python"; break; }; done)

BIN := .venv/bin
# The stamp's name holds a checksum of what the set-up depends on, so that it is right whatever the files' times are.
READY := .venv/.ready-$(shell cat requirements.lock pyproject.toml 2>/dev/null | cksum | tr ' ' '-')

# Where an error loses data, unmasks a trial or falsifies its record, every branch is tested.
GATED := ledger access allocation definition
COMMA := ,
EMPTY :=
GATED_FILES := $(subst $(EMPTY) $(EMPTY),$(COMMA),$(foreach package,$(GATED),src/equipoise/$(package)/*))

# The tests of a file go to one process, which makes what they share once.
IN_PROCESSES := -n 2 --dist loadfile --no-loadscope-reorder

say = @printf '==> %s\n'

help:
	@echo 'make demo    rehearse the pilot study and serve its report (DEMO_SERVE=0: only write it to demo/)'
	@echo 'make test    style, types, floors, all tests, and the coverage gate'
	@echo 'make bench   measure the speed of what is used most'
	@echo 'make lint    style, types and floors only'
	@echo 'make messages  bring the catalogues of the clinic up to date'
	@echo 'make clean   remove the virtual environment, the demo and all caches'
	@echo 'make lock    resolve the dependencies anew (needs uv)'
	@echo 'Each sets itself up in .venv; PYTHON=python3.12 chooses the interpreter of a new one.'

demo: $(READY)
	$(say) 'equipoise demo: rehearsing the pilot study into demo/'
	@$(BIN)/equipoise demo --out demo $(if $(filter 0,$(DEMO_SERVE)),--no-serve)

test: lint
	$(say) 'pytest: all tests, measuring branch coverage'
	@EQUIPOISE_TRACEABILITY=build/traceability.html $(BIN)/python -m pytest $(IN_PROCESSES) --cov --cov-report=
	$(say) 'traceability: requirements with their results in build/traceability.html'
	$(say) 'coverage: every line and branch of $(GATED)'
	@$(BIN)/python -m coverage report --include='$(GATED_FILES)' --fail-under=100

bench: $(READY)
	$(say) 'benchmarks'
	@$(BIN)/python -m benchmarks

lint: $(READY)
	$(say) 'ruff check: rules of style'
	@$(BIN)/python -m ruff check --quiet
	$(say) 'ruff format: layout'
	@$(BIN)/python -m ruff format --check --quiet
	$(say) 'mypy: types'
	@$(BIN)/python -m mypy --no-error-summary --num-workers 2
	$(say) 'lint-imports: floors and rooms'
	@report=$$($(BIN)/lint-imports --no-logo) || { echo "$$report"; exit 1; }

messages: $(READY)
	$(say) 'catalogues: the texts of the clinic in each language'
	@$(BIN)/python -m tests.web.catalogues

clean:
	$(say) 'removing .venv, demo and caches'
	@rm -rf .venv demo build dist .coverage .coverage.* .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A virtual environment that is there already is kept if it works, is new enough and was made for this folder.
$(READY):
	@if .venv/bin/python -c 'import pip; $(NEW_ENOUGH)' >/dev/null 2>&1 \
		&& grep -qF '$(CURDIR)/.venv' .venv/bin/activate; \
	then echo '==> set-up: keeping the virtual environment .venv'; \
	elif '$(PYTHON)' -c '$(NEW_ENOUGH)' >/dev/null 2>&1; \
	then echo '==> set-up: making the virtual environment .venv with $(PYTHON)'; '$(PYTHON)' -m venv --clear .venv; \
	else echo 'No Python 3.11 or newer that can make a virtual environment was found. Install one' >&2; \
		echo '(Debian: apt-get install python3 python3-venv) or name it: make test PYTHON=python3.12' >&2; exit 1; \
	fi
	$(say) 'set-up: installing the locked dependencies'
	@$(BIN)/python -m pip install -qq --require-hashes -r requirements.lock
	$(say) 'set-up: installing equipoise'
	@$(BIN)/python -m pip install -qq --no-deps --no-build-isolation -e .
	@rm -f .venv/.ready-* && touch $@

# One version of each package for all interpreters and systems, so that the same data give the same numbers.
lock:
	$(say) 'uv: resolving the dependencies into requirements.lock'
	@uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --fork-strategy fewest --upgrade \
		--generate-hashes --no-annotate --no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock' \
		--quiet --output-file requirements.lock
