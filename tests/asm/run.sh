#!/bin/bash
# The assembler's tests and fuzzer in plain gsi, from the sources: run.sh [FILE.scm], run.scm unless named. BUILD
# names the build folder, where the machine's extension is.
cd "$(dirname "$0")/../.." || exit 1
COMET_LOAD=source COMET_BUILD=${BUILD:-build} exec gsi -:dar1-,f8,-8 -e '(load "scheme-lib/boot.scm")' "tests/asm/${1:-run.scm}"
