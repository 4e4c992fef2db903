#!/bin/bash
# What pages of the documentation show, done as it stands there:
#     pages.sh
# BUILD names the build folder. Everything happens in a folder that looks like the top of the project, so that the
# files which the pages' commands make are nowhere else.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
build=$(realpath "${BUILD:-$root/build}")
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
ln -s "$root"/*/ "$root"/*.md "$WORK"
rm -f "$WORK/build"
ln -s "$build" "$WORK/build"
cd "$WORK" || exit 1
COMET=build/comet-vm
export COMET_HISTORY= COMET_CONFIG=
unset COMET_PATH
passed=0 failed=0

ok() { passed=$((passed + 1)); echo "ok - $1"; }
not_ok() { failed=$((failed + 1)); echo "not ok - $1"; [ $# -lt 2 ] || sed 's/^/    /' <<<"$2"; }
check() { if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "$(diff <(echo "$2") <(echo "$3"))"; fi; }
contains() { if grep -qF -- "$2" <<<"$3"; then ok "$1"; else not_ok "$1" "not found: $2"$'\n'"in: $3"; fi; }

# listing PAGE N: its N-th block between ``` and ```.
listing() { awk -v wanted="$2" '/^```/ { if (!inside) number++; inside = !inside; next } inside && number == wanted' "$1"; }
# commands PAGE N: its N-th stretch of indented lines outside of those.
commands() {
  awk -v wanted="$2" '/^```/ { inside = !inside } inside { next }
    /^    / { if (!indented) number++; indented = 1; if (number == wanted) print substr($0, 5); next }
    { indented = 0 }' "$1"
}
# passage PAGE TITLE: the indented lines of the paragraphs that **TITLE begins.
passage() { awk -v title="**$2" 'index($0, title) == 1 { inside = 1; next } /^\*\*/ { inside = 0 } inside' "$1" | sed -n 's/^    //p'; }
# session WHAT TEXT: begins with `$ command`; what stands behind the prompts is typed, and the rest has to appear.
session() {
  local command
  command=$(sed -n '1s/^\$ //p' <<<"$2")
  check "$1" "$(tail -n +2 <<<"$2" | grep -v '^comet[^>]*> ')" \
    "$(sed -n 's/^comet[^>]*> //p' <<<"$2" | timeout 20 bash -c "$command" 2>&1)"
}

for page in README.md asm/README.md examples/words/README.md; do
  [ -e "$page" ] || not_ok "the page $page is there"
done

# ---- README.md -----------------------------------------------------------------------------------------

session "the README's session" "$(listing README.md 1 | sed "1s,make repl,$COMET,")"
timeout 20 "$COMET" <<<"$(passage README.md "Look inside")" >out
check "the README's tour of the prompt works" 0 $?
contains "and stops where it says" "breakpoint 1 at place" "$(cat out)"
passage README.md "Program the machine" >macro.s
check "the README's source assembles" "" "$("$COMET" asm macro.s 2>&1)"

# ---- debugger/README.md --------------------------------------------------------------------------------

check "the debugger's first listing" $'breakpoint\n25' "$(listing debugger/README.md 1 | "$COMET" | tail -n 2)"

# ---- examples/words ------------------------------------------------------------------------------------

page=examples/words/README.md
bash -ec "$(commands $page 1)" >out 2>err
check "words: three sources and an archive become a program" "" "$(cat err)"
check "words: which counts as the platform's tools do" \
  "$(LC_ALL=C tr -cs A-Za-z '\n' <README.md | LC_ALL=C tr A-Z a-z | grep . | LC_ALL=C sort | uniq -c | LC_ALL=C sort -k1,1nr -k2)" \
  "$(cat out)"
contains "words: the map tells what brought the archive's members in" "libtext.a(input.o)" "$(cat words.map)"
for text in "" "one" "A a a. b'B" "$(printf '%04097d x %070d' 0 0 | tr 0 q)"; do
  check "words: an input of ${#text} bytes" \
    "$(LC_ALL=C tr -cs A-Za-z '\n' <<<"$text" | LC_ALL=C tr A-Z a-z | cut -c1-64 | grep . | LC_ALL=C sort | uniq -c | LC_ALL=C sort -k1,1nr -k2)" \
    "$(build/comet-vm-no-scheme words.img <<<"$text")"
done
bash -ec "$(commands $page 2)" >out
session "words: the debugger shows lines through sources, archive and macros" "$(listing $page 1)"

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
