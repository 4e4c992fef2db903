# Comet VM. `make help` lists what there is to make.

.DEFAULT_GOAL := all
BUILD := build
ifeq ($(origin CXX),default)
CXX := g++
endif

# Goals that need neither Gambit nor Boost, nor look for them.
PLAIN_GOALS := lib no-scheme manual help deps clean format repl check all install uninstall

include vm-ext/build.mk
ifneq ($(filter-out $(PLAIN_GOALS),$(or $(MAKECMDGOALS),all)),)
include repl/build.mk
include tests/build.mk
endif
include vm-ext/install.mk

# What each goal needs of Debian's packages.
PACKAGES_LIB := g++ libxxhash-dev
PACKAGES_ALL := $(PACKAGES_LIB) gambc
PACKAGES_CHECK := $(PACKAGES_ALL) libboost-test-dev pkg-config tmux

# Packages first, then a make that sees them, on all processors unless the user said on how many.
MAKE_AGAIN = $(MAKE) --no-print-directory $(if $(filter -j%,$(MAKEFLAGS)),,-j$$(nproc))

.PHONY: all repl check deps format clean help

all:
	@repl/packages.sh $(PACKAGES_ALL)
	+@begin=$$(date +%s); $(MAKE_AGAIN) lib no-scheme scheme && echo "built in $$(($$(date +%s) - begin)) s"

repl:
	@repl/packages.sh $(PACKAGES_ALL)
	+@$(MAKE_AGAIN) $(BUILD)/comet-vm
	@$(BUILD)/comet-vm

check:
	@repl/packages.sh $(PACKAGES_CHECK)
	+@begin=$$(date +%s); $(MAKE_AGAIN) lib no-scheme scheme test-programs sanitized-programs coverage-programs && \
	  echo "built in $$(($$(date +%s) - begin)) s" && $(MAKE_AGAIN) test-suites

deps:
	@repl/packages.sh $(PACKAGES_CHECK) clang-14 clang-format

format:
	@clang-format -i $$(git ls-files '*.h' '*.cpp' '*.c')

clean:
	@rm -rf build

help:
	@echo 'make            everything: library, runner, comet-vm'
	@echo 'make repl       builds what is needed and starts the REPL'
	@echo 'make check      builds everything and runs the tests (about six minutes on two cores)'
	@echo 'make lib        libcomet-vm.a and libcomet-vm.so; needs no Gambit'
	@echo 'make no-scheme  the runner comet-vm-no-scheme; needs no Gambit'
	@echo 'make races      looks for races between threads of the host, with ThreadSanitizer'
	@echo 'make bench      speed, as ratios to what else the machine has'
	@echo 'make bench-leave-one-out'
	@echo '                speed without what was trained on programs near each of the bench'
	@echo 'make fused      chooses the fused handlers anew, from the programs of tests/training'
	@echo 'make coverage   what of the core its tests reach, by room: lines, branches, errors'
	@echo 'make fuzz       the fuzzers, each for so many seconds (TIME=60 SEED=1 TARGETS="image api")'
	@echo 'make fuzz-libfuzzer'
	@echo '                the same by libFuzzer, where clang is'
	@echo 'make install    to PREFIX=/usr/local, below DESTDIR'
	@echo 'make uninstall  takes it away again'
	@echo 'make deps       installs every package that a developer needs (Debian)'
	@echo 'make manual     writes the instruction list of vm-ext/isa/README.md'
	@echo 'make editors    writes the lists of instructions and directives of the files for Vim and Emacs'
	@echo 'make format     lays out the C and C++ sources'
	@echo 'make clean      removes build/'
	@echo 'With PORTABLE=1: page table and plain loop only. With SANITIZE=address,undefined: checked at run time.'
	@echo 'With HARDENED=1: lib and no-scheme with the guards of the compiler, in build/hardened; SECURITY.md says which.'
	@echo 'CXX=clang++-14 works too.'
