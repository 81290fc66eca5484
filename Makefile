# Everything a person or CI does here has one name: make help
PYTHON ?= python3
BIN := .venv/bin
TORCH := 2.13.0
export HF_HUB_OFFLINE ?= 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help venv demo test test-cluster test-all check bench clean
help: ## this list
	@grep -E '^[a-z-]+:.*##' Makefile | sed 's/:.*## /\t/'

venv: .venv/.done ## the project's own virtual environment, pinned, and the speech model of the demo and the tests
.venv/.done: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	@echo "Installing pinned dependencies into .venv (a few minutes, once)"
	$(BIN)/python -c 'import torch' 2>/dev/null || sh .ci/torch $(BIN) $(TORCH)
	$(BIN)/pip install -q -c constraints.txt "torch==$(TORCH)" -e '.[dev]'
	HF_HUB_OFFLINE=0 $(BIN)/soundbite model pull tiny.en
	@touch $@

demo: venv ## the main job end to end on the bundled sample podcast
	$(BIN)/python -m tests.sample.demo

test: venv ## the default tests: no network beyond loopback, no model hub
	$(BIN)/pytest

test-cluster: venv ## one slow test: thirty episodes on PostgreSQL, a bucket and two workers, one of which is killed (6 minutes)
	$(BIN)/pytest --runslow -s tests/cluster

test-all: venv ## the default tests and the slow ones
	$(BIN)/pytest --runslow

check: venv ## lint, format and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: venv ## measurements, as ratios
	$(BIN)/python -m tests.benchmarks

clean: ## forget the demo and the environment; the speech model stays in the cache
	rm -rf .venv .demo
