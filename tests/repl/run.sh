#!/bin/bash
# Tests of the prompt and of the command line of comet-vm.
#     run.sh             runs all
#     run.sh --accept    writes the transcripts anew; look at what changed before you keep it
# BUILD names the build folder. Transcripts are pipe/NAME.in with the expected pipe/NAME.out, whose last line
# is the exit status. Tests through a real terminal need tmux and are left out where there is none.
set -u
cd "$(dirname "$0")/../.." || exit 1
COMET=$(realpath "${BUILD:-build}/comet-vm")
HERE=tests/repl
WORK=$(mktemp -d)
SERVER=comet-repl-$$
trap 'tmux -L "$SERVER" kill-server 2>/dev/null; rm -rf "$WORK"' EXIT
export COMET_HISTORY=$WORK/history COMET_CONFIG=
. tests/harness.sh

# ---- transcripts through a pipe ----------------------------------------------------------------------

transcript() { timeout 20 "$COMET" <"$1" 2>&1; echo "exit status $?"; }

for input in $HERE/pipe/*.in; do
  name=$(basename "$input" .in)
  expected=$HERE/pipe/$name.out
  if [ "${1:-}" = --accept ]; then transcript "$input" >"$expected"; fi
  if difference=$(diff "$expected" <(transcript "$input")); then
    ok "transcript $name"
  else
    not_ok "transcript $name" "$difference"
  fi
done

# ---- init files ---------------------------------------------------------------------------------------

init_session() { (cd "$WORK/place" && printf '%s\n' "$@" | COMET_CONFIG=$WORK/config timeout 20 "$COMET" 2>&1); }
mkdir -p "$WORK/place" "$WORK/config"
echo '(define-command (five) "Says five." (display "five\n"))' >"$WORK/config/init.scm"
check "the user's init file makes commands" "five" "$(init_session five)"
check "a directory that has no init file cannot be trusted" "error: there is no .comet-vm.scm in $WORK/place/" "$(init_session trust)"
echo '(define-command (six) "Says six." (display "six\n"))' >"$WORK/place/.comet-vm.scm"
contains "a directory's init file is not loaded unasked" "error: " "$(init_session six)"
check "trust loads it" "trusted: $WORK/place/.comet-vm.scm" "$(init_session trust)"
check "and so does every start from then on" "six" "$(init_session six)"
echo '(car 5)' >"$WORK/config/init.scm"
contains "a mistake in an init file is told" "ends in an error: " "$(init_session six)"
contains "and the rest is loaded" "six" "$(init_session six)"
check "without a place nothing is trusted" "error: COMET_CONFIG is empty, so there is no place to remember it" \
  "$(cd "$WORK/place" && echo trust | timeout 20 "$COMET" 2>&1)"

# ---- the command line ----------------------------------------------------------------------------------

status_of() { timeout 20 "$@" >"$WORK/out" 2>"$WORK/err" </dev/null; echo $?; }

output=$(printf 'load "examples/sieve.s"\nrun\nquit\n' | timeout 20 "$COMET")
check "the sieve runs from a pipe and exits with 0" 0 $?
contains "the sieve prints its primes" " 997" "$output"
# A portable build decodes nothing, and a change of the machine moves the figures: not in a transcript.
output=$(printf 'load "examples/sieve.s"\nrun\ninfo statistics\nquit\n' | timeout 20 "$COMET" | tr '0-9' 9 | sed 's/[9,]\{2,\}/9/g')
contains "info statistics tells what is decoded" "decoded  9 instructions" "$output"
contains "what that takes, with its bound" "memory   9 bytes of at most 9" "$output"
contains "and how often it was dropped" "dropped  9 times" "$output"

check "a program's exit status is passed on" 7 "$(status_of "$COMET" run $HERE/programs/status.s a b)"
check "a program gets its arguments" 3 "$(cat "$WORK/out")"
check "a trap without a terminal has status 132" 132 "$(status_of "$COMET" run $HERE/programs/trap.s)"
contains "a trap is reported with its place" "divide+0x3, $HERE/programs/trap.s:9" "$(cat "$WORK/err")"
contains "a trap is reported with the instruction" "=> 0x0001000a  div_u r3, r1, r2" "$(cat "$WORK/err")"
contains "a trap is reported with the activations" "1  _start+0x3" "$(cat "$WORK/err")"
check "--quiet leaves the report out" "132 " "$(status_of "$COMET" run --quiet $HERE/programs/trap.s) $(cat "$WORK/err")"
check "--output ends a program with 122" 122 "$(status_of "$COMET" run --output 5 examples/hello.s)"
contains "which is told" "the limit of output is reached at " "$(cat "$WORK/err")"
check "--fuel ends a program with 123" 123 "$(status_of "$COMET" run --fuel 1000 $HERE/programs/endless.s)"
check "--time ends a program with 124" 124 "$(status_of "$COMET" run --time 0.2 $HERE/programs/endless.s)"
check "a missing file has status 66" 66 "$(status_of "$COMET" run $HERE/programs/nothing.s)"
truncate -s 1T "$WORK/holes.img"
check "a file that is too long has status 71" 71 "$(status_of "$COMET" run "$WORK/holes.img")"
contains "and is not read" "longer than the 2147483648 bytes that are read at most" "$(cat "$WORK/err")"
check "a device without end has status 71" 71 "$(status_of "$COMET" run /dev/zero)"
contains "and is not read for ever" "more than the 67108864 bytes that are read at most" "$(cat "$WORK/err")"
check "a source with mistakes has status 65" 65 "$(status_of "$COMET" run $HERE/programs/wrong.s)"
check "asm of a source with mistakes has status 65" 65 "$(status_of "$COMET" asm $HERE/programs/wrong.s -o "$WORK/wrong.img")"
contains "asm tells the place of a mistake" "$HERE/programs/wrong.s:2:9" "$(cat "$WORK/err")"
check "asm writes an image" 0 "$(status_of "$COMET" asm $HERE/programs/status.s -o "$WORK/status.img")"
printf '(define (f x) (cons 1 (f x)))\n(f 1)\n' >"$WORK/endless.s"
check "a source whose Scheme never ends its calls has status 65, and the host its memory" 65 \
  "$(ulimit -v 1500000; status_of "$COMET" asm "$WORK/endless.s" -o "$WORK/endless.img")"
contains "that error says where and why" "endless.s:2:1: error: this Scheme code used up the memory" "$(cat "$WORK/err")"
printf '.ifdef DEBUG\n.include "status-part.s"\n.endif\n.warning "old"\n' >"$WORK/options.s"
mkdir -p "$WORK/parts"
printf '_start: imm r11, CODE\nhcall r10, exit\n' >"$WORK/parts/status-part.s"
check "-D and -I reach a source that is run" 9 \
  "$(status_of "$COMET" run -D DEBUG -D CODE=9 -I "$WORK/parts" "$WORK/options.s")"
contains "warnings go to standard error" "options.s:4:1: warning: old" "$(cat "$WORK/err")"
check "and one that is assembled" 0 \
  "$(status_of "$COMET" asm -D DEBUG -D CODE=0x7 -I "$WORK/parts" "$WORK/options.s" -o "$WORK/options.img")"
check "as its image shows" 7 "$(status_of "$COMET" run "$WORK/options.img")"
check "--warnings-as-errors makes an error of a warning" 65 \
  "$(status_of "$COMET" asm --warnings-as-errors "$WORK/options.s" -o "$WORK/options.img")"
check "-D without a name has status 64" 64 "$(status_of "$COMET" asm -D =5 "$WORK/options.s")"
contains "and says what it takes" '-D takes NAME or NAME=VALUE, not `=5`' "$(cat "$WORK/err")"
check "asm does not overwrite its source" 64 "$(status_of "$COMET" asm "$WORK/options.s" -o "$WORK/options.s")"
contains "and says so" "the image would overwrite its source $WORK/options.s; -o names another file" "$(cat "$WORK/err")"
check "asm -c writes an object" 0 "$(status_of "$COMET" asm -c $HERE/programs/status.s -o "$WORK/status.o")"
check "asm -l lists no object" 64 "$(status_of "$COMET" asm -c -l $HERE/programs/status.s)"
contains "asm -l lists no object, and says so" "-l lists a program: it does not go with -c" "$(cat "$WORK/err")"
check "link makes an image" 0 "$(status_of "$COMET" link "$WORK/status.o" -o "$WORK/linked.img" --map -)"
contains "the map says where an object went" "  status.o" "$(sed "s,$WORK/,,; s,  *status,  status," "$WORK/out")"
check "the linked image runs" 7 "$(status_of "$COMET" run "$WORK/linked.img" a b)"
check "link needs an object" 64 "$(status_of "$COMET" link)"
contains "link needs an object, and says so" "no object is named" "$(cat "$WORK/err")"
check "link does not overwrite what it links" 64 "$(status_of "$COMET" link "$WORK/status.o" -o "$WORK/status.o")"
check "link refuses a source" 65 "$(status_of "$COMET" link $HERE/programs/status.s -o "$WORK/linked.img")"
contains "link says how objects are made" "comet-vm asm -c makes objects of sources" "$(cat "$WORK/err")"
check "link misses a file" 66 "$(status_of "$COMET" link "$WORK/none.o" -o "$WORK/linked.img")"
check "asm takes one source" 64 "$(status_of "$COMET" asm a.s b.s)"
contains "and says which is too much" 'one source at a time; `b.s` is too much' "$(cat "$WORK/err")"
check "a source with instructions of its own is assembled" 0 \
  "$(status_of "$COMET" asm tests/asm/defined.s -o "$WORK/defined.img")"
check "and runs, in the runner without Scheme too" "0 0" \
  "$(status_of "$COMET" run "$WORK/defined.img") $(status_of "$(dirname "$COMET")/comet-vm-no-scheme" "$WORK/defined.img")"
contains "and is disassembled by their names" "element r5, r6, r7" "$("$COMET" disasm "$WORK/defined.img")"
contains "which are listed" "element dss = shli a, c, 3; add a, b, a; ldu64 a, a, 0" "$("$COMET" disasm "$WORK/defined.img")"
check "run takes an image, by its content" 7 "$(status_of "$COMET" run "$WORK/status.img")"
check "disasm lists an image" 0 "$(status_of "$COMET" disasm "$WORK/status.img")"
contains "disasm shows sections" "section .text" "$(cat "$WORK/out")"
contains "disasm shows symbols" "_start:" "$(cat "$WORK/out")"
contains "disasm shows instructions" "imm r11, 7" "$(cat "$WORK/out")"
"$COMET" disasm --source "$WORK/status.img" >"$WORK/again.s" 2>&1
check "disasm --source is a source again" 0 "$(status_of "$COMET" asm "$WORK/again.s" -o "$WORK/again.img")"
contains "with the same code" "imm     r11, 7" "$(cat "$WORK/again.s")"
"$COMET" asm -l "$WORK/again.s" >"$WORK/list" 2>&1
contains "asm --statistics tells of passes" "lines, 1 pass," \
  "$("$COMET" asm --statistics "$WORK/again.s" -o "$WORK/again.img" 2>&1)"
awk 'BEGIN {
  for (i = 0; i < 10000; i++) printf "l%d: jump l%d\n", i, i + 31
  for (i = 10000; i < 10032; i++) printf "l%d: jump end\n", i
  print ".zero 100\nend: halt" }' >"$WORK/chain.s"
contains "a chain of ten thousand jumps that grow one because of the other settles in four passes" \
  "10034 lines, 4 passes, 30197 bytes" "$("$COMET" asm --statistics "$WORK/chain.s" -o "$WORK/chain.img" 2>&1)"
contains "asm -l prints a listing" "03 0b 07                         imm     r11, 7" "$(cat "$WORK/list")"
printf '\x89CMT\r\n\x1a\nrubbish' >"$WORK/broken.img"
check "a damaged image has status 65" 65 "$(status_of "$COMET" run "$WORK/broken.img")"
mkdir -p "$WORK/scripts"
echo '{"commands":[{"type":"action","line":3,"action":{"type":"invoke","field":"f","args":[]}}]}' >"$WORK/scripts/a.json"
echo '{"commands":[]}' >"$WORK/scripts/b.json"
check "wast runs the scripts of a folder, and tells what fails" \
  $'a.json:3: WebAssembly: no module was made\n0 passed, 1 failed' "$("$COMET" wast "$WORK/scripts")"
check "wast has status 0 when all passed" 0 "$(status_of "$COMET" wast "$WORK/scripts/b.json")"
contains "wast wants a script" "no script is named: FILE.json of wast2json" "$("$COMET" wast 2>&1)"

check "a test file that passes has status 0" 0 "$(status_of "$COMET" test $HERE/programs/small-test.scm)"
contains "a test file is counted" "1 passed, 0 failed" "$(cat "$WORK/out")"
# Every way to fail, as people and as TAP read it; the inputs are those of one seed.
for style in text tap; do
  expected=$HERE/tests/failing.$style
  report() { timeout 20 "$COMET" test $([ $style = tap ] && echo --tap) --seed 1 $HERE/tests/failing.scm </dev/null 2>&1; echo "exit status $?"; }
  if [ "${1:-}" = --accept ]; then report >"$expected"; fi
  if difference=$(diff "$expected" <(report)); then ok "failing tests in $style"; else not_ok "failing tests in $style" "$difference"; fi
done
check "--filter does the tests with a text in their names" 0 \
  "$(status_of "$COMET" test --verbose --filter "place: unless" examples/queens-test.scm)"
check "and no others" $'ok     place: unless a diagonal leads there\n1 passed, 0 failed' "$(cat "$WORK/out")"
check "a filter that fits nothing has status 1" 1 "$(status_of "$COMET" test --filter nothing $HERE/programs/small-test.scm)"
contains "and says so" 'no test has `nothing` in its name' "$(cat "$WORK/out")"
check "a test file with mistakes has status 1" 1 "$(echo '(car' >"$WORK/wrong.scm"; status_of "$COMET" test "$WORK/wrong.scm")"
contains "and is named" "wrong.scm ends in an error" "$(cat "$WORK/out")"
check "a test file that is not there has status 66" 66 "$(status_of "$COMET" test "$WORK/nothing.scm")"
check "version" 0 "$(status_of "$COMET" version)"
check "an unknown command has status 64" 64 "$(status_of "$COMET" rnu)"
contains "an unknown command gets a near name" 'did you mean `run`' "$(cat "$WORK/err")"
check "an unknown option has status 64" 64 "$(status_of "$COMET" run --fule 3 x.s)"
contains "an unknown option gets a near name" 'did you mean `--fuel`' "$(cat "$WORK/err")"
check "a wrong option value has status 64" 64 "$(status_of "$COMET" run --fuel many x.s)"
contains "an error of a command names its help" "see comet-vm run --help" "$(cat "$WORK/err")"
check "an option without its value has status 64" 64 "$(status_of "$COMET" run --fuel)"
contains "which is told" "--fuel needs a value, " "$(cat "$WORK/err")"
check "an unknown option of comet-vm has status 64" 64 "$(status_of "$COMET" --hlep)"
contains "which gets a near name" 'there is no option --hlep (did you mean `--help`' "$(cat "$WORK/err")"
check "an unknown group of host calls has status 64" 64 "$(status_of "$COMET" run --allow sockets x.s)"
contains "and the groups are named" 'there is no group of host calls `sockets`; there are ' "$(cat "$WORK/err")"
check "run without a program has status 64" 64 "$(status_of "$COMET" run)"
contains "which is told, too" "no program is named" "$(cat "$WORK/err")"
check "test without a file has status 64" 64 "$(status_of "$COMET" test)"
contains "and says that one is missing" "no test file is named" "$(cat "$WORK/err")"
check "a directory is no test file" 66 "$(status_of "$COMET" test tests)"
contains "which is told" "tests: is a directory" "$(cat "$WORK/err")"
check "the prompt begins with one file" 64 "$(status_of "$COMET" repl a.s b.s)"
contains "and names the second" 'one file at a time; `b.s` is too much' "$(cat "$WORK/err")"
check "help of an unknown command has status 64" 64 "$(status_of "$COMET" help rum)"
contains "and gives a near name" 'did you mean `run`' "$(cat "$WORK/err")"
check "an image that cannot be written has status 71" 71 \
  "$(status_of "$COMET" asm $HERE/programs/status.s -o "$WORK/nowhere/status.img")"
check "and is named" "comet-vm: $WORK/nowhere/status.img cannot be written: there is no such directory" "$(cat "$WORK/err")"
for command in repl run debug dap asm link disasm objdump nm size strip ar test version; do
  check "$command --help" 0 "$(status_of "$COMET" $command --help)"
done
# Every command and option that help names, in the words of troff.
missing=$(for word in $("$COMET" --help | sed -n 's/^  \([a-z]*\) .*/\1/p') \
                      $(for command in run debug asm objdump nm strip ar test; do "$COMET" $command --help; done | sed -n 's/^  \(-[-a-z]*\) .*/\1/p'); do
  grep -qF -- "${word//-/\\-}" repl/comet-vm.1 || echo "$word"
