#!/bin/bash
# Whether a test asks for every text of an error that the Scheme libraries and the runner hold: finds the calls
# that report one, and looks in the tests' files for a part of each literal text in them. Writes the table
# build/check/error-texts.md. BUILD names the build folder. A line that says `beyond tests: WHY`
# before a call excuses it.
set -u
cd "$(dirname "$0")/.." || exit 1
table=${BUILD:-build}/check/error-texts.md
mkdir -p "$(dirname "$table")"

tests=$(find tests examples -type f ! -name '*.awk' ! -name "$(basename "$0")" ! -path 'tests/vm-ext/*' ! -path 'tests/bench/*' | sort)
sources=$(find asm debugger repl scheme-lib -name '*.scm' | sort; find vm-ext/runner -name '*.cpp' | sort)
# shellcheck disable=SC2086
exec awk -v table="$table" -f tests/error-texts.awk $tests -- $sources
