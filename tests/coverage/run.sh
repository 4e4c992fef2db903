#!/bin/bash
# What of the core its tests reach: runs its suites on a library that counts lines and branches (make COVERAGE=1), and
# has two reports made of what gcov says: errors.awk and branches.awk. BUILD names the build folder.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${BUILD:-build} # below the project
coverage=$build/coverage
mkdir -p "$build/check"

# The suites that are told from each other by what they hold; their output only where one fails.
count() { # WHAT COMMAND...
  local what=$1
  shift
  "$@" >"$coverage/$what.log" 2>&1 && return
  tail -n 20 "$coverage/$what.log"
  echo "not ok - $what fails on the library that counts"
  exit 1
}
find "$coverage/obj" -name '*.gcda' -delete
count core "$coverage/tests/core" --report_level=no
count conformance "$coverage/tests/conformance" "$build/tests/cases" "$coverage/cases.md" 7

work=$coverage/gcov
rm -rf "$work" && mkdir -p "$work"
ln -s "$PWD/vm-ext" "$work/vm-ext" # gcov writes where it stands, and reads the sources from there
counted=$(find "$PWD/$coverage/obj/vm-ext" -name '*.gcda')
# shellcheck disable=SC2086
(cd "$work" && gcov -p $counted >/dev/null 2>&1 && gcov --branch-probabilities --json-format --stdout $counted >branches.json 2>/dev/null)

status=0 reports=tests/coverage
errors=$(awk -v table="$build/check/errors-reached.md" -f $reports/errors.awk "$work"/vm-ext#*.cpp.gcov) || status=1
branches=$(awk -v table="$build/check/branches.md" -v least=95 -v most=9 -f $reports/branches.awk "$work/branches.json") || status=1
printf '%s\n' "$errors" "$branches" | grep -v ' passed, '
printf '%s\n' "$errors" "$branches" | awk '/ passed, / { passed += $1; failed += $3 } END { print passed " passed, " failed " failed" }'
exit $status