done)
check "the man page has every command and option" "" "$missing"
check "quit gives the status that it is told" 3 "$(printf 'quit 3\n' | "$COMET" >/dev/null; echo $?)"
check "an error in a script gives status 1" 1 "$(printf 'stop\n' | "$COMET" >/dev/null; echo $?)"
check "the end of the input gives status 0" 0 "$("$COMET" </dev/null >/dev/null; echo $?)"
check "an unfinished expression at the end is an error" 1 "$(printf '(+ 1\n' | "$COMET" >/dev/null; echo $?)"
printf 'load %s/programs/endless.s\nrun\nprint 1\n' $HERE >"$WORK/script"
check "an interrupt ends a script" 130 "$(timeout --preserve-status -s INT 1 "$COMET" <"$WORK/script" >"$WORK/out"; echo $?)"
contains "an interrupt is shown" "interrupted at again" "$(cat "$WORK/out")"
check "FILE alone is loaded" 0 "$(status_of "$COMET" $HERE/programs/status.s)"
contains "FILE alone says so" "loaded status.s" "$(cat "$WORK/out")"

# ---- profiles --------------------------------------------------------------------------------------------

check "--profile leaves the status" 7 "$(status_of "$COMET" run --profile $HERE/programs/status.s a b)"
contains "and tells where instructions went" "with callees" "$(cat "$WORK/err")"
check "--profile-every 1 counts each instruction" 0 "$(status_of "$COMET" run --profile --profile-every 1 examples/fib.s 10)"
contains "and says so" "881 instructions, each counted" "$(cat "$WORK/err")"
contains "by symbol" "            617  70.0%            794  90.1%         177  fib" "$(cat "$WORK/err")"
check "and the program's output is its own" 55 "$(cat "$WORK/out")"
check "--profile=FILE.svg draws a flame graph" 0 "$(status_of "$COMET" run --profile="$WORK/fib.svg" --profile-every 1 examples/fib.s 10)"
contains "with names" "<title>fib: 794 instructions, 90.1%</title>" "$(cat "$WORK/fib.svg")"
check "and says nothing" "" "$(cat "$WORK/err")"
check "--profile=FILE.folded writes stacks" 0 "$(status_of "$COMET" run --profile="$WORK/fib.folded" --profile-every 1 examples/fib.s 10)"
contains "a line each" "_start;argument_number;argument_digit 15" "$(cat "$WORK/fib.folded")"
check "--profile=FILE writes what would be told" 0 "$(status_of "$COMET" run --profile="$WORK/fib.txt" --profile-every 1 examples/fib.s 10)"
contains "with source lines" "examples/fib.s:34  ret" "$(cat "$WORK/fib.txt")"
check "--heat-map draws memory" 0 "$(status_of "$COMET" run --heat-map "$WORK/heat.svg" --profile-every 1 examples/fib.s 10)"
contains "with executions" "0x00010000 _start: 881 execution" "$(cat "$WORK/heat.svg")"
check "a profile that cannot be written does not change the status" 7 \
  "$(status_of "$COMET" run --profile="$WORK/no/where.svg" $HERE/programs/status.s a b)"
