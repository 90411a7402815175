# What the Makefiles of the adapters share. Each of them names its COMMAND, and has the targets
#   setup    whatever it needs, in its own folder
#   test     its own tests
#   bench    its benchmark, where it has one
# `conform` below holds it against the conformance suite and leaves a report in REPORT.
ROOT := $(patsubst %/,%,$(dir $(abspath $(dir $(lastword $(MAKEFILE_LIST))))))
LOGITPACK ?= $(ROOT)/.venv/bin/logitpack
PYTHON ?= python3
JOBS ?= 2
REPORT ?= build/report
# Further options of `logitpack conform`: --expect expectations.toml --allow-expected, say.
CONFORM ?=

.PHONY: setup test bench conform clean
.DEFAULT_GOAL := conform

conform: setup
	$(LOGITPACK) conform --jobs $(JOBS) --report $(REPORT) $(CONFORM) -- $(COMMAND)
