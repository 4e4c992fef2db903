#!/bin/bash
# Programs of other formats through comet-vm and, converted, in the runner. objcopy of binutils is the peer for memory
# contents; its comparisons are left out where there is none. BUILD names the build folder.
set -u
cd "$(dirname "$0")/../.." || exit 1
COMET=$(realpath "${BUILD:-build}/comet-vm")
RUNNER=$COMET-no-scheme
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
export COMET_HISTORY=$WORK/history COMET_CONFIG=
. tests/harness.sh

status_of() { timeout 20 "$@" >"$WORK/out" 2>"$WORK/err" </dev/null; echo $?; }

# A program without host calls, which memory contents are enough for: it traps with a number that says it ran.
cat >"$WORK/sum.s" <<'END'
_start: imm  r1, table
        imm  r3, 0
        imm  r2, 4
next:   ldu8 r4, r1
        add  r3, r3, r4
        addi r1, r1, 1
        addi r2, r2, -1
        bnei r2, 0, next
        bnei r3, 100, wrong
        trap 77
wrong:  trap 1
table:  .byte 10, 20, 30, 40
END

# ---- every format runs, and converted in the runner, too ---------------------------------------------

"$COMET" asm "$WORK/sum.s" -o "$WORK/sum.img"
"$COMET" asm -c "$WORK/sum.s" -o "$WORK/sum.o"
(cd "$WORK" && "$COMET" ar rcs sum.a sum.o)
check "image writes Intel HEX" 0 "$(status_of "$COMET" image --to hex "$WORK/sum.s")"
check "image writes S-records" 0 "$(status_of "$COMET" image --to srec "$WORK/sum.s")"
check "image writes raw bytes" 0 "$(status_of "$COMET" image --to raw "$WORK/sum.s")"
check "run writes a core" 132 "$(status_of "$COMET" run --quiet --core "$WORK/sum.core" "$WORK/sum.s")"
for kind in s img o a hex srec core; do
  check "a .$kind runs" "132 yes" "$(status_of "$COMET" run "$WORK/sum.$kind") $(grep -q 'trap.*77' "$WORK/err" && echo yes)"
  check "a .$kind becomes an image" 0 "$(status_of "$COMET" image "$WORK/sum.$kind" -o "$WORK/from-$kind.img")"
  check "which runs without Scheme" "132 yes" "$(status_of "$RUNNER" "$WORK/from-$kind.img") $(grep -q 'trap.*77' "$WORK/err" && echo yes)"
done
check "raw bytes run at an address" 132 "$(status_of "$COMET" run --raw 0x10000 "$WORK/sum.bin")"
contains "as what they are" "77" "$(cat "$WORK/err")"
check "and become an image" 0 "$(status_of "$COMET" image --raw 0x10000 "$WORK/sum.bin" -o "$WORK/from-bin.img")"
check "which is that of the same bytes in records" "$("$COMET" objdump -f -h "$WORK/from-hex.img" | tail -n +2)" \
  "$("$COMET" objdump -f -h "$WORK/from-bin.img" | tail -n +2)"
output=$(printf 'load "%s"\nstep 2\nregisters r3\nreverse-step\nload "%s" 0x30000\nload "%s"\n' \
  "$WORK/sum.hex" "$WORK/sum.bin" "$WORK/sum.core" | "$COMET" 2>&1)
contains "load takes records" "loaded sum.hex, entry 0x00010000" "$output"
contains "load takes raw bytes at an address" "loaded sum.bin, entry 0x00030000" "$output"
contains "load opens a core where the program stopped" "trap at" "$output"
contains "debug opens a core by its content" "trap at" "$(echo quit | "$COMET" debug "$WORK/sum.core" 2>&1)"
check "the runner goes on from a core" "132 yes" "$(status_of "$RUNNER" "$WORK/sum.core") $(grep -q 'trap.*77' "$WORK/err" && echo yes)"
check "which has its arguments in it" 64 "$(status_of "$RUNNER" "$WORK/sum.core" more)"
contains "and it says so" "sum.core: a state has its program's arguments in it; \`more\` is too much" "$(cat "$WORK/err")"
status_of "$RUNNER" --record "$WORK/sum.replay" "$WORK/sum.img" >"$WORK/status"
check "but not from a recording" 65 "$(status_of "$RUNNER" "$WORK/sum.replay")"
contains "which is for the debugger" "sum.replay: is a recording; comet-vm debug --replay shows what was done" "$(cat "$WORK/err")"
check "a core takes no arguments" 64 "$(status_of "$COMET" debug "$WORK/sum.core" more)"
contains "and debug says so" 'what a program left behind takes no arguments; `more` is too much' "$(cat "$WORK/err")"
contains "formats lists the formats" "intel-hex" "$(echo formats | "$COMET")"

