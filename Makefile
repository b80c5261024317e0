# Everything runs inside .venv, which the first target creates. Root access is not needed.
# SHELL is set because make 3.81 (macOS) otherwise searches programs in its initial PATH.
SHELL := /bin/bash
PYTHON ?= python3
COMPILE := uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header pyproject.toml
# TensorFlow's build for NVIDIA GPUs. It and tensorflow-cpu write the same files, so the lock has one of them.
COMPILE_GPU = $(COMPILE) --extra app --extra gpu --override <(echo "tensorflow-cpu; python_version < '3'")
LOCK := $(if $(GPU)$(wildcard .venv/gpu),requirements-gpu.txt,requirements.txt)
PIP := .venv/bin/python -m pip --disable-pip-version-check
CREATE = $(PYTHON) -c 'import sys; v = sys.version_info[:2]; (3, 11) <= v < (3, 14) or sys.exit("error: expected Python 3.11 to 3.13, $(PYTHON) is %d.%d; choose another: make PYTHON=python3.11" % v)' \
	&& echo '$(PYTHON) -m venv --clear .venv' && { [ -d .venv ] || rm -f .venv; } && $(PYTHON) -m venv --clear .venv
# If the Python or pip of .venv does not start (interrupted installation, deleted Python), .venv is repaired first:
# `ensurepip` if only pip is missing, otherwise a new environment.
STARTS = $(if $(wildcard .venv/run.done),-I -c 'import pip',-m pip --version)
MENDED := $(if $(wildcard .venv),$(shell .venv/bin/python $(STARTS) > /dev/null 2>&1 || echo .venv/mended))
export PATH := $(CURDIR)/.venv/bin:$(PATH)

.PHONY: help install demo repro audit check-model summary watch pull publish app verify compare check check-fast test test-fast remote-test bench lint lock clean

help:  ## show this list
	@awk -F ':.*  ## ' '/^[a-z-]+:.*  ## / {printf "%-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: .venv/run.done  ## install the dependencies of the pipeline in .venv, with pinned versions and hashes; GPU=1: for NVIDIA GPUs

demo: .venv/run.done  ## run everything on 1,797 built-in digits, without network, in the folder demo
	python scripts/demo.py

repro: .venv/run.done  ## run all stages that are not up to date, JOBS=n at once (default: one per core)
	@python scripts/repro.py

audit: .venv/run.done  ## look for copies, copies under two labels and faulty pictures; LABELS=1: also wrong labels (MODEL=name, EPOCHS=n)
	@dvc repro -q audit && python -m cifar10.audit$(if $(LABELS), && python scripts/label_candidates.py $(MODEL) $(if $(EPOCHS),--epochs $(EPOCHS)))

check-model: .venv/run.done  ## check in seconds that models learn one batch of images; MODELS="names" (default: all)
	@python scripts/check_model.py $(MODELS)

summary: .venv/run.done  ## describe a model before its training, with an estimate of the time; MODEL=name
	@python scripts/summary.py $(MODEL)

watch: .venv/run.done  ## draw the curves of the trainings while they run, as a page on this machine; PORT=n (default: 7861)
	@python scripts/watch.py $(if $(PORT),--port $(PORT))

pull: .venv/run.done  ## fetch the trained models from the DVC remote; TARGETS=paths, REMOTE=name
	@python scripts/pull.py $(TARGETS) $(if $(REMOTE),--remote $(REMOTE))

publish: .venv/run.done  ## write the trained models into a folder for a web server or a release; TO=folder, MODELS="names", SEEDS="numbers"
	@$(if $(TO),,echo 'error: expected a folder, as in make publish TO=published' >&2; exit 2;) python scripts/publish.py "$(TO)" $(MODELS:%=--model %) $(SEEDS:%=--seed %)

app: .venv/app.done  ## serve a page that classifies your pictures, PORT=n (default: 7860), SEED=n: one training each
	@python -m cifar10.app $(if $(PORT),--port $(PORT)) $(if $(SEED),--seed $(SEED))

verify: .venv/run.done  ## compare the results of this machine with recorded hashes; FULL=1: whole pipeline, RECORD=1: record this machine
	@python scripts/$(if $(FULL),reproduce.py,verify.py $(if $(RECORD),--record))

