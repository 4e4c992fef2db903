#!/bin/bash
# comet-vm disasm, objdump, nm, size, strip and ar: the session of asm/README.md, and what goes wrong.
# BUILD names the build folder.
set -u
cd "$(dirname "$0")/../.." || exit 1
COMET=$(realpath "${BUILD:-build}/comet-vm")
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
. tests/harness.sh

comet-vm() { timeout 20 "$COMET" "$@" </dev/null; }

# ---- the README ------------------------------------------------------------------------------------------

# The n-th listing of the page on binary tools.
listing() {
  awk -v wanted="$1" '/^## / { inside = /^## Binary tools/ } inside && /^```/ { listing = !listing; n += listing; next }
                      inside && listing && n == wanted' asm/README.md
}
listing 1 >"$WORK/main.s"
listing 2 >"$WORK/cube.s"
listing 3 >"$WORK/session"
cd "$WORK" || exit 1
shown=$(while IFS= read -r line; do
          case $line in '$ '*) echo "$line"; eval "${line#\$ }" 2>&1 ;; esac
        done <session)
if difference=$(diff session - <<<"$shown"); then ok "the README's session is what appears"
else not_ok "the README's session is what appears" "$difference"; fi

# ---- options ---------------------------------------------------------------------------------------------

printf '%s\n' '.weak w, x' '.global f' 'w: jump g' 'f: jump x' '.Lq: jump .Lq' '1: jump 1b' 'h = 5' \
  '.equ i, (+ 1 (address "h2"))' '.section .r "r"' 'h2: .byte 1' .bss 'z: .zero 9' >names.s
comet-vm asm -c names.s
check "nm tells kinds apart" "0000000000000002 T f
                 U g
0000000000000005 a h
0000000000000000 r h2
                 i i = h2+1
0000000000000000 W w
                 w x
0000000000000000 b z" "$(comet-vm nm names.o)"
check "nm -gu: what others must define" "                 U g
                 w x" "$(comet-vm nm -gu names.o)"
check "nm -n sorts by value" "g i x h2 w z f h" \
  "$(comet-vm nm -n names.o | sed 's/^[^A-Za-z]*[0-9a-f]* *[A-Za-z] //; s/ .*//' | xargs)"
check "numeric labels are shown as in the source" "jump 1b" \
  "$(comet-vm disasm names.o | sed -n 's/.*\(jump 1.*\)/\1/p')"
check "one option of objdump, one table" \
  $'names.o: object\n\nsections: address, bytes in the file, bytes in memory, protection, name' \
  "$(comet-vm objdump -h names.o | head -n 3)"
check "tables that the letters together name" "2" "$(comet-vm objdump -hr names.o | grep -c '^[sr]e')"

printf '_start: imm r1, n\n .ascii greeting, (string-append greeting "!")\n' >defined.s
comet-vm asm -Dn=7 -D greeting=hi defined.s -o spaced.img; comet-vm asm -D n=7 -Dgreeting=hi -odense.img defined.s
check "-D gives a string to .ascii, which takes forms" "hihi!" "$(tail -c +1 spaced.img | grep -ao 'hihi!' | head -n 1)"
same "an option's value may stand behind its letter at once" spaced.img dense.img
contains "help shows long options whole" "--warnings-as-errors  a warning" "$(comet-vm asm --help)"

# ---- strip -----------------------------------------------------------------------------------------------

comet-vm strip -o bare.o names.o
check "strip keeps what others see" "f g w x" "$(comet-vm nm bare.o | sed 's/^.\{19\}//' | xargs)"
printf '.global g, x\n_start: g: x: nop\n' >others.s
comet-vm asm -c others.s
comet-vm link names.o others.o -o whole.img; comet-vm link bare.o others.o -o bare.img
comet-vm strip whole.img bare.img
promise="what is stripped links to the same"
if cmp whole.img bare.img; then ok "$promise"; else not_ok "$promise" ""; fi
before=$(cat names.o | cksum)
comet-vm strip -o bare.o names.o
check "-o leaves the file alone" "$before" "$(cat names.o | cksum)"
comet-vm ar r both.a names.o others.o
comet-vm strip both.a
comet-vm ar x both.a names.o
promise="strip strips the members of an archive"
if cmp names.o bare.o; then ok "$promise"; else not_ok "$promise" ""; fi