# ---- the Simple VM: its places, with and without Scheme -------------------------------------------------

{ printf 'EPIE'; head -c 60 /dev/zero; printf '\3\0\0\0hi\0\25\0\0\0\0\1\0\7\4\1\0\2\5\0\0\0'; } >"$WORK/divide.epie"
check "a program of the Simple VM traps" 132 "$(status_of "$COMET" run --core "$WORK/divide.core" "$WORK/divide.epie")"
check "after its output" hi "$(cat "$WORK/out")"
contains "at its own address" ", pc:79" "$(cat "$WORK/err")"
contains "with its own instruction" "    79  div \$1 \$0 \$2" "$(cat "$WORK/err")"
check "it becomes an image" 0 "$(status_of "$COMET" image "$WORK/divide.epie" -o "$WORK/divide.img")"
check "which traps without Scheme" 132 "$(status_of "$RUNNER" "$WORK/divide.img")"
contains "at the same address" "pc:79" "$(cat "$WORK/err")"
output=$(printf 'info guest\nrun\nreverse-step\n' | "$COMET" debug "$WORK/divide.core" 2>&1)
contains "its core shows its registers" '$1    7' "$output"
contains "and goes back by them" "    75  load \$1 #7" "$output"

# ---- WebAssembly: files in granted directories, where there is a compiler for WASI ---------------------

if clang --target=wasm32-wasi -O1 tests/loaders/files.c -o "$WORK/files.wasm" 2>/dev/null; then
  check "a C program becomes an image" 0 "$(status_of "$COMET" image "$WORK/files.wasm" -o "$WORK/files.img")"
  for command in "$COMET run" "$RUNNER"; do
    file=$WORK/files.wasm
    [ "$command" = "$RUNNER" ] && file=$WORK/files.img
    rm -rf "$WORK/granted" "$WORK/page" && mkdir "$WORK/granted" "$WORK/page"
    echo page >"$WORK/page/page"
    ln -s /etc "$WORK/granted/etc"
    # shellcheck disable=SC2086
    check "and uses files by ${command##*/}" 7 "$(status_of $command --dir "$WORK/granted:." --dir "$WORK/page:/ro:ro" --env A=b "$file" x)"
    same "as it should" tests/loaders/files.out "$WORK/out"
  done
fi
if clang --target=wasm32-wasi -O1 tests/loaders/wasi.c -o "$WORK/wasi.wasm" 2>/dev/null; then
  "$COMET" image "$WORK/wasi.wasm" -o "$WORK/wasi.img"
  for command in "$COMET run" "$RUNNER"; do
    file=$WORK/wasi.wasm
    [ "$command" = "$RUNNER" ] && file=$WORK/wasi.img
    rm -rf "$WORK/granted" "$WORK/page" && mkdir -p "$WORK/granted/d" "$WORK/page"
    (cd "$WORK/granted" && echo hello >hello && ln -s hello link && ln -s .. out && ln -s ../new dangling)
    echo page >"$WORK/page/page"
    # shellcheck disable=SC2086
    check "functions of WASI give what they should in ${command##*/}" 9 \
      "$(status_of $command --allow clock --allow random --dir "$WORK/granted:." --dir "$WORK/page:/ro:ro" --env A=b "$file" argument)"
    same "each its number" tests/loaders/wasi.out "$WORK/out"
    check "and what took the output's place has the rest" "__wasi_fd_tell(1, &place): 0|__wasi_fd_filestat_get(1, &status): 0|kind 4|" \
      "$(tr '\n' '|' <"$WORK/granted/log")"
    contains "until it is closed" "0 8 8" "$(cat "$WORK/err")"
    check "nothing was made outside" no "$([ -e "$WORK/new" ] && echo yes || echo no)"
  done
fi

# ---- a program that closes its output has it again when it is run again --------------------------------------

cat >"$WORK/close.s" <<'END'
_start: imm   r11, 1
        imm   r12, text
        imm   r13, 9
        hcall r10, write
        imm   r11, 1
        hcall r10, file_close
        halt
text:   .ascii "one more\n"
END
check "a program may close its output" 2 "$(printf '%s\n' "load \"$WORK/close.s\"" run run | timeout 20 "$COMET" 2>&1 | grep -c 'one more')"

# ---- WebAssembly: stopped in the middle, to go on in other processes, with its files ----------------------

