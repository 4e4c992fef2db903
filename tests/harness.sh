# What tests in shell share, to be sourced at the top of the project: a line for each promise, and the counts that
# run-suites.sh reads.
#     . tests/harness.sh
#     check "two and two" 4 $((2 + 2))
#     finish
# shellcheck shell=bash
passed=0 failed=0

# not_ok PROMISE [WHY]
ok() { passed=$((passed + 1)); echo "ok - $1"; }
not_ok() { failed=$((failed + 1)); echo "not ok - $1"; [ $# -lt 2 ] || sed 's/^/    /' <<<"$2"; }
# check PROMISE EXPECTED FOUND. Of several lines, those that differ are shown.
check() {
  if [ "$2" = "$3" ]; then ok "$1"
  elif [[ $2 = *$'\n'* && $3 = *$'\n'* ]]; then not_ok "$1" "$(diff <(echo "$2") <(echo "$3"))"
  else not_ok "$1" "expected: $2"$'\n'"found:    $3"; fi
}
# contains PROMISE TEXT FOUND
contains() { if grep -qF -- "$2" <<<"$3"; then ok "$1"; else not_ok "$1" "not found: $2"$'\n'"in: $3"; fi; }
# same PROMISE FILE FILE
same() { if cmp -s "$2" "$3"; then ok "$1"; else not_ok "$1" "$2 and $3 differ"; fi; }

finish() {
  echo "$passed passed, $failed failed"
  [ "$failed" = 0 ]
}
