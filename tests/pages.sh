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
export COMET_HISTORY= COMET_CONFIG= PATH=$WORK/build:$PATH
unset COMET_PATH
. "$root/tests/harness.sh"

# listing PAGE TEXT: the first of its blocks between ``` and ``` that has TEXT in it.
listing() {
  awk -v wanted="$2" '/^```/ { inside = !inside; if (!inside && index(text, wanted)) { printf "%s", text; exit } text = ""; next }
    inside { text = text $0 "\n" }' "$1"
}
# commands PAGE TEXT: the same for its indented lines outside of those.
commands() {
  awk -v wanted="$2" '/^```/ { inside = !inside } inside { next }
    /^    / { text = text substr($0, 5) "\n"; next }
    { if (index(text, wanted)) { printf "%s", text; exit } text = "" }' "$1"
}
# passage PAGE TITLE: the indented lines of the paragraphs that **TITLE begins.
passage() { awk -v title="**$2" 'index($0, title) == 1 { inside = 1; next } /^\*\*/ { inside = 0 } inside' "$1" | sed -n 's/^    //p'; }
# shell WHAT TEXT: lines that begin with `$ ` are commands, and the rest has to appear.
shell() {
  check "$1" "$(grep -v '^\$ ' <<<"$2")" "$(sed -n 's/^\$ //p' <<<"$2" | timeout 20 bash 2>&1)"
}
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

session "the README's session" "$(listing README.md 'make repl' | sed "1s,make repl,$COMET,")"
timeout 20 "$COMET" <<<"$(passage README.md "Look inside")" >out
check "the README's tour of the prompt works" 0 $?
contains "and stops where it says" "breakpoint 1 at place" "$(cat out)"
passage README.md "Program the machine" >macro.s
check "the README's source assembles" "" "$("$COMET" asm macro.s 2>&1)"

# ---- debugger/README.md --------------------------------------------------------------------------------

check "the debugger's first listing" $'breakpoint\n25' "$(listing debugger/README.md "$(awk '/^```/ { getline; print; exit }' debugger/README.md)" | "$COMET" | tail -n 2)"

# ---- examples/words ------------------------------------------------------------------------------------

page=examples/words/README.md
bash -ec "$(commands $page 'comet-vm link')" >out 2>err
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
bash -ec "$(commands $page words.rec)" >out
session "words: the debugger shows lines through sources, archive and macros" "$(listing $page words.rec)"

# ---- asm/README.md -------------------------------------------------------------------------------------

page=asm/README.md
# typed TEXT: what the prompt says to these lines.
typed() { timeout 20 "$COMET" <<<"$1" 2>&1; }
without_errors() { if grep -qE '(^| )error: ' <<<"$2"; then not_ok "$1" "$2"; else ok "$1"; fi; }

listing $page '(exit-with 0)' >hello.s
check "asm: the first program" hello "$("$COMET" run hello.s)"
said=$(typed "(define machine (make-machine))"$'\n'"$(listing $page '(program-write-image p')")
without_errors "asm: from Scheme" "$said"
contains "asm: the bytes of one instruction" '#u8(51 1 2 3)' "$said"
check "asm: the image written there runs" hello "$(build/comet-vm-no-scheme hello.img)"
printf '.assert (= size 64)\nnop\n' >a.s
without_errors "asm: definitions from Scheme" "$(typed "(use asm/settings)"$'\n'"$(listing $page 'parameterize ((asm-definitions')")"

listing $page '(count-down r1)' >life.s
check "asm: an error in a macro, with its place and a near name" "$(listing $page 'life.s:5:17')" "$("$COMET" asm life.s 2>&1)"

{ listing $page '(repeat 3 (list'; echo "        halt"; } >repeat.s
contains "asm: local labels" "halted with exit status 0" "$("$COMET" debug repeat.s <<<continue)"

# Lines 5 to 8 of a source; a listing shows the text of lines from column 45 on.
listed=$(listing $page '(define (step r)')
{ printf '\n\n\n\n'; grep -v '^ *+' <<<"$listed" | cut -c45-; } >t.s
check "asm: a listing" "$listed" "$("$COMET" asm -l t.s | sed -n 5,9p)"

