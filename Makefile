# Everything runs inside .venv, which the first target makes. No root rights needed.
# Named, since make 3.81, that of macOS, otherwise looks for programs in the PATH that it was started with.
SHELL := /bin/bash
PYTHON ?= python3
COMPILE := uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header pyproject.toml
PIP := .venv/bin/python -m pip --disable-pip-version-check
export PATH := $(CURDIR)/.venv/bin:$(PATH)

.PHONY: help install demo repro pull app verify compare check test remote-test bench lint lock clean

help:  ## show this list
	@awk -F ':.*  ## ' '/^[a-z-]+:.*  ## / {printf "%-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: .venv/run.done  ## set up .venv with what the pipeline needs, versions and hashes pinned

demo: .venv/run.done  ## run everything on 1,797 embedded digits, without network, in the folder demo
	python scripts/demo.py

repro: .venv/run.done  ## bring all up to date, JOBS=n trainings at once (default: one per core)
	@python scripts/repro.py

pull: .venv/run.done  ## fetch the trained models from the DVC remote; TARGETS and REMOTE name others
	@python scripts/pull.py $(TARGETS) $(if $(REMOTE),--remote $(REMOTE))

app: .venv/app.done  ## open a page that asks the models about your pictures, PORT=n (default: 7860)
	@python -m cifar10.app $(if $(PORT),--port $(PORT))

verify: .venv/run.done  ## tell whether this machine gives the recorded bytes; FULL=1: the whole pipeline, RECORD=1: add it
	@python scripts/$(if $(FULL),reproduce.py,verify.py $(if $(RECORD),--record))

compare: export BASE ?= main
compare: .venv/run.done  ## show as a page of Markdown what this branch changes against BASE (default: main)
	@python -m cifar10.compare --output comparison -- "$$BASE"

check: lint test  ## all that has to pass before a change lands

test: .venv/test.done  ## run the tests
	python -m pytest

remote-test: .venv/test.done  ## run those of remotes alone: SSH, S3 and HTTP servers on this machine
	python -m pytest tests/test_remotes.py tests/test_sharing.py

bench: .venv/bench.done .venv/app.done  ## measure against the notebook's way and PyTorch; EPOCHS, IMAGES, REPEATS shorten it
	python benchmarks/run.py
	python benchmarks/classify.py
	python benchmarks/serve.py

lint: .venv/test.done  ## check style, types, imports and declared dependencies
	ruff check
	ruff format --check
	mypy
	mypy --platform darwin
	mypy --platform win32
	lint-imports --no-logo --no-cache
	deptry .

lock: .venv/run.done  ## pin the newest allowed versions in requirements*.txt (needs uv)
	$(COMPILE) --upgrade --extra dev -o requirements-dev.txt
	$(COMPILE) --constraint requirements-dev.txt -o requirements.txt
	$(COMPILE) --constraint requirements-dev.txt --extra app -o requirements-app.txt
	python scripts/versions.py

clean:  ## delete the demo and the environment; data, models and reports stay
	rm -rf demo .venv

.venv/bin/python:
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; (3, 11) <= v < (3, 14) or sys.exit("error: Python 3.11 to 3.13 is needed, $(PYTHON) is %d.%d; name another: make PYTHON=python3.11" % v)'
	$(PYTHON) -m venv .venv

.venv/run.done: requirements.txt pyproject.toml | .venv/bin/python
	$(PIP) install -q --progress-bar off --require-hashes -r requirements.txt
	$(PIP) install -q --no-deps --no-build-isolation -e .
	@.venv/bin/python -m compileall -q .venv/lib > .venv/compile.log 2>&1 || true  # without it the first import takes 11 s
	@touch $@

.venv/app.done: requirements-app.txt .venv/run.done
	$(PIP) install -q --progress-bar off --require-hashes -r requirements-app.txt
	@touch $@

.venv/bench.done: requirements-bench.txt .venv/run.done
	$(PIP) install -q --progress-bar off --no-deps --require-hashes -r requirements-bench.txt && .venv/bin/python -c 'import torch' \
	|| echo 'PyTorch is left out: on Linux x86_64 put its CPU wheel where pip looks, as in PIP_FIND_LINKS=folder make bench'
	@touch $@

.venv/test.done: requirements-dev.txt .venv/run.done
	$(PIP) install -q --progress-bar off --require-hashes -r requirements-dev.txt
	@touch $@