cat >"$WORK/count.c" <<'END'
#include <stdio.h>
int main(void) {
  FILE *in = fopen("/data/words", "r"), *out = fopen("/data/counts", "w");
  char word[80];
  int total = 0;
  setvbuf(in, NULL, _IOFBF, 32);
  setvbuf(out, NULL, _IOFBF, 16);
  while (fscanf(in, "%79s", word) == 1) fprintf(out, "%d %s\n", ++total, word), printf("%s ", word);
  printf("%d words, %d\n", total, fclose(out));
  return total;
}
END
if (cd "$WORK" && clang --target=wasm32-wasi -O1 count.c -o count.wasm) 2>/dev/null; then
  mkdir "$WORK/data"
  seq -f 'word%g' 60 >"$WORK/data/words"
  "$COMET" image "$WORK/count.wasm" -o "$WORK/count.img"
  check "a program counts undisturbed" 60 "$(status_of "$RUNNER" --dir "$WORK/data:/data" "$WORK/count.img")"
  mv "$WORK/out" "$WORK/whole.out" && mv "$WORK/data/counts" "$WORK/whole.counts"
  file=$WORK/count.img rounds=0 status=123
  : >"$WORK/pieces.out"
  while [ "$status" = 123 ] && [ $rounds -lt 60 ]; do
    rounds=$((rounds + 1))
    status=$(status_of "$RUNNER" --fuel 20000 --core "$WORK/next.core" --dir "$WORK/data:/data" "$file")
    cat "$WORK/out" >>"$WORK/pieces.out"
    mv "$WORK/next.core" "$WORK/count.core" && file=$WORK/count.core
    [ $rounds -eq 2 ] && cp "$WORK/count.core" "$WORK/early.core" && cp "$WORK/data/counts" "$WORK/early.counts"
  done
  check "and in pieces" 60 "$status"
  check "of which there were several" yes "$([ $rounds -gt 5 ] && echo yes)"
  same "with the same output" "$WORK/whole.out" "$WORK/pieces.out"
  same "and the same file" "$WORK/whole.counts" "$WORK/data/counts"
  cp "$WORK/early.counts" "$WORK/data/counts"
  echo continue | "$COMET" debug --dir "$WORK/data:/data" "$WORK/early.core" >"$WORK/out" 2>&1
  contains "the debugger goes on from a state, too" "60 words, 0" "$(cat "$WORK/out")"
  same "and its files" "$WORK/whole.counts" "$WORK/data/counts"
  output=$(echo continue | "$COMET" debug "$WORK/early.core" 2>&1)
  contains "which are not open where no directory is given" ", -1" "$output"
  contains "as is said" "the program had files of the directory /data, which it is not given here; comet-vm debug --dir DIR:/data FILE does" "$output"
  status_of "$RUNNER" "$WORK/early.core" >"$WORK/status"
  contains "by the runner, too" "the program had files of the directory /data, which it is not given here; --dir DIR:/data does" "$(cat "$WORK/err")"
  check "and a directory is there" 64 "$(status_of "$COMET" debug --dir "$WORK/none" "$WORK/early.core")"
fi
# A state may come from anybody, and no terminal obeys it.
status_of "$RUNNER" --dir "$WORK:$(printf 'a\033[31m\nb\302\233')" --core "$WORK/named.core" "$WORK/sum.img" >"$WORK/status"
status_of "$RUNNER" "$WORK/named.core" >"$WORK/status"
contains "a name is shown without what moves a cursor" "the directory a?[31m?b?, which" "$(cat "$WORK/err")"
output=$("$COMET" debug "$WORK/named.core" 2>&1 </dev/null)
contains "by the debugger, too" "the directory a�[31m�b�, which" "$output"
for command in "$COMET run" "$RUNNER"; do
  # shellcheck disable=SC2086
  check "a directory has a name in ${command##*/}" 64 "$(status_of $command --dir :x x.img)"
  contains "and its error says what is asked for" "--dir takes DIR, DIR:NAME or one of them with :ro behind it, not " "$(cat "$WORK/err")"
  check "a directory that is not there is told" 64 "$(status_of $command --dir "$WORK/none" "$WORK/sum.img")"
  contains "with its path" "the directory \`$WORK/none\` cannot be opened: No such file or directory" "$(cat "$WORK/err")"
  check "a setting has a name" 64 "$(status_of $command --env =1 x.img)"
  contains "and a value" "--env takes NAME=VALUE, not " "$(cat "$WORK/err")"
done

# ---- WebAssembly: C++, where there is its library for WASI -----------------------------------------------