# ---- ar --------------------------------------------------------------------------------------------------

check "ar d takes a member out" "others.o" "$(comet-vm ar d both.a names.o; comet-vm ar t both.a)"
check "ar r puts it at the end, v says so" $'r - names.o\nothers.o\nnames.o' \
  "$(comet-vm ar rv both.a names.o; comet-vm ar t both.a)"
check "ar x writes a file, or all" $'x - others.o\nx - names.o' "$(comet-vm ar -xv both.a)"
check "ar d says what it did" "d - names.o" "$(comet-vm ar dv both.a names.o)"
check "ar p prints" "$(cksum <others.o)" "$(comet-vm ar p both.a others.o | cksum)"
if type ar >/dev/null 2>&1; then
  check "the system's ar lists it" "others.o" "$(ar t both.a)"
  ar rc system.a names.o others.o 2>/dev/null
  check "and is read" $'names.o\nothers.o' "$(comet-vm ar t system.a)"
fi
comet-vm ar rcs one.a names.o others.o; comet-vm ar rcs two.a names.o others.o
promise="the same members are the same bytes"
if cmp one.a two.a; then ok "$promise"; else not_ok "$promise" ""; fi

# ---- the runner links what it runs -------------------------------------------------------------------------

runner() { timeout 20 "$COMET-no-scheme" "$@" </dev/null; }
printf '.global _start\n_start: imm r2, value\n hcall r1, exit\n' >program.s
printf '.global value\nvalue = 42\n' >value.s
comet-vm asm -c program.s; comet-vm asm -c value.s
comet-vm ar rcs values.a value.o
check "the runner runs an object with others" 42 "$(runner --with value.o program.o; echo $?)"
check "and with an archive" 42 "$(runner --with values.a program.o; echo $?)"
check "what is missing is told with its place: status 65" \
  $'comet-vm-no-scheme: program.s:2:17: no object defines the label "value" (in program.o, section ".text")\n65' \
  "$(runner program.o 2>&1; echo $?)"
check "--with is for objects: status 64" 64 "$(runner --with value.o whole.img 2>errors; echo $?)"
check "and says so" "comet-vm-no-scheme: whole.img: is no object; --with links objects and archives" "$(cat errors)"
check "a file that is no object is refused: status 65" 65 "$(runner --with program.s program.o 2>errors; echo $?)"
check "with its name" "comet-vm-no-scheme: program.s: this is neither an object nor an archive; comet-vm asm -c makes objects of sources" \
  "$(cat errors)"

# ---- disasm --source -------------------------------------------------------------------------------------

comet-vm disasm --source names.o >again.s
comet-vm asm -c again.s
comet-vm link again.o others.o -o again.img; comet-vm link names.o others.o -o whole.img
comet-vm strip again.img whole.img
promise="disasm --source of an object is a source that links to the same"
if cmp again.img whole.img; then ok "$promise"; else not_ok "$promise" "$(cat again.s)"; fi

# ---- other formats, and files that are damaged among others ------------------------------------------------

printf '.global _start\n_start: imm r1, 5\n halt\n' >five.s
comet-vm asm five.s
comet-vm image five.img --to hex; comet-vm image five.img --to srec
check "size of a program in Intel HEX and in S-records" $'0 4 0 4 4 five.hex\n0 4 0 4 4 five.srec' \
  "$(comet-vm size five.hex five.srec | tail -n 2 | sed 's/  */ /g; s/^ //')"
check "objdump of S-records" "0x00010000 4 4 rwx memory" \
  "$(comet-vm objdump -h five.srec | sed -n 's/  */ /g; s/^ \(0x.*\)/\1/p')"
check "disasm of Intel HEX" "imm r1, 5" "$(comet-vm disasm five.hex | sed -n 's/.*\(imm.*\)/\1/p')"

printf '\x89CMO\r\n\x1a\nrubbish' >broken.o
check "nm goes on behind a damaged file" "0000000000010000 T _start, 65" \
  "$(comet-vm nm broken.o five.img none.o 2>/dev/null | tail -n 1), $(comet-vm nm broken.o five.img none.o >out 2>&1; echo $?)"