listing $page '(define-instruction (element' >element.s
check "asm: an instruction of one's own" $'30\n30' \
  "$(printf 'continue\nprint r5\nprint r8\n' | "$COMET" debug element.s | sed -n 's/^[^ ]* *= *\([0-9]*\).*/\1/p;s/^\([0-9][0-9]*\) .*/\1/p;s/^\([0-9][0-9]*\)$/\1/p' | tail -2)"
error=$(listing $page 't.s:6:1: error')
{ sed 5q element.s | sed '$d' ; sed -n 5p element.s; sed -n 2p <<<"$error" | cut -c5-; } >t.s
check "asm: what its operands must be" "$error" "$("$COMET" asm t.s 2>&1)"

# Back to a source, from the image of that source.
source=$(listing $page 'L_00010003:')
echo "$source" >back.s
"$COMET" asm back.s -o back.img
for line in '_start:' 'L_00010003:' "$(grep bnei <<<"$source")" "$(grep byte <<<"$source")"; do
  contains "asm: disasm --source gives ${line#"${line%%[![:space:]]*}"}" "$line" "$("$COMET" disasm --source back.img)"
done

# Two sources side by side.
listing $page '; greet.s' | cut -c1-40 >main.s
listing $page '; greet.s' | cut -c41- >greet.s
map=$(bash -ec "$(commands $page 'comet-vm link main.o greet.o')" 2>&1)
contains "asm: the commands that link" "greet.o" "$map"
check "asm: what was linked" world "$(build/comet-vm-no-scheme hello.img)"
sed -i 's/greet/gret/; /call/p' main.s
check "asm: an undefined label, with its places" "$(listing $page 'is not defined in any object')" \
  "$("$COMET" asm -c main.s 2>&1; "$COMET" link main.o greet.o 2>&1)"
printf '.global f\nf: ret\n' >f.s
printf '.global _start\n_start: call r1, f\nhalt\n' >main.s
"$COMET" asm -c f.s && "$COMET" ar rc lib.a f.o
said=$(typed "(use asm/link)(use asm/link-map)(use asm/object)(use asm/object-format)(use asm/archive)"$'\n'"$(listing $page '(define l (link')")
without_errors "asm: linking from Scheme" "$said"
contains "asm: whose map tells of the archive" "lib.a(f.o)" "$said"
{ echo 'name: .ascii "four"'; echo 'end:'; echo 'table:'; commands $page "delay-address (-"; } >scheme.s
"$COMET" asm -c scheme.s && "$COMET" link scheme.o -o scheme.img
check "asm: what Scheme leaves to the linker" "$("$COMET" asm scheme.s -o whole.img; od -An -tx1 whole.img | head -20)" \
  "$(od -An -tx1 scheme.img | head -20)"

# Behind `asm`, lines are typed up to `end`.
listing $page 'asm 0x10100' >live
awk -v typed=typed -v shown=shown '
  sub(/^comet> /, "") { print >typed; block = /^asm/; next }
  block { print >typed; if ($0 == "end") block = 0; next }
  { print >shown }' live
check "asm: into a machine that is there" "$(cat shown)" "$(timeout 20 "$COMET" <typed 2>&1)"

# One machine, with code that the page's own instruction fits into.
{ echo "(use asm/assembler)"
  echo "(define m (make-machine))"
  echo "(load-source! m \"one.s\")"
  listing $page '(define-instruction (element' | sed '/^$/,$d'
  listing $page "(machine-redefine! m 'mul 'counted)" | sed 's/…/(set! called (+ called 1))/; 1i (define called 0)'
  echo "(machine-run! m)"
  echo "(list 'calls called 'r5 (machine-register m 'r5) 'r60 (machine-register m 'r60))"
} >one
cat >one.s <<'EOF'
_start: imm     r6, table
        imm     r7, 2
loop:   nop
        nop
        nop
        nop
        nop
        mul     r5, r5, r7
        mul     r5, r5, r7
        halt
        .data
table:  .quad   10, 20, 30
EOF
contains "asm: instructions of one machine" "(calls 2 r5 120 r60 2)" "$(typed "$(cat one)")"

session "WebAssembly: a C program is debugged backward" "$(listing scheme-lib/loaders/wasm/README.md 'debug examples/json.wasm')"

# The two sources of the binary tools' page, then their session.
rm lib.a
listing $page 'r10, cube' >main.s
listing $page '; cube.s' >cube.s
shell "asm: the binary tools" "$(listing $page 'comet-vm nm main.o cube.o')"

finish
