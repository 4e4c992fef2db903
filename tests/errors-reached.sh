#!/bin/bash
# Whether the tests reach every place of the core that reports an error or traps: runs them on a library
# that counts its lines, and writes the table build/check/errors-reached.md. BUILD names the build folder.
set -u
cd "$(dirname "$0")/.." || exit 1
build=${BUILD:-build} # below the project
coverage=$build/coverage
table=$build/check/errors-reached.md
mkdir -p "$build/check"

find "$coverage/obj" -name '*.gcda' -delete
"$coverage/tests/core" --report_level=no >/dev/null 2>&1 || { echo "not ok - the core's tests fail on $coverage"; exit 1; }
"$coverage/tests/conformance" "$build/tests/cases" "$coverage/cases.md" 10 >/dev/null || { echo "not ok - conformance fails on $coverage"; exit 1; }

work=$coverage/gcov
rm -rf "$work" && mkdir -p "$work"
ln -s "$PWD/vm-ext" "$work/vm-ext" # gcov writes where it stands, and reads the sources from there
counted=$(find "$PWD/$coverage/obj/vm-ext" -name '*.gcda')
# shellcheck disable=SC2086
(cd "$work" && gcov -p $counted >/dev/null 2>&1)

# Where the line before says `beyond tests: WHY`, no test is asked for.
# A .gcov line is `count: line: text`; ##### and ===== mean never, - no code.
awk -v table="$table" '
  function name(file) { sub(/.*vm-ext#/, "vm-ext/", file); gsub(/#/, "/", file); sub(/\.gcov$/, "", file); return file }
  {
    split($0, part, ":")
    count = part[1]; gsub(/[ *]/, "", count)
    line = part[2]; gsub(/ /, "", line)
    beyond = (last ~ /beyond tests:/); last = $0
    text = substr($0, length(part[1]) + length(part[2]) + 3)
    if (text !~ /(^|[^a-z_])(fail|refuse|trap|trap_access|fail_group)\(/ || text ~ /noreturn|void |#define|^ *\/\//) next
    if (count == "-" || beyond) next
    sub(/^ +/, "", text); gsub(/\|/, "\\|", text)
    key = name(FILENAME) ":" line
    reached = (count ~ /^[0-9]/)
    if (!(key in seen)) { order[++n] = key; seen[key] = 0; shown[key] = substr(text, 1, 90) }
    if (reached && count + 0 > seen[key]) seen[key] = count + 0
  }
  END {
    print "| place | times | what |\n|---|---:|---|" >table
    for (i = 1; i <= n; ++i) {
      key = order[i]
      print "| " key " | " seen[key] " | `" shown[key] "` |" >table
      if (seen[key] > 0) passed++
      else { failed++; print "not ok - no test reaches " key ": " shown[key] }
    }
    print passed + 0 " passed, " failed + 0 " failed"
    exit failed > 0
  }' "$work"/vm-ext#*.cpp.gcov
