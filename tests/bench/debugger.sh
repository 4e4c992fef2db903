#!/bin/bash
# What the debugger costs while a program runs, and how fast it goes back: debugger.sh [ROUNDS]. BUILD names the build
# folder.
set -u
cd "$(dirname "$0")/../.." || exit 1
COMET_ROOT=$PWD COMET_BUILD=${BUILD:-build} COMET_LOAD=compiled ROUNDS=${1:-3} \
  gsi -:dar1-,f8 -e "(load \"${BUILD:-build}/scheme/scheme-lib/boot.o1\")" tests/bench/debugger.scm </dev/null