compare: export BASE ?= main
compare: .venv/run.done  ## compare this branch with BASE (default: main), as Markdown
	@python -m cifar10.compare --output comparison -- "$$BASE"

check: lint test  ## run all checks that must pass before a merge

check-fast: .venv/test.done  ## lint, and run the tests that need no training and no server, in 45 s
	@$(MAKE) --no-print-directory -j 2 lint test-fast

test: .venv/test.done  ## run the tests
	python -m pytest

test-fast: .venv/test.done
	python -m pytest -m "not slow"

remote-test: .venv/test.done  ## run only the tests of DVC remotes: SSH, S3 and HTTP servers on this machine
	python -m pytest tests/test_remotes.py tests/test_sharing.py

bench: .venv/bench.done .venv/app.done  ## measure against the baseline notebook and PyTorch; EPOCHS=n, IMAGES=n, REPEATS=n
	python benchmarks/run.py
	python benchmarks/classify.py
	python benchmarks/detector_cost.py
	python benchmarks/latency.py
	python benchmarks/startup.py
	python benchmarks/serve.py

lint: .venv/test.done  ## check style, types, imports and declared dependencies
	ruff check
	ruff format --check
	mypy
	mypy --platform darwin --cache-dir .mypy_cache/darwin
	mypy --platform win32 --cache-dir .mypy_cache/win32  # each has a cache, or it would replace those of the others
	lint-imports --no-logo --no-cache
	deptry .

lock: .venv/run.done  ## pin the newest allowed versions in requirements*.txt (needs uv)
	$(COMPILE) --upgrade --extra dev -o requirements-dev.txt
	$(COMPILE) --constraint requirements-dev.txt -o requirements.txt
	$(COMPILE) --constraint requirements-dev.txt --extra app -o requirements-app.txt
	$(COMPILE_GPU) --constraint requirements-dev.txt -o requirements-gpu.txt
	python scripts/versions.py

clean:  ## delete the demo and the environment; data, models and reports stay
	rm -rf demo .venv

.venv/bin/python:
	@$(CREATE)

.venv/mended: FORCE
	@.venv/bin/python -m ensurepip > /dev/null 2>&1 && $(PIP) --version > /dev/null 2>&1 || { $(CREATE); }

FORCE:

# A build of TensorFlow never replaces the other one in the same .venv.
ifdef GPU
ifneq ($(shell uname -sm),Linux x86_64)
$(error GPU=1 expected Linux on x86-64 (also WSL 2), found $(shell uname -sm): run `make install` without it)
endif
ifneq ($(wildcard .venv/run.done),)
ifeq ($(wildcard .venv/gpu),)
$(error .venv holds TensorFlow for CPUs: run `make clean`, then `make install GPU=1`)
endif
endif
endif

.venv/run.done: $(LOCK) pyproject.toml $(MENDED) | .venv/bin/python
	$(if $(GPU),@touch .venv/gpu)
	$(PIP) install -q --progress-bar off --require-hashes -r $(LOCK)
	$(PIP) install -q --no-deps --no-build-isolation -e .
	@.venv/bin/python -m compileall -q .venv/lib > .venv/compile.log 2>&1 || true  # otherwise the first import takes 11 s
	@touch $@

.venv/app.done: requirements-app.txt .venv/run.done
	$(if $(wildcard .venv/gpu),,$(PIP) install -q --progress-bar off --require-hashes -r requirements-app.txt)
	@touch $@

.venv/bench.done: requirements-bench.txt .venv/run.done
	$(PIP) install -q --progress-bar off --no-deps --require-hashes -r requirements-bench.txt && .venv/bin/python -c 'import torch' \
	|| echo 'PyTorch is not installed: on Linux x86_64, put its CPU wheel where pip finds it, as in PIP_FIND_LINKS=folder make bench'
	@touch $@

.venv/test.done: requirements-dev.txt .venv/run.done
	@[ ! -e .venv/gpu ] || { echo 'error: the tests need TensorFlow for CPUs: run `make clean`, then `make test`' >&2; exit 1; }
	$(PIP) install -q --progress-bar off --require-hashes -r requirements-dev.txt
	@touch $@
