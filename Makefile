# Comet VM. `make help` lists what there is to make.

.DEFAULT_GOAL := all
BUILD := build
CXX ?= g++
ifeq ($(origin CXX),default)
CXX := g++
endif

include vm-ext/build.mk
include repl/build.mk
-include vm-ext/install.mk
-include tests/build.mk

.PHONY: all
all: lib no-scheme scheme
