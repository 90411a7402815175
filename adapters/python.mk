# What Makefiles of adapters in Python share, after adapter.mk: packages in a .venv of their own, pytest, and bench.py.
FILE ?= $(ROOT)/fixtures/real/smollm2-135m-instruct

setup: .venv/done

.venv/done: requirements.txt
	$(PYTHON) -m venv .venv
	.venv/bin/python -m pip install --quiet -r requirements.txt
	touch $@

test: setup
	.venv/bin/python -m pytest

bench: setup ## tokens/s of reading FILE, a file or a folder
	.venv/bin/python bench.py $(FILE)

clean:
	rm -rf .venv build