check "and tells of each" "2" "$(grep -c 'broken.o: error\|none.o: there is no such file' out)"
check "size goes on, too" "five.img, 66" \
  "$(comet-vm size none.o five.img 2>/dev/null | tail -n 1 | sed 's/.* //'), $(comet-vm size none.o five.img >out 2>&1; echo $?)"

cp names.s plain.txt
comet-vm ar r mixed.a names.o broken.o plain.txt five.img
for tool in nm size objdump disasm; do
  contains "$tool goes on behind a damaged member" "mixed.a(five.img)" "$(comet-vm $tool mixed.a 2>/dev/null)"
  check "$tool tells of each such member" "65, mixed.a(broken.o) mixed.a(plain.txt)" \
    "$(comet-vm $tool mixed.a >/dev/null 2>err; echo $?), $(sed -n 's/: error:.*//p' err | tr '\n' ' ' | sed 's/ $//')"
done
check "size has one title" 1 "$(comet-vm size broken.o mixed.a five.img 2>/dev/null | grep -c filename)"
cp mixed.a same.a
check "strip leaves such an archive as it was" 65 "$(comet-vm strip same.a 2>/dev/null; echo $?)"
same "to the byte" mixed.a same.a

# ---- mistakes --------------------------------------------------------------------------------------------

# A promise, a status, what is said, and the command.
refused() {
  local promise=$1 status=$2 expected=$3; shift 3
  local said; said=$(comet-vm "$@" 2>&1 >/dev/null); local found=$?
  check "$promise: status" "$status" "$found"
  case $said in *"$expected"*) ok "$promise" ;; *) not_ok "$promise" "$said" ;; esac
}
mkdir folder
printf '!<arch>\nrubbish' >broken.a
printf '\x89CMO\r\n\x1a\nrubbish' >broken.o
printf '\x89CMT\r\n\x1a\nrubbish' >broken.img
cp names.s plain.o
comet-vm ar r broken-member.a broken.o plain.o one.a
for tool in nm size objdump strip disasm; do
  refused "$tool without a file" 64 "no file is named" $tool
  refused "$tool of a file that is not there" 66 "nothing.o: there is no such file" $tool nothing.o
  refused "$tool of a folder" 66 "folder: is a directory" $tool folder
  refused "$tool of a damaged archive" 65 "broken.a: error: not a valid archive: offset 8: " $tool broken.a
  refused "$tool of a damaged object" 65 "broken.o: error: not a valid object: offset 15: " $tool broken.o
  refused "$tool of a damaged image" 65 "broken.img: " $tool broken.img
  refused "$tool of a damaged member" 65 "broken-member.a(broken.o): error: not a valid object" $tool broken-member.a
done
refused "nm of a source" 65 "names.s: error: this is neither an image nor an object nor an archive" nm names.s
comet-vm ar r nested.a one.a
refused "an archive in an archive" 65 "nested.a(one.a): error: an archive in an archive is looked into by nobody" \
  nm nested.a
refused "ar without an operation" 64 "one of r, t, x, d and p says what is done" ar lib.a
refused "ar with two" 64 "one of r, t, x, d and p says what is done" ar rd lib.a
refused "ar without an archive" 64 "no archive is named" ar t
refused "ar d without a member" 64 "no member is named" ar d lib.a
refused "ar of a member that is not there" 66 'lib.a: there is no member `cuba.o` (did you mean `cube.o`?)' \
  ar p lib.a cuba.o
refused "ar of a damaged archive" 65 "broken.a: error: not a valid archive: offset 8: " ar t broken.a
refused "ar of a file that is not there" 66 "none.o: there is no such file" ar r lib.a none.o
refused "disasm --source of an archive" 64 "--source takes one program or object; \`comet-vm ar x lib.a\` takes out the members" \
  disasm --source lib.a
refused "strip -o of two files" 64 '-o takes one file at a time; `b.o` is too much' strip -o x a.o b.o
refused "strip into a folder that is not there" 71 "no/x cannot be written: there is no such directory" \
  strip -o no/x names.o
refused "an unknown letter among others" 64 "there is no option -gx" nm -gx names.o
name=$(printf 'new\nline')
cp names.o "$name"
refused "ar of a file whose name has a control character" 64 '"new\nline" cannot be the name of a member' \
  ar r lib.a "$name"

finish
