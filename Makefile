# Every target sets up what it needs; PYTHON is the only thing that must be there.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMPS := .make
OUT    := out
JS_SOURCES := $(shell find js -path js/node_modules -prune -o -type f -print)

# Half of what the store's tests cost is making and removing files; in memory, where there is enough, it is next to nothing.
SCRATCH := $(shell [ "$$(df -Pk /dev/shm 2>/dev/null | awk 'NR == 2 { print ($$4 > 4000000) }')" = 1 ] && [ -w /dev/shm ] \
	&& ! grep -q ' /dev/shm [^ ]* [^ ]*noexec' /proc/mounts && echo /dev/shm || echo $${TMPDIR:-/tmp})

.DEFAULT_GOAL := help
.PHONY: help demo lab test bench check fix docs pictures reference lock clean

help:  ## Show this help
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  \1\t/' | expand -t 12

demo: $(STAMPS)/demo  ## Set everything up, run the quickstart notebook, print the dashboard link
	@$(BIN)/python examples/demo.py --out $(OUT)

lab: $(STAMPS)/test  ## Open JupyterLab on the notebooks
	$(BIN)/jupyter lab notebooks

test: $(STAMPS)/test $(STAMPS)/system  ## Set everything up, system packages included, and run every test
	@$(BIN)/python js/run.py test
	TMPDIR=$(SCRATCH) $(BIN)/python -m pytest -n auto --dist loadfile $(PYTEST)

bench: $(STAMPS)/test $(STAMPS)/system  ## Measure, beside others, and write JSON and tables; BENCH=--quick for a look
	PYTHONPATH=tests $(BIN)/python -m benchmarks $(BENCH)

check: $(STAMPS)/test  ## Lint, types, format and import rules, for Python and TypeScript
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	@$(BIN)/python js/run.py check

fix: $(STAMPS)/test  ## Format, and repair what the linters can repair
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	@$(BIN)/python js/run.py fix

docs: $(STAMPS)/test  ## Write the generated pages of docs/
	$(BIN)/python -m anonrun.server.openapi > docs/openapi.json
	$(BIN)/python -m anonrun.server.reference > docs/api.md
	@$(BIN)/python js/run.py api-types

pictures: $(STAMPS)/test $(STAMPS)/system  ## Take the README's screenshots again, by the browser test
	ANONRUN_PICTURES=docs/images $(BIN)/python -m pytest tests/browser/test_quickstart.py

reference: $(STAMPS)/demo  ## Run the paper's notebook with its own seed and write its reference file again
	$(BIN)/python examples/make_reference.py

lock: $(STAMPS)/venv  ## Choose the versions that are used for development again
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.10 --no-annotate --no-header \
		--extra lab --group test --group check pyproject.toml -o constraints.txt

clean:  ## Remove what was built and installed
	rm -rf $(VENV) $(STAMPS) $(OUT) js/node_modules src/anonrun/notebook/static src/anonrun/server/web/static

# Debian's Python comes without venv; virtualenv makes the same thing.
$(STAMPS)/venv:
	$(PYTHON) -m venv $(VENV) 2>/dev/null || { \
		$(PYTHON) -m pip install --quiet --user --break-system-packages virtualenv && $(PYTHON) -m virtualenv --quiet $(VENV); }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	@mkdir -p $(STAMPS) && touch $@

# An editable install builds the JavaScript once; after a change to it, build again.
$(STAMPS)/install: $(STAMPS)/venv pyproject.toml constraints.txt hatch_build.py $(JS_SOURCES)
	@rm -rf src/anonrun/notebook/static src/anonrun/server/web/static
	$(BIN)/python -m pip install --quiet -c constraints.txt -e .
	@touch $@

$(STAMPS)/demo: $(STAMPS)/install
	$(BIN)/python -m pip install --quiet -c constraints.txt nbclient ipykernel scikit-learn
	@touch $@

$(STAMPS)/test: $(STAMPS)/install
	$(BIN)/python -m pip install --quiet -c constraints.txt --group test --group check
	@touch $@

# Chromium drives the browser tests, libfaketime those of seven days, PostgreSQL those of the store, nginx its example. Root may install
# them; anyone else is told how. A newer PostgreSQL comes with the test dependencies.
POSTGRES := /usr/lib/postgresql/15/bin/initdb
$(STAMPS)/system:
	@if ! command -v chromium >/dev/null || ! command -v faketime >/dev/null || ! test -x /usr/sbin/nginx || ! test -x $(POSTGRES); then \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			mkdir -p /etc/postgresql-common/createcluster.d; \
			echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.d/anonrun-tests.conf; \
			apt-get update -qq && apt-get install -y -qq --no-install-recommends \
				chromium faketime fonts-dejavu-core nginx-light postgresql-15 >/dev/null; \
		elif ! command -v chromium >/dev/null; then \
			echo 'The browser tests need Chromium as `chromium` on the PATH: apt install chromium'; exit 1; \
		elif ! test -x $(POSTGRES); then \
			echo 'The store is tested on PostgreSQL 15 too: apt install postgresql-15 (or, without it,'; \
			echo "make test PYTEST='--databases sqlite,postgresql-18')"; exit 1; \
		else \
			echo 'Tests that travel in time are skipped without libfaketime: apt install faketime'; \
		fi; \
	fi
	@mkdir -p $(STAMPS) && touch $@
