# What the Makefiles of the adapters share. Each of them names its COMMAND, and has the targets
#   setup    whatever it needs, in its own folder
#   test     its own tests
#   bench    its benchmark, where it has one
# `conform` below holds it against the conformance suite and leaves a report in REPORT; `exchange` sends it what the
# writers whose reports are named by EXCHANGE have written.
ROOT := $(patsubst %/,%,$(dir $(abspath $(dir $(lastword $(MAKEFILE_LIST))))))
LOGITPACK ?= $(ROOT)/.venv/bin/logitpack
PYTHON ?= python3
JOBS ?= 2
REPORT ?= build/report
# Further options of `logitpack conform`: --expect expectations.toml --allow-expected, say.
CONFORM ?=

EXCHANGE ?=
# Those of its roles in which it is sent files of others: reader, or reader,checker.
ROLES ?= reader

.PHONY: setup test bench conform exchange clean
.DEFAULT_GOAL := conform

conform: setup
	$(LOGITPACK) conform --jobs $(JOBS) --report $(REPORT) --keep-written $(CONFORM) -- $(COMMAND)

# Status 6: such a run leaves the fixtures out, and has no verdict.
exchange: setup
	$(LOGITPACK) conform --jobs $(JOBS) --report $(REPORT) --case 'write/*' --roles $(ROLES) $(EXCHANGE:%=--exchange %) -- $(COMMAND) || [ $$? -eq 6 ]