if clang++ --target=wasm32-wasi -fno-exceptions -std=c++17 -O1 tests/loaders/words.cpp -o "$WORK/words.wasm" 2>/dev/null; then
  "$COMET" image "$WORK/words.wasm" -o "$WORK/words.img"
  for command in "$COMET run $WORK/words.wasm" "$RUNNER $WORK/words.img"; do
    # shellcheck disable=SC2086
    check "a C++ program runs in ${command%% *}" "  3 b|  2 a|  1 c|20521.875 0x64|" \
      "$(echo 'b a b c a b' | timeout 20 $command 2>&1 | tr '\n' '|')"
  done
fi

# ---- WebAssembly in text, where there is wabt ----------------------------------------------------------

cat >"$WORK/hi.wat" <<'END'
;; says hi
(; and nothing (module else ;)
(module $hi
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory 1) (export "memory" (memory 0))
  (data (i32.const 8) "\10\00\00\00\03\00\00\00hi\0a")
  (func $main (export "_start") (drop (call $write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 0)))))
END
echo '(module $no (func (export "_start") (i32.ad)))' >"$WORK/no.wat"
mkdir "$WORK/tools"
printf '#!/bin/sh\nexit 3\n' >"$WORK/tools/wat2wasm"
chmod +x "$WORK/tools/wat2wasm"
if command -v wat2wasm >/dev/null; then
  check "a module in text runs" "0 hi" "$(status_of "$COMET" run "$WORK/hi.wat") $(cat "$WORK/out")"
  check "and becomes an image" "0 0 hi" "$(status_of "$COMET" image "$WORK/hi.wat" -o "$WORK/hi.img") $(status_of "$RUNNER" "$WORK/hi.img") $(cat "$WORK/out")"
  contains "with the names of its functions" "breakpoint 1 at main" "$(echo 'break main' | "$COMET" debug "$WORK/hi.wat" 2>&1)"
  check "a mistake in it has status 65" 65 "$(status_of "$COMET" run "$WORK/no.wat")"
  contains "and is told with its place" 'no.wat:1:38: unexpected token "i32.ad", expected an instr.' "$(cat "$WORK/err")"
fi
check "without wat2wasm it does not run" 65 "$(PATH=$WORK/none; /usr/bin/timeout 20 "$COMET" run "$WORK/hi.wat" >/dev/null 2>"$WORK/err" </dev/null; echo $?)"
contains "and what is missing is told" "modules in text are assembled by wat2wasm, which is not there; Debian's package wabt has it" "$(cat "$WORK/err")"
check "nor does it with one that fails" 65 "$(PATH=$WORK/tools:$PATH status_of "$COMET" run "$WORK/hi.wat")"
contains "which is told, too" "wat2wasm failed with status 3" "$(cat "$WORK/err")"
{ cat "$WORK/hi.wat"; head -c 200000 /dev/zero | tr '\0' '\n'; } >"$WORK/long.wat" # more than a pipe takes
check "nor with one that ends before it read all" 65 "$(PATH=$WORK/tools:$PATH status_of "$COMET" run "$WORK/long.wat")"
contains "which is told in the same way" "wat2wasm failed with status 3" "$(cat "$WORK/err")"

# ---- WebAssembly: variables of C programs, whichever version of DWARF tells of them ---------------------

cat >"$WORK/vars.c" <<'END'
struct node { short value; struct node *next; unsigned low : 3, high : 5; enum { red, blue } color; };
static struct node last = {-7, 0, 5, 9, blue}, first = {40, &last, 1, 2, red};
static int sum(const struct node *n, int scale) {
  int result = 0;
  while (n) {
    const struct node *here = n;
    result += here->value * scale;
    n = here->next;
  }
  return result;
}
int main(void) { return sum(&first, 2) - 66; }
END
if (cd "$WORK" && clang --target=wasm32-wasi -g vars.c -o vars.wasm) 2>/dev/null; then
  for version in 3 4 5; do
    (cd "$WORK" && clang --target=wasm32-wasi -g "-gdwarf-$version" vars.c -o vars.wasm)
    output=$(printf '%s\n' 'break vars.c:8' run locals continue 'print n.color' up 'print first.next.high' \
      | timeout 20 "$COMET" debug "$WORK/vars.wasm" 2>&1)
    for line in "  value: 40" "  low: {value: 1}" "  high: {value: 2}" "scale = 2" "result = 80" "n.color = blue" "first.next.high = {value: 9}"; do
      contains "DWARF $version tells that$line" "$line" "$output"
    done
  done
fi

