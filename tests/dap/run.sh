#!/bin/bash
# Tests of `comet-vm dap` by a client of its own, over standard input and output and over a port. BUILD names the
# build folder.
set -u
cd "$(dirname "$0")/../.." || exit 1
exec "${BUILD:-build}/comet-vm" test tests/dap/session.scm tests/dap/hostile.scm tests/dap/port.scm </dev/null
