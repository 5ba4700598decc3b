# Everything sets itself up on a machine with only Python >= 3.11, git and make.
#
#   make demo        see it work: a small class, released, graded, explained
#   make test        the tests
#   make format      format and lint
#   make crosscheck  compare with PyTorch, live
#   make bench       measure
#   make nightly     the whole proof, which takes long

VENV ?= .venv
BIN = $(VENV)/bin

# One thread per process: the grader runs a process per core.
export OMP_NUM_THREADS = 1
export OPENBLAS_NUM_THREADS = 1

.PHONY: demo test format lint bench crosscheck validate nightly clean

demo: $(VENV)/.ready
	$(BIN)/csnn demo

test: $(VENV)/.ready
	$(BIN)/python -m pytest -n auto --dist loadscope

format: $(VENV)/.ready
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lint: $(VENV)/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright --pythonpath $(BIN)/python

validate: $(VENV)/.ready
	$(BIN)/csnn validate

crosscheck: $(VENV)/.ready-torch
	$(BIN)/python -m tests.against_torch

bench: $(VENV)/.ready-torch
	for script in benchmarks/*.py; do $(BIN)/python "$$script" || exit 1; done

nightly: $(VENV)/.ready
	$(BIN)/python -m pytest -n auto --dist loadscope -m "nightly or not nightly"
	$(BIN)/csnn validate --mutants --leave-one-out

clean:
	rm -rf $(VENV) demo-out .pytest_cache .ruff_cache .hypothesis .benchmarks

$(VENV)/.ready: pyproject.toml .ci/setup
	sh .ci/setup "$(VENV)"
	touch $@

$(VENV)/.ready-torch: $(VENV)/.ready
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[benchmarks]'
	touch $@