contains "and is told of" "comet-vm: $WORK/no/where.svg cannot be written: there is no such directory" "$(cat "$WORK/err")"
check "neither does a heat map" 7 "$(status_of "$COMET" run --heat-map /dev/full $HERE/programs/status.s a b)"
contains "on a full disk" "comet-vm: /dev/full cannot be written: No space left on device" "$(cat "$WORK/err")"
check "a trap is profiled up to there" 132 "$(status_of "$COMET" run --profile --quiet $HERE/programs/trap.s)"
contains "with what was executed" "3 instructions, " "$(cat "$WORK/err")"
check "--profile-every 0 is refused" 64 "$(status_of "$COMET" run --profile --profile-every 0 $HERE/programs/status.s)"
contains "with what it takes" "--profile-every takes a number from 1 to 2^64-1, not \`0\`" "$(cat "$WORK/err")"
check "--profile= without a file is refused" 64 "$(status_of "$COMET" run --profile= $HERE/programs/status.s)"
contains "which is told, too" "--profile takes a file behind =, or nothing" "$(cat "$WORK/err")"
contains "--statistics tells of decoded code" "decoded: " "$("$COMET" run --statistics $HERE/programs/status.s 2>&1)"

# ---- what a program leaves behind ------------------------------------------------------------------------

