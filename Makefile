# Two commands: `make demo` converts a line to other voices, `make test` runs every check.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
PIP := $(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: help demo studio test test-fast fuzz check docs format clean

help:
	@echo "make demo       install, convert a Korean line, say where the result is"
	@echo "make studio     install, open the director's page with a scene to dub"
	@echo "make test       install, run every check"
	@echo "make test-fast  the checks and the quick tests, about a minute"
	@echo "make fuzz       random scripts, times, text and TOML for an hour (MINUTES=60)"
	@echo "make docs       the documentation as a site, in build/site"
	@echo "make format     format and fix what can be fixed"
	@echo "make clean      remove what was installed and made"

demo: .venv/.core
	@mkdir -p demo
	@for voice in lmy kih; do \
	  $(BIN)/moksori convert examples/demo.wav --text "$$(cat examples/demo.txt)" --voice $$voice \
	    -o demo/$$voice.wav --plot demo/$$voice.png --force || exit 1; \
	done
	@echo "Listen: examples/demo.wav (the source), demo/lmy.wav and demo/kih.wav (converted)."
	@echo "Look:   demo/lmy.png and demo/kih.png (source mel, alignment, converted mel)."

studio: .venv/.studio
	$(BIN)/moksori studio --demo

check: .venv/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

test: check
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder  # a core each

test-fast: check
	$(BIN)/python -m pytest -m "not slow"

FUZZED := tests/script/test_fuzz.py tests/script/test_conservation.py tests/text/test_readings.py
MINUTES ?= 60
fuzz: .venv/.dev
	@end=$$(($$(date +%s) + 60 * $(MINUTES))); seed=0; \
	while [ $$(date +%s) -lt $$end ]; do \
	  seed=$$((seed + 1)); \
	  MOKSORI_FUZZ=1500 $(BIN)/python -m pytest $(FUZZED) --hypothesis-seed $$seed || exit 1; \
	done

docs: .venv/.docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet
	@echo "build/site/index.html"

format: .venv/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf .venv demo build

.venv/.core: pyproject.toml constraints.txt
	@echo "Installing Moksori into .venv (a few minutes the first time) …"
	@test -n "$(PYTHON)" || { echo "error: Python 3.11 is needed"; exit 1; }
	@$(PYTHON) -m venv .venv
	@$(PIP) "torch==2.13.0"
	@$(PIP) --editable .
	@touch $@

.venv/.studio: .venv/.core
	@echo "Installing what the page needs …"
	@$(PIP) --editable ".[studio]"
	@touch $@

.venv/.dev: .venv/.core
	@echo "Installing what training and the tests need …"
	@$(PIP) --editable ".[train,dev,provenance,onnx]"
	@touch $@

.venv/.docs: .venv/.core
	@echo "Installing what the documentation needs …"
	@$(PIP) --editable ".[docs]"
	@touch $@
