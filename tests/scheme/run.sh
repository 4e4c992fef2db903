#!/bin/bash
# The tests of the Scheme libraries in the three ways to use them: sources in plain gsi, compiled libraries
# in plain gsi, and all linked into comet-vm. BUILD names the build folder. The last line adds up.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root" || exit 1
build=${BUILD:-build}
export COMET_ROOT=$root COMET_BUILD=$build
unset COMET_PATH
passed=0 failed=0

# Adds the counts of the last "N passed, N failed"; output without one is a failure of its own.
add() {
  local way=$1 output=$2 counts
  counts=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' <<<"$output" | tail -n 1)
  if [ -z "$counts" ]; then
    echo "FAILED $way: no result"
    echo "$output"
    failed=$((failed + 1))
    return
  fi
  grep -vE '^[0-9]+ passed, [0-9]+ failed$' <<<"$output"
  echo "$way: $counts"
  passed=$((passed + ${counts%% *}))
  counts=${counts#*, }
  failed=$((failed + ${counts%% *}))
}

in_gsi() {
  local way=$1 boot=$2 files='' file
  for file in tests/scheme/*.scm; do files+="(test-file \"$file\")"; done
  add "$way" "$(COMET_LOAD=$way timeout 120 gsi -:dar1-,f8 -e "(load \"$boot\")" -e '(use scheme-lib/test)' \
    -e "(begin $files (test-finish))" </dev/null 2>&1)"
}

in_gsi source scheme-lib/boot.scm
in_gsi compiled "$build/scheme/scheme-lib/boot.o1"
add executable "$(timeout 120 "$build/comet-vm" test tests/scheme/*.scm </dev/null 2>&1)"

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
