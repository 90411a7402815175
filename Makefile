# Everything is set up inside .venv; nothing installed before is relied on.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
REAL := fixtures/real/smollm2-135m-instruct

JOBS := 2

ADAPTERS := $(patsubst adapters/%/Makefile,%,$(wildcard adapters/*/Makefile))
REFERENCE := $(BIN)/python -m logitpack_conformance.adapters.reference
REPORTS := build/reports
WRITERS := reference javascript polars

.PHONY: demo test conform self-test fuzz adapters matrix lint generate clean

demo: $(VENV)/demo.done ## check and show the real dataset
	$(BIN)/logitpack check $(REAL)
	$(BIN)/logitpack show $(REAL) --row 0 --token 2 --tokenizer fixtures/real/tokenizer

test: $(VENV)/test.done ## run the tests against the built wheel, side by side
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal

conform: $(VENV)/test.done ## run the conformance suite against the reference and the example, which have to be conformant
	$(BIN)/logitpack conform --jobs $(JOBS) --report $(REPORTS)/reference --keep-written -- $(REFERENCE)
	$(BIN)/logitpack conform --jobs $(JOBS) -- $(BIN)/python examples/adapter_minimal.py

self-test: $(VENV)/test.done ## run the conformance suite against broken implementations, which it has to catch
	$(BIN)/logitpack conform --self-test --jobs $(JOBS)

fuzz: $(VENV)/test.done ## check and read damaged files for a minute: nothing may crash, hang or escape
	$(BIN)/python tests/fuzz_files.py --seconds 60 --jobs $(JOBS)

adapters: $(ADAPTERS:%=adapter/%) ## each adapter: its tests, and the suite against it

adapter/%: $(VENV)/test.done
	$(MAKE) -C adapters/$* test conform JOBS=$(JOBS) REPORT=$(CURDIR)/$(REPORTS)/$*

matrix: $(ADAPTERS:%=exchange/%) ## who reads what whom, after conform and adapters
	$(BIN)/logitpack conform --jobs $(JOBS) --report build/exchange/reference --case 'write/*' --roles reader,checker \
		$(WRITERS:%=--exchange $(REPORTS)/%) -- $(REFERENCE) || [ $$? -eq 6 ]
	$(BIN)/logitpack matrix $(WRITERS:%=$(REPORTS)/%) build/exchange/* --output build/matrix || [ $$? -eq 6 ]

exchange/%: $(VENV)/test.done
	$(MAKE) -C adapters/$* exchange JOBS=$(JOBS) REPORT=$(CURDIR)/build/exchange/$* EXCHANGE="$(WRITERS:%=$(CURDIR)/$(REPORTS)/%)"

lint: $(VENV)/lint.done ## linters, types, generated files
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python tools/generate.py --check

generate: $(VENV)/test.done
	$(BIN)/python tools/generate.py

$(VENV)/pip.done:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	touch $@

SOURCES := pyproject.toml $(shell find reference conformance schema fixtures -type f -not -name '*.pyc' 2>/dev/null)
WHEELS := build/wheels

# The wheel is built and installed anew when its sources change: the tests meet what users get.
$(VENV)/demo.done: $(VENV)/pip.done $(SOURCES)
	rm -rf $(WHEELS)
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir $(WHEELS) .
	$(BIN)/python -m pip install --quiet --no-deps --force-reinstall $(WHEELS)/logitpack-*.whl
	$(BIN)/python -m pip install --quiet "$$(echo $(WHEELS)/logitpack-*.whl)[cli]"
	touch $@

# The wheel is there by now: only what it needs is added.
$(VENV)/test.done: $(VENV)/demo.done
	$(BIN)/python -m pip install --quiet "$$(echo $(WHEELS)/logitpack-*.whl)[conformance,hub]" --group test
	touch $@

$(VENV)/lint.done: $(VENV)/test.done
	$(BIN)/python -m pip install --quiet --group lint
	touch $@

clean:
	rm -rf $(VENV) build dist