opened() { printf '%s\n' "$1" | timeout 20 "$COMET" debug "${@:2}" 2>&1; }
check "--core writes the state of a trap" 132 "$(status_of "$COMET" run --quiet --core "$WORK/core" $HERE/programs/trap.s)"
contains "debug --core opens it at the fault" "trap at divide+0x3: the divisor is 0" "$(opened where --core "$WORK/core")"
contains "with activations" "1  _start+0x3, $HERE/programs/trap.s:4" "$(opened where --core "$WORK/core")"
contains "registers" "r1  7" "$(opened 'info registers' --core "$WORK/core")"
contains "instructions and source lines" "=> 0x0001000a  div_u r3, r1, r2              ; 9" "$(opened disassemble --core "$WORK/core")"
contains "and memory" "0x00010000  03 0b 07" "$(opened 'examine _start' --core "$WORK/core")"
check "--core writes the state when the fuel is used up" 123 "$(status_of "$COMET" run --fuel 1000 --core "$WORK/fuel" $HERE/programs/endless.s)"
contains "and the program goes on from it" "halted with exit status 0" "$(opened $'set r2 2\ncontinue' --core "$WORK/core")"
contains "and stands where it was" "out of fuel at again" "$(opened where --core "$WORK/fuel")"
check "--core writes the state when the time is over" 124 "$(status_of "$COMET" run --time 0.2 --core "$WORK/time" $HERE/programs/endless.s)"
contains "as an interruption" "interrupted at again" "$(opened where --core "$WORK/time")"
check "--core writes nothing when a program ends" 7 "$(status_of "$COMET" run --core "$WORK/none" $HERE/programs/status.s a b)"
check "nothing" "" "$(ls "$WORK/none" 2>/dev/null)"
check "a core that cannot be written does not change the status" 132 "$(status_of "$COMET" run --quiet --core "$WORK/no/core" $HERE/programs/trap.s)"
contains "and is told of" "comet-vm: $WORK/no/core cannot be written: No such file or directory" "$(cat "$WORK/err")"
check "--record leaves the status" 132 "$(status_of "$COMET" run --quiet --record "$WORK/replay" --core "$WORK/core" $HERE/programs/broken-list.s)"
output=$(opened $'watch second+8\nreverse-continue\nreverse-continue\nup' --replay "$WORK/replay")
contains "debug --replay stands at the fault" "trap at add_node: 0x33353431 may not be read" "$output"
contains "and has its past" "watchpoint 1: second+8 changed from 0x353431 to 0x33353431, before copy+0x8" "$output"
contains "as source lines have" "activation 1: _start+0xa, $HERE/programs/broken-list.s:6" "$output"
contains "with the core and the image" "trap at add_node" "$(opened where --core "$WORK/core" --replay "$WORK/replay" $HERE/programs/broken-list.s)"
printf 'two words\nand more\n' | "$COMET" run --record "$WORK/input" examples/wc.s >/dev/null
output=$(opened $'reverse-step\ngoto start\ncontinue' --replay "$WORK/input" </dev/null)
contains "input is repeated, without any" "halted with exit status 0" "$output"
lines=$(grep -c "halted with exit status 0" <<<"$output")
check "once more after going to the start" 2 "$lines"
"$COMET" asm examples/wc.s -o "$WORK/wc.img" && printf 'words' | timeout 20 "${COMET}-no-scheme" --record "$WORK/input2" "$WORK/wc.img" >/dev/null
contains "a recording of the runner without Scheme is opened as well" "halted with exit status 0" "$(opened where --replay "$WORK/input2" </dev/null)"
check "a recording that cannot be opened has status 71" 71 "$(status_of "$COMET" run --record "$WORK/no/replay" $HERE/programs/status.s)"
contains "and is named" "comet-vm: $WORK/no/replay cannot be written: No such file or directory" "$(cat "$WORK/err")"
("$COMET" run --record "$WORK/killed" $HERE/programs/endless.s & sleep 1.6; kill -KILL $!; wait $!) 2>/dev/null
contains "a program that was killed leaves its recording" "the recording ends here, without saying how" "$(opened where --replay "$WORK/killed")"
check "what is recorded takes turns" 64 "$(status_of "$COMET" run --parallel 2 --record "$WORK/r" $HERE/programs/status.s)"
contains "which is told" "--record is for threads that take turns; leave out --parallel" "$(cat "$WORK/err")"
check "a program runs on several threads of this computer" "$(status_of "$COMET" run $HERE/programs/status.s)" \
  "$(status_of "$COMET" run --parallel 2 $HERE/programs/status.s)"
