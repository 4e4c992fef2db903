#!/bin/bash
# Whether the tests that SECURITY.md names for its promises are there: each `FILE` or `FILE: NAME` between backquotes,
# and whether each promise names one, and each fuzz target is named.
set -u
cd "$(dirname "$0")/.." || exit 1
passed=0 failed=0
holds() { # WHAT COMMAND...
  local what=$1
  shift
  if "$@"; then passed=$((passed + 1)); else failed=$((failed + 1)) && echo "not ok - $what"; fi
}

while IFS= read -r reference; do
  file=${reference%%: *}
  holds "SECURITY.md names $file" test -s "$file"
  [ "$file" = "$reference" ] || holds "$file has the test ${reference#*: }" grep -qF -e "${reference#*: }" "$file"
done < <(tr '\n' ' ' <SECURITY.md | tr -s ' ' | grep -o '`tests/[^`]*`' | tr -d '`' | grep -v '^tests/promises.sh$')

# A promise begins with its number, and ends where the next one does or the list.
while IFS= read -r promise; do
  holds "promise without a test: ${promise:0:60}" grep -q '`tests/' <<<"$promise"
done < <(awk '/^[0-9]+\. / { if (text) print text; text = "" } /^$/ { if (text) print text; text = "" }
  /^[0-9]+\. / || text { text = text $0 }' SECURITY.md)

for target in tests/fuzz/*_fuzz.cpp tests/fuzz/lockstep.cpp tests/fuzz/turns.cpp; do
  holds "SECURITY.md says what $target holds" grep -q "\`$target\`" SECURITY.md
done

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