# In optimised code a result may be on the operand stack alone; where it is also added to, in memory, or gone.
cat >"$WORK/operands.c" <<'END'
#include <stdio.h>
__attribute__((noinline)) static int g(int a) { return printf("%d\n", a) + 1; }
__attribute__((noinline)) static int f(int a) {
  int y = g(a);
  int z = y * 7;
  return z ^ g(z);
}
int main(int count, char **arguments) { return f(count + 41) & 63; }
END
if (cd "$WORK" && clang --target=wasm32-wasi -O2 -g operands.c -o operands.wasm) 2>/dev/null; then
  output=$(printf '%s\n' 'break operands.c:5' run locals 'print y' | timeout 20 "$COMET" debug "$WORK/operands.wasm" 2>&1)
  contains "a variable on the operand stack has a value" "y = 4" "$output"
fi

# ---- WebAssembly inside a program in C, which serves its imports -----------------------------------------

base64 -d >"$WORK/guest.wasm" <<'END' # the module in the comment of examples/embed/wasm.c
AGFzbQEAAAABDgNgAX8Bf2ACf38AYAAAAhgCA2VudgZzcXVhcmUAAANlbnYDc2F5AAEDAgECBQMBAAEHEwIGbWVtb3J5AgAGX3N0
YXJ0AAIKFAESAEEHEABBMUYEQEEQQRQQAQsLCxoBAEEQCxRzZXZlbiBzcXVhcmVkIGlzIDQ5Cg==
END
check "a module that imports from its embedder becomes an image" 0 "$(status_of "$COMET" image "$WORK/guest.wasm" -o "$WORK/guest.img")"
check "which does not run without it" 77 "$(status_of "$RUNNER" "$WORK/guest.img")"
contains "and says what it needs" 'needs the host call "env.square"' "$(cat "$WORK/err")"
${CC:-cc} -std=c11 -Wall -Wextra -Wpedantic -Ivm-ext examples/embed/wasm.c -o "$WORK/embed" "${RUNNER%/*}/libcomet-vm.a" -lstdc++ -lm -lpthread
check "the example serves it in C" "0 seven squared is 49" "$(status_of "$WORK/embed" "$WORK/guest.img") $(head -n 1 "$WORK/out")"

# ---- mistakes ------------------------------------------------------------------------------------------

sed 's/^\(:.*\)\(..\)$/\100/; 2q' "$WORK/sum.hex" >"$WORK/bad.hex"
check "a damaged file has status 65" 65 "$(status_of "$COMET" run "$WORK/bad.hex")"
contains "and its place is told" "comet-vm: $WORK/bad.hex:1:14: the sum is 00, but" "$(cat "$WORK/err")"
check "image tells of it in the same way" 65 "$(status_of "$COMET" image "$WORK/bad.hex")"
contains "with the place" "comet-vm: $WORK/bad.hex:1:14: the sum is 00, but" "$(cat "$WORK/err")"
contains "and so does load" "error: $WORK/bad.hex:1:14: the sum is 00, but" "$(echo "load \"$WORK/bad.hex\"" | "$COMET" 2>&1)"
check "image does not overwrite what it reads" 64 "$(status_of "$COMET" image "$WORK/sum.img")"
contains "and says so" "what is written would overwrite $WORK/sum.img; -o names another file" "$(cat "$WORK/err")"
check "image knows its formats" 64 "$(status_of "$COMET" image --to hexx "$WORK/sum.img")"
contains "and names them" 'there is no format `hexx` (did you mean `hex`?); there are image, hex, srec, raw' "$(cat "$WORK/err")"
check "image needs a file" 64 "$(status_of "$COMET" image)"
check "which is there" 66 "$(status_of "$COMET" image "$WORK/none.hex")"

# ---- objcopy -------------------------------------------------------------------------------------------

if command -v objcopy >/dev/null; then
  head -c 200000 "$COMET" >"$WORK/bytes.bin"
  for pair in "hex ihex" "srec srec"; do
    read -r ours theirs <<<"$pair"
    objcopy -I binary -O "$theirs" --change-addresses 0x12340 "$WORK/bytes.bin" "$WORK/theirs.$ours"
    check "image reads what objcopy writes as $theirs" 0 "$(status_of "$COMET" image --to raw "$WORK/theirs.$ours" -o "$WORK/again.bin")"
    same "and gets the same bytes" "$WORK/bytes.bin" "$WORK/again.bin"
    check "image writes $ours" 0 "$(status_of "$COMET" image --to "$ours" --raw 0x12340 "$WORK/bytes.bin" -o "$WORK/ours.$ours")"
    objcopy -I "$theirs" -O binary "$WORK/ours.$ours" "$WORK/again.bin"
    same "and objcopy gets the same bytes" "$WORK/bytes.bin" "$WORK/again.bin"
  done
fi

finish