check "a core that is none has status 65" 65 "$(status_of "$COMET" debug --core README.md)"
contains "and is told of" "comet-vm: README.md: not a state of Comet VM" "$(cat "$WORK/err")"
check "a recording is no core" 65 "$(status_of "$COMET" debug --core "$WORK/replay")"
check "a file that is missing has status 66" 66 "$(status_of "$COMET" debug --replay "$WORK/missing")"
check "a core takes no program" 64 "$(status_of "$COMET" debug --core "$WORK/core" a.s)"
contains "for it has one" 'a core has its program in it; `a.s` is too much' "$(cat "$WORK/err")"
check "a recording takes one image" 64 "$(status_of "$COMET" debug --replay "$WORK/replay" a.img b.img)"
contains "and names the second" '--replay takes one image at most; `b.img` is too much' "$(cat "$WORK/err")"
check "a core of a machine with more memory than is usual" 132 \
  "$(status_of "$COMET" run --quiet --memory 4G --core "$WORK/large" $HERE/programs/trap.s)"
check "is opened only where that is allowed" 71 "$(status_of "$COMET" debug --core "$WORK/large")"
contains "which is told" "the state is of a machine that may map 4294967296 bytes; this one may only map 1073741824 (--memory sets that)" "$(cat "$WORK/err")"
contains "and allowed" "trap at divide+0x3" "$(opened where --memory 4G --core "$WORK/large")"
printf 'load "%s/programs/trap.s"\nrun\ncore "%s/prompt"\n' $HERE "$WORK" | "$COMET" >"$WORK/out"
contains "the prompt writes a core too" "core $WORK/prompt, 3 instructions" "$(cat "$WORK/out")"
contains "which is opened as any" "trap at divide+0x3" "$(opened where --core "$WORK/prompt")"

# ---- closed output -------------------------------------------------------------------------------------

# A session whose output nobody reads any more ends, and says nothing.
closed() { timeout 10 "$@" 2>"$WORK/err" | head -1 >/dev/null; echo "${PIPESTATUS[0]}$(cat "$WORK/err")"; }
check "closed output ends a program" 141 "$(closed "$COMET" run $HERE/programs/yes.s)"
printf 'load %s/programs/yes.s\nrun\n' $HERE >"$WORK/script"
check "closed output ends a program under the prompt" 141 "$(closed "$COMET" <"$WORK/script")"
printf '(let loop ((i 0)) (println i) (loop (+ i 1)))\n' >"$WORK/script"
check "closed output ends Scheme" 141 "$(closed "$COMET" <"$WORK/script")"

# ---- through a terminal --------------------------------------------------------------------------------

if [ "${1:-}" != --accept ]; then
  if command -v tmux >/dev/null; then
    . $HERE/terminal.sh
    . $HERE/screen.sh
  else
    echo "# tests through a terminal are left out: tmux is not installed"
  fi
fi

finish
