# One file to install, try and check vdroppath_tf. `make` lists what there is.
#
# Each environment has stamps: a step is repeated only when a file it depends on has changed.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install quickstart test tests test-oldest coverage lint format docs notebooks docs-serve clean

SUPPORTED := import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 12))
# The first of these that is a supported Python; override with PYTHON=...
CANDIDATES := python3 python3.12 python3.11 python3.10
PYTHON := $(shell for p in $(CANDIDATES); do $$p -c '$(SUPPORTED)' 2>/dev/null && echo $$p && break; done)

VENV := .venv
BIN := $(VENV)/bin
OLDEST := .venv-oldest
# More for pip, as --no-compile: what is not imported need not be compiled.
INSTALL_FLAGS ?=
# The path of uv, which takes a fifth of pip's time. Only where somebody names it, since it reads
# none of pip's configuration; where it fails, pip takes over.
UV ?=
# $(call install,ENVIRONMENT,WHAT)
install = $(if $(UV),'$(UV)' pip install --quiet --python $(1)/bin/python $(2) ||) \
	$(1)/bin/python -m pip install --disable-pip-version-check $(INSTALL_FLAGS) $(2)
FOR_TESTS := -e '.[test,serve,onnx,litert,openvino,test-tf-serving,remote,remote-az,remote-gs,test-s3,test-stores]'
FOR_OLDEST := -e '.[test,serve,io,test-s3]' -c constraints-oldest.txt
# Most of a test's time is TensorFlow tracing, on one core. A file's tests stay in one process, as
# they share fixtures; tests/conftest.py says which begin. WORKERS=0 runs them all in this one, for a
# debugger.
WORKERS := 2
PYTEST := -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder --max-worker-restart=0 \
	--durations=25
# What is run with the oldest versions: all that touches another project's API, once. What is only
# ours does not depend on versions; in these files such tests are marked `newest`.
TESTS_OLDEST := tests/test_backend.py tests/test_derive.py tests/test_devices.py \
	tests/test_lazy.py tests/test_packaging.py tests/spaces/test_strategy.py \
	tests/spaces/test_space.py tests/layers/test_convolution.py tests/layers/test_drop_path.py \
	tests/layers/test_fusion.py tests/layers/test_gated_dense.py tests/layers/test_gates.py \
	tests/models/test_fusion_model.py tests/models/test_keras_models.py \
	tests/models/test_old_files.py \
	tests/models/test_sources.py tests/models/test_torch_file.py tests/models/test_weights.py \
	tests/data/sources tests/data/test_kinds.py tests/data/clips/test_pipeline.py \
	tests/data/lists/test_hdf5_file.py tests/data/records/test_hdf5_graph.py \
	tests/data/records/test_record_reader.py tests/data/remote tests/analysis/test_shift.py \
	tests/report/test_report.py tests/scoring/test_onednn.py tests/serving/test_export.py \
	tests/serving/test_fold.py tests/serving/test_signatures.py \
	tests/training/test_trainer.py tests/training/test_optimizer.py \
	tests/training/test_tensorboard.py tests/commands/test_cli.py \
	tests/commands/test_derive_export_commands.py tests/commands/test_test_predict_commands.py
PYTEST_OLDEST := -m "not slow and not newest" $(TESTS_OLDEST)

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(VENV)/.installed  ## install into .venv, and nothing else

quickstart: $(VENV)/.installed  ## install into .venv and run the whole loop on the embedded tasks
	TF_CPP_MIN_LOG_LEVEL=3 $(BIN)/vdroppath quickstart

test: lint tests  ## lint, types and all tests, with the newest versions of everything

tests: $(VENV)/.test  ## all tests
	$(BIN)/python $(PYTEST) $(ARGS)

coverage: $(VENV)/.test  ## which lines and branches the tests reach
	$(BIN)/python $(PYTEST) --cov=vdroppath_tf --cov-branch --cov-report=term-missing:skip-covered $(ARGS)

test-oldest: $(OLDEST)/.installed  ## what touches other projects, with the oldest versions of them
	$(OLDEST)/bin/python $(PYTEST) $(PYTEST_OLDEST) $(ARGS)

lint: $(VENV)/.test  ## ruff and mypy, changing nothing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.test  ## let ruff mend what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(VENV)/.docs  ## build the documentation into site/ (Python 3.11 or 3.12)
	$(BIN)/mkdocs build --strict

notebooks: $(VENV)/.docs  ## write the tutorials as Jupyter notebooks into notebooks/
	$(BIN)/python scripts/write_notebooks.py --out=notebooks

docs-serve: $(VENV)/.docs  ## show the documentation while editing it
	$(BIN)/mkdocs serve --strict

clean:  ## remove the environments and everything that was built
	rm -rf $(VENV) $(OLDEST) site build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find vdroppath_tf tests scripts docs -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true

# --- the environments -----------------------------------------------------------------------

# "--clear" and a stamp, since a venv whose creation failed half way leaves a bin/python behind.
define make_venv
@'$(PYTHON)' -c '$(SUPPORTED)' 2>/dev/null || { \
	echo "vdroppath_tf needs Python 3.10, 3.11 or 3.12; not found in: $(or $(PYTHON),$(CANDIDATES))."; \
	echo "Install one of them and name it:  make $(MAKECMDGOALS) PYTHON=python3.11"; exit 1; }
'$(PYTHON)' -m venv --clear $(@D)
@touch $@
endef

$(VENV)/.created $(OLDEST)/.created:
	$(make_venv)

$(VENV)/.installed: $(VENV)/.created setup.cfg pyproject.toml
	$(call install,$(VENV),-e .)
	@touch $@

$(VENV)/.test: $(VENV)/.installed
	$(call install,$(VENV),$(FOR_TESTS))
	@touch $@

# What the pages show is read out of the package itself; nothing that only tests need.
$(VENV)/.docs: $(VENV)/.installed
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "make docs needs Python 3.11 or 3.12:  make clean && make docs PYTHON=python3.11"; exit 1; }
	$(call install,$(VENV),-e '.[docs]')
	@touch $@

$(OLDEST)/.installed: $(OLDEST)/.created setup.cfg pyproject.toml constraints-oldest.txt
	$(call install,$(OLDEST),$(FOR_OLDEST))
	@touch $@
