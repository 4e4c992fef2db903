#!/bin/bash
# What the debugger costs while a program runs, and how fast it goes back: debugger.sh [ROUNDS]. BUILD names the build
# folder.
set -u
cd "$(dirname "$0")/../.." || exit 1
ROUNDS=${1:-3} "${BUILD:-build}/comet-vm" <<<'(load "tests/bench/debugger.scm")'
