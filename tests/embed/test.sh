#!/bin/bash
# What is installed works: the library can be compiled against and embedded, and the runner keeps its
# promises. Installs into a temporary folder and uses nothing from outside it.
#
#   BUILD=build tests/embed/test.sh        CC, CXX, MAKE and EMBED_CFLAGS are used where they are set
#
# Prints a line `ok - ...` or `not ok - ...` for each promise, and a last line with their numbers.

cd "$(dirname "$0")/../.." || exit 1
root=$PWD
build=${BUILD:-build}
cc=${CC:-cc}
cxx=${CXX:-g++}
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

passed=0
failed=0

# check NAME COMMAND...: ok when the command succeeds.
check() {
  local name=$1
  shift
  if "$@" >"$work/log" 2>&1; then
    passed=$((passed + 1))
    echo "ok - $name"
  else
    failed=$((failed + 1))
    echo "not ok - $name"
    sed 's/^/#   /' "$work/log" | head -20
  fi
}

summary() {
  echo "$passed passed, $failed failed"
  [ "$failed" -eq 0 ]
  exit
}

# ---- the archive -----------------------------------------------------------------------------------

# Handlers do not save registers for a caller (vm-ext/machine/enter.cpp), nor does a function that the compiler leaves
# in their files: the linker must not take it for another file's.
check "no other file can call a function that stands beside handlers" \
  sh -c "! nm '$build/obj/vm-ext/machine/fast.o' '$build/obj/vm-ext/machine/fused.o' | grep ' [WVu] '"

# ---- the shared library ------------------------------------------------------------------------------

small() { strip -o "$work/stripped" "$build/libcomet-vm.so" && [ "$(stat -c %s "$work/stripped")" -le 600000 ]; }
# What other compilers make is somewhat larger.
if "$cxx" --version | grep -q 'Free Software' && [ "$(uname -m)" = x86_64 ]; then
  check "libcomet-vm.so without symbols takes at most 600 KB" small
fi

# ---- installing ------------------------------------------------------------------------------------

stage=$work/stage
prefix=/opt/comet
bin=$stage$prefix/bin
lib=$stage$prefix/lib

install_into_stage() { ${MAKE:-make} --no-print-directory "$1" BUILD="$build" DESTDIR="$stage" PREFIX=$prefix; }

check "make install succeeds" install_into_stage install
if [ "$failed" -ne 0 ]; then
  summary
fi

version=$(sed -n 's/^#define COMET_VERSION_STRING "\(.*\)"/\1/p' "$stage$prefix/include/comet.h")
export PKG_CONFIG_PATH=$lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$stage LD_LIBRARY_PATH=$lib
unset PKG_CONFIG_LIBDIR

links_lead_to_the_library() {
  [ "$(readlink -f "$lib/libcomet-vm.so")" = "$(readlink -f "$lib/libcomet-vm.so.0")" ] &&
    [ -f "$lib/libcomet-vm.so.$version" ] && readelf -d "$lib/libcomet-vm.so" | grep -q 'SONAME.*\[libcomet-vm\.so\.0\]'
}
# What comet.h declares, each with a version, and nothing else.
exports_what_the_header_declares() {
  sed -n 's/^COMET_API .*[ *]\(comet_[a-z0-9_]*\)(.*/\1/p' "$root/vm-ext/comet.h" | sort >"$work/declared"
  nm -D --defined-only "$lib/libcomet-vm.so" | awk '$2 != "A" { sub(/@@COMET_0\.1$/, "", $3); print $3 }' | sort >"$work/exported"
  [ -s "$work/declared" ] && diff "$work/declared" "$work/exported"
}
needs_only() { # FILE: no library but those of the C++ compiler
  local others
  others=$(readelf -d "$1" | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p' |
    grep -v '^lib\(stdc++\|m\|gcc_s\|c\|pthread\|asan\|ubsan\)\.so\|^ld-linux')
  [ -z "$others" ] || { echo "$others"; return 1; }
}
prints_a_manual() { man --warnings -l "$1" >/dev/null 2>"$work/man"; [ ! -s "$work/man" ] || { cat "$work/man"; return 1; }; }

check "the shared library has a soname and its links" links_lead_to_the_library
check "the shared library exports what comet.h declares, with versions, and nothing else" exports_what_the_header_declares
check "the shared library needs only the compiler's libraries" needs_only "$lib/libcomet-vm.so"
check "the runner needs only the compiler's libraries" needs_only "$bin/comet-vm-no-scheme"
check "pkg-config knows the version" test "$(pkg-config --modversion comet-vm)" = "$version"
check "the runner's manual page is installed" test -s "$stage$prefix/share/man/man1/comet-vm-no-scheme.1"
comet_vm_is_installed() {
  [ "$("$bin/comet-vm" version)" = "comet-vm $version" ] && test -s "$stage$prefix/share/man/man1/comet-vm.1"
}
if [ -e "$build/comet-vm" ]; then
  check "comet-vm is installed, with its manual page" comet_vm_is_installed
fi
if command -v man >/dev/null; then
  check "the runner's manual page is well-formed" prints_a_manual "$stage$prefix/share/man/man1/comet-vm-no-scheme.1"
  check "the manual page of comet-vm is well-formed" prints_a_manual "$root/repl/comet-vm.1"
fi

# ---- embedding -------------------------------------------------------------------------------------

cd "$work" || exit 1
cflags="-Wall -Wextra -Wpedantic -Werror ${EMBED_CFLAGS:-}"
echo '#include <comet.h>' >header.c
cp header.c header.cpp

# The options of compilers and pkg-config are lists of words.
# shellcheck disable=SC2046,SC2086
compile_c() { $cc -std=c11 $cflags "$1" -o "$2" $(pkg-config --cflags --libs comet-vm); }
# shellcheck disable=SC2046,SC2086
compile_header() { "$@" $cflags -fsyntax-only $(pkg-config --cflags comet-vm); }
# shellcheck disable=SC2046,SC2086
compile_static() {
  $cc -std=c11 $cflags "$1" -o "$2" $(pkg-config --cflags comet-vm) "$lib/libcomet-vm.a" -lstdc++ -lm -lpthread
}
prints_what_is_expected() {
  sed "s/VERSION/$version/" "$root/tests/embed/embed.expected" | diff - <("$1")
}

check "comet.h is valid C11 by itself" compile_header "$cc" -std=c11 header.c
check "comet.h is valid C++20 by itself" compile_header "$cxx" -std=c++20 header.cpp
echo '#include <comet.hpp>' >wrapper.cpp
check "comet.hpp is valid C++17 by itself" compile_header "$cxx" -std=c++17 wrapper.cpp
check "the example compiles against the shared library" compile_c "$root/examples/embed.c" embed
check "the example does what it should" prints_what_is_expected ./embed
check "the example compiles against the static library" compile_static "$root/examples/embed.c" embed-static
check "linked statically it does the same" prints_what_is_expected ./embed-static
# Whole programs, and what they print.
examples=$root/examples/embed
# shellcheck disable=SC2046,SC2086
compile_cxx() { $cxx -std=c++17 $cflags "$1" -o "$2" $(pkg-config --cflags --libs comet-vm); }
# shellcheck disable=SC2046,SC2086
compile_gnu_c() { $cc -std=gnu11 $cflags "$1" -o "$2" $(pkg-config --cflags --libs comet-vm); }
prints() { # EXPECTED COMMAND...
  timeout 60 "${@:2}" >printed 2>&1 && diff "$root/tests/embed/$1" printed
}
check "the calculator compiles against comet.hpp" compile_cxx "$examples/calculator.cpp" calculator
check "the calculator does what it should" prints calculator.expected ./calculator
check "the fleet compiles" compile_gnu_c "$examples/fleet.c" fleet
check "ten thousand machines are alive at once and run to completion" prints fleet.expected ./fleet
check "the asynchronous host compiles" compile_gnu_c "$examples/async.c" async
check "the asynchronous host does what it should" prints async.expected ./async
# shellcheck disable=SC2046,SC2086
check "the run that moves compiles" compile_cxx "$root/tests/embed/move.cpp" move
for seed in 1 2 3 4; do
  check "a run that moves between two processes twenty times, threads, events and calls in flight, ends as if it had stayed ($seed)" \
    timeout 60 ./move $seed 20
done
check "a program that gives machines their memory compiles" compile_c "$root/tests/embed/allocator.c" own-memory
check "machines take what grows from there, live with refusals, and give all of it back" ./own-memory
check "a program with an operator new of its own compiles" compile_cxx "$root/tests/embed/allocator.cpp" allocator
check "the library allocates with the program's operator new, and gives all of it back" ./allocator
builds_with_cmake() {
  cmake -S "$examples" -B cmake-build -DCMAKE_PREFIX_PATH="$stage$prefix" -DCMAKE_C_COMPILER="$cc" -DCMAKE_CXX_COMPILER="$cxx" \
    -DCMAKE_C_FLAGS="${EMBED_CFLAGS:-}" -DCMAKE_CXX_FLAGS="${EMBED_CFLAGS:-}" && cmake --build cmake-build &&
    prints calculator.expected cmake-build/calculator && prints calculator.expected cmake-build/calculator-static
}
if command -v cmake >/dev/null; then
  check "CMake's find_package finds the library, and the examples build with it" builds_with_cmake
else
  echo "# cmake is not installed, so find_package is not tried"
fi
check "images can be written by the C API alone" compile_c "$root/tests/embed/images.c" images
check "images are written" ./images .

# ---- the runner ------------------------------------------------------------------------------------

runner=$bin/comet-vm-no-scheme

# ends STATUS ARGUMENT...: the runner ends with that status; standard output and error are kept in out, err.
ends() {
  local wanted=$1 status
  shift
  timeout 20 "$runner" "$@" >out 2>err </dev/null
  status=$?
  [ "$status" -eq "$wanted" ] || { echo "status $status instead of $wanted"; cat err; return 1; }
}
says() { grep -qF -e "$1" err || { echo "not found: $1"; cat err; return 1; }; }
ends_and_says() { # STATUS WORDS ARGUMENT...
  local status=$1 words=$2
  shift 2
  ends "$status" "$@" && says "$words"
}
ends_in_silence() { ends "$@" && [ ! -s out ] && [ ! -s err ]; }

help_names_all() {
  ends 0 --help || return 1
  local option
  for option in fuel time memory call-depth registers output allow deny dir env seed turns parallel with no-confine core record statistics hash quiet config verify json help version; do
    grep -q -e "--$option" out && grep -q -e "\\\\-\\\\-${option/-/\\\\-}" "$root/vm-ext/runner/comet-vm-no-scheme.1" || {
      echo "--$option is not in --help or the manual page"
      return 1
    }
  done
}
prints_version() { ends 0 --version && [ "$(cat out)" = "comet-vm-no-scheme $version" ]; }
check "--help and the manual page name every option" help_names_all
check "--version prints the version" prints_version

check "no image: status 64" ends_and_says 64 "no image is named"
check "an unknown option: status 64" ends_and_says 64 "there is no option --wrong, or it takes no value" --wrong count.image
check "an option without its value: status 64" ends_and_says 64 "--fuel needs a value" --fuel
check "a value that is no number: status 64" ends_and_says 64 "'1x'" --fuel 1x count.image
check "a number that is too large: status 64" ends_and_says 64 "below 2^64" --memory 99999999999G count.image
check "no host threads: status 64" ends_and_says 64 "--parallel takes a number from 1 to 1024, not '0'" --parallel 0 count.image
check "--parallel and --turns: status 64" ends_and_says 64 "--turns is for threads that take turns" --parallel 2 --turns 1 count.image
check "--parallel and --record: status 64" ends_and_says 64 "--record repeats threads that take turns" --parallel 2 --record r count.image
check "a size that is no number: status 64" ends_and_says 64 \
  "--memory takes a number, with K, M or G behind it or not, not '5T'" --memory 5T count.image
check "a time of 0: status 64" ends_and_says 64 "--time takes a number of seconds above 0 and up to 1000000000, not '0'" --time 0 count.image
check "an unknown group: status 64" ends_and_says 64 "'everything'" --allow everything count.image
check "no such file: status 66" ends_and_says 66 "No such file" nowhere.image
check "a folder: status 66" ends_and_says 66 "Is a directory" .
truncate -s 1T holes.image
check "a file of holes: status 65" ends_and_says 65 "is longer than the 2 GiB that are read at most" holes.image
check "a file that is no image: status 65" ends_and_says 65 "not a Comet image" "$root/tests/embed/test.sh"
check "an empty file: status 65" ends_and_says 65 "not a Comet image" /dev/null
check "a file without end: status 65" ends_and_says 65 "more than 64 MiB" /dev/zero
head -c 100 count.image >cut.image
check "an image that was cut: status 65" ends_and_says 65 "says it has" cut.image

check "the program's exit status is passed on" ends_in_silence 3 exit-with-3.image
check "negative exit statuses are taken modulo 256" ends_in_silence 255 exit-with-minus-1.image
check "a program that halts ends with 0" ends_in_silence 0 count.image

copies_its_input() {
  head -c 3000000 /dev/urandom >input
  timeout 20 "$runner" copy-input.image <input | cmp - input && cat input | timeout 20 "$runner" copy-input.image | cmp - input
}
prints_its_arguments() {
  ends 0 print-arguments.image one "two words" --fuel "" &&
    printf '%s\n' print-arguments.image one "two words" --fuel "" | diff - out
}
check "three million bytes pass through unharmed" copies_its_input
check "arguments arrive as they are" prints_its_arguments
check "host calls answer bad streams and numbers with an error" ends_in_silence 0 --allow clock --allow random m

input_stays() {
  { "$runner" read-astray.image 2>err; cat; } <input | cmp - input && says "0x50000"
}
nothing_is_written() { ends_and_says 132 "address 0x110000" write-astray.image && [ ! -s out ]; }
check "a bad pointer traps before any input is taken" input_stays
check "a bad pointer traps before any output is made" nothing_is_written

trap_report() {
  ends 132 store-astray.image || return 1
  local words
  for words in "0x50008" "kind: bad write" "store_word+0x8, program.s:12:3" "after 5 instructions" \
    "=> 0x00010013  st64 r3, r2, 8" "   0x0001000b  imm r3, 0x50000" "   0x00010017  ret" "  1  0x10009 _start" \
    "r2     0xfffffffffffffffe  -2" "t1     0x0000000000000007  7"; do
    says "$words" || return 1
  done
}
check "a trap is reported with all around it: status 132" trap_report
check "--quiet says nothing about it" ends_in_silence 132 --quiet store-astray.image
check "calls without end: status 132" ends_and_says 132 "and 84 more" --call-depth 100 recurse.image
check "windows without end: status 132" ends_and_says 132 "limit of 1000" --registers 1000 recurse.image
check "--fuel is exact: status 123" ends_and_says 123 "after 12345 instructions" --fuel 12345 spin.image
check "enough fuel is enough" ends_in_silence 0 --fuel 2001 count.image
check "one less is not: status 123" ends 123 --fuel 2000 count.image
output_is_exact() { ends_and_says 122 "--output is used up" --output 10000 write-forever.image && [ "$(stat -c %s out)" -eq 8192 ]; }
check "--output stops before the write that would pass it: status 122" output_is_exact
check "--time stops a loop: status 124" ends_and_says 124 "out of time" --time 0.2 spin.image
check "--memory is kept: status 71" ends_and_says 71 " (--memory sets the limit)" --memory 1M large.image
check "what is not granted is refused: status 77" ends_and_says 77 '"clock"' ask-clock.image
check "which says what grants it" ends_and_says 77 " (--allow grants the groups that --help names)" ask-clock.image
check "--allow grants it" ends_in_silence 1 --allow clock ask-clock.image
check "--deny takes away: status 77" ends_and_says 77 '"exit"' --deny exit exit-with-3.image

# ---- configuration files, environment, statistics ---------------------------------------------------------

config() { printf '%s\n' "$@" >config; }
config_counts() { config '# a comment' '' '  fuel = 100 ' 'quiet=yes'; ends_in_silence 123 --config config spin.image; }
options_win() {
  config 'fuel = 100' 'quiet = yes' 'quiet = no'
  ends_and_says 123 "after 50 instructions" --fuel 50 --config config spin.image || return 1
  config 'deny = exit'
  ends 77 --config config exit-with-3.image && ends 3 --config config --allow exit exit-with-3.image
}
config_is_refused() { # WORDS LINE...
  local words=$1
  shift
  config "$@"
  ends_and_says 78 "config:$words" --config config count.image
}
nul_is_refused() { printf 'fuel = 1\0' >config; ends_and_says 78 "config:1:9: a byte 0 cannot stand here" --config config count.image; }
check "a configuration file sets what options set" config_counts
check "options go before it" options_win
check "an unknown setting: status 78, with its place" config_is_refused "2:3: there is no setting 'feul'" 'fuel = 1' '  feul = 2'
check "a setting without a value" config_is_refused "1:5: here should be '=' and a value" 'fuel'
check "a setting with an empty value" config_is_refused "1:7: fuel needs a value" 'fuel ='
check "a setting with a wrong value" config_is_refused "1:8: fuel takes a number, not '1x'" 'fuel = 1x'
check "a setting that is on or off" config_is_refused "1:9: quiet takes yes or no, not 'on'" 'quiet = on'
check "a byte 0 in a configuration file" nul_is_refused
check "a configuration file that is not there" ends_and_says 78 "nowhere: cannot be read: No such file" --config nowhere count.image
check "a configuration file that is too long" ends_and_says 78 "is longer than the 1 MiB that is read at most" --config /dev/zero count.image

shows_environment() {
  ends 0 --env A=x --env B=y --env A=z=1 print-environment.image && [ "$(cat out)" = A=z=1 ] && ends_in_silence 0 print-environment.image
}
check "--env sets an entry of an environment that is empty else" shows_environment
check "an entry without a name: status 64" ends_and_says 64 "--env takes NAME=VALUE, not '=x'" --env =x count.image

statistics_are_json() { # STATUS WORDS ARGUMENT...
  ends "$1" --statistics json --quiet "${@:3}" && grep -q "$2" json || { cat json; return 1; }
  ! command -v python3 >/dev/null || python3 -c 'import json; json.load(open("json"))'
}
check "--statistics counts instructions" statistics_are_json 0 '"instructions": 2001,' count.image
check "and fuel" statistics_are_json 0 '"fuel": 2001,' count.image
check "and threads" statistics_are_json 0 '"threads": 1,' count.image
check "and bytes of output" statistics_are_json 0 '"output": 3,' --env A=x print-environment.image
check "and tells which fences stand" statistics_are_json 0 '"fences": {"seccomp": false, "landlock": false},' --no-confine count.image
check "--statistics counts host calls by name" statistics_are_json 0 '"host_calls": {"read": 0, "write": 1, "exit": 0, "env_count": 1, "env": 1}' \
  --env A=x print-environment.image
check "--statistics tells of a trap" statistics_are_json 132 '"trap": {"kind": "bad write", "address": "0x50008"' store-astray.image
check "--statistics - goes to standard error" ends_and_says 0 '"pages": 2,' --statistics - count.image
check "statistics that cannot be written are reported" ends_and_says 0 "/dev/full: cannot be written" --statistics /dev/full count.image
check "a file that cannot be opened for them: status 71" ends_and_says 71 "nowhere/s: cannot be written: No such file" --statistics nowhere/s count.image

# ---- verifying ----------------------------------------------------------------------------------------

verifies() { # STATUS WORDS ARGUMENT...: they are printed
  ends "$1" --verify "${@:3}" && grep -qF -e "$2" out || { cat out; return 1; }
}
verifies_as_json() {
  verifies "$1" "$2" --json "${@:3}" || return 1
  ! command -v python3 >/dev/null || python3 -c 'import json; json.load(open("out"))'
}
check "--verify has nothing to remark about a decent image" verifies 0 "nothing to remark" print-arguments.image
check "--verify tells sections and protections" verifies 0 "r-x  .text" count.image
check "--verify tells which host calls code reaches" verifies 0 "exit  granted  (only by unknown jumps, or never)" copy-input.image
check "--verify tells what is not allowed: status 77" verifies 77 "clock  NOT granted" ask-clock.image
check "unless it is" verifies 0 "clock  granted" --allow clock ask-clock.image
check "--verify tells of code that runs off its end: status 1" verifies 1 "goes to 0x1000e, where there is no code" read-astray.image
check "--verify tells of pages that are writable and executable: status 1" verifies 1 "(writable and executable)" hostile.image
check "--verify tells of branches astray" verifies 1 "_start, program.s:1: goes to 0x7777, where there is no code" hostile.image
check "--verify looks behind jump tables" verifies 1 "has a table at" hostile.image
check "--verify tells of host calls beyond the import list" verifies 1 "makes host call 9, of which the import list has 3" hostile.image
check "--verify tells of what is no instruction" verifies 1 "no instruction has opcode 1023" hostile.image
check "--verify counts jumps whose targets are in registers" verifies 1 "what 1 jumps through registers lead to" hostile.image
check "--verify --json is JSON" verifies_as_json 0 '"clean": true' count.image
check "so are remarks" verifies_as_json 1 '"why": "goes to 0x7777, where there is no code"' hostile.image
check "--verify of what is no image: status 65" ends_and_says 65 "not a Comet image" --verify "$root/tests/embed/test.sh"
state_is_no_image() { ends 123 --fuel 9 --core state spin.image && ends_and_says 64 "is a state; --verify takes images" --verify state; }
check "--verify of a state: status 64" state_is_no_image
check "--json alone: status 64" ends_and_says 64 "--json belongs to --verify" --json count.image
verdict_is_lost() { "$runner" --verify count.image >/dev/full 2>err; [ $? -eq 74 ] && says "standard output cannot be written"; }
check "a verdict that cannot be written: status 74" verdict_is_lost

# ---- the fence of the operating system ------------------------------------------------------------------

waiting_process_is() { # CONFINED ARGUMENT...: while it waits for input, what the system tells of it
  local wanted=$1 job status tries=0
  shift
  rm -f pipe3
  mkfifo pipe3
  "$runner" "$@" copy-input.image <pipe3 >out 2>err &
  job=$!
  exec 8>pipe3
  # It waits once it has passed something on.
  printf x >&8
  until [ -s out ] || [ $((tries += 1)) -gt 50 ]; do sleep 0.1; done
  status=$(sed -n 's/^\(Seccomp\|NoNewPrivs\):[[:space:]]*//p' "/proc/$job/status" | tr '\n' ' ')
  exec 8>&-
  wait "$job" || { cat err; return 1; }
  [ "$status" = "$wanted" ] || { echo "$status"; return 1; }
}
fence_holds() {
  "$cxx" -std=c++20 -Wall -Wextra "$root/tests/embed/confined.cpp" "$root/vm-ext/runner/confine.cpp" -o confined && ./confined
}
fence_is_missed() {
  ./confined "$runner" count.image 2>err
  [ $? -eq 0 ] && says "the system does not confine the runner (no_new_privs: Operation not permitted)" && says "--no-confine" &&
    ./confined "$runner" --no-confine count.image 2>err && [ ! -s err ]
}
check "a program runs behind a fence of the system" waiting_process_is "1 2 "
check "--no-confine leaves it away" waiting_process_is "0 0 " --no-confine
check "behind the fence nothing can be opened, started, connected or executed" fence_holds
check "where the system refuses it, the runner says so and goes on" fence_is_missed

# A state begins with the magic of the format.
is_state() { [ "$(head -c 4 "$1" | od -An -tx1 | tr -d ' \n')" = 89434d53 ]; }
writes_core() { # STATUS ARGUMENT...
  rm -f core
  ends "$1" --core core "${@:2}" && is_state core
}
core_is_small() { writes_core 132 store-astray.image && [ "$(stat -c %s core)" -lt 8192 ]; }
no_core() { ends 0 --core core count.image && [ ! -s core ]; }
records() {
  ends 3 --record record exit-with-3.image && is_state record &&
    printf 'some input' | "$runner" --record record copy-input.image | grep -qx 'some input' && grep -q 'some input' record
}
output_is_not_recorded() { ends 0 --record record print-arguments.image one "$(printf '%09999d' 0)" && [ "$(stat -c %s record)" -lt 40000 ]; }
survives_a_kill() { # what was executed is in the file
  rm -f record pipe2
  mkfifo pipe2
  "$runner" --record record copy-input.image <pipe2 >out 2>err &
  local job=$!
  exec 8>pipe2
  printf 'before the end' >&8
  local tries=0
  until grep -q 'before the end' record 2>/dev/null || [ $((tries += 1)) -gt 50 ]; do sleep 0.1; done
  kill -KILL "$job"
  wait "$job" 2>/dev/null
  exec 8>&-
  grep -q 'before the end' record
}
check "--core writes the state of a trap, in little room" core_is_small
check "--core writes the state when the fuel is used up" writes_core 123 --fuel 100 spin.image
check "--core writes the state when the time is over" writes_core 124 --time 0.1 spin.image
check "--core leaves an empty file when a program ends by itself" no_core
check "a core that cannot be opened: status 71" ends_and_says 71 "nowhere/core: cannot be written: No such file" --core nowhere/core store-astray.image
check "a device that is full is reported" ends_and_says 132 "/dev/full: cannot be written: No space left" --core /dev/full store-astray.image
check "--record writes what a program gets" records
check "--record writes no output" output_is_not_recorded
check "a program that is killed leaves its record" survives_a_kill
check "a record that cannot be opened: status 71" ends_and_says 71 "nowhere/record: cannot be written: No such file" --record nowhere/record count.image
check "a record that cannot be written: status 71" ends_and_says 71 "/dev/full: cannot be written" --record /dev/full count.image

hashes_agree() {
  ends 0 --hash count.image && mv err first && ends 0 --hash count.image && cmp first err && grep -qx 'hash: [0-9a-f]\{32\}' err
}
seeds_decide() {
  ends 0 --seed 1 --allow random print-random.image && mv out first && [ "$(wc -c <first)" -eq 16 ] &&
    ends 0 --seed 0x1 --allow random print-random.image && cmp first out &&
    ends 0 --seed 2 --allow random print-random.image && ! cmp -s first out && mv out first &&
    ends 0 --allow random print-random.image && ! cmp -s first out
}
check "equal runs end in equal hashes" hashes_agree
check "the seed decides the random numbers" seeds_decide

until_it_listens() { # JOB: until the runner catches signals
  local tries
  for tries in {1..200}; do
    grep -qs comet /proc/"$1"/comm && grep -q '^SigCgt:.*[1-9a-f]' /proc/"$1"/status && break
    sleep 0.05
  done
  sleep 0.1
}
# A job of its own has SIGINT as it comes at a terminal; in a script's background jobs it is ignored.
interrupted() { # IMAGE INPUT: ends with 130 soon after SIGINT
  "$runner" "$1" <"$2" >out 2>err &
  local job=$!
  until_it_listens "$job"
  kill -INT "$job"
  wait "$job"
  local status=$?
  [ "$status" -eq 130 ] && says "interrupted"
}
time_ends_waiting() {
  timeout 20 "$runner" --time 0.2 copy-input.image <pipe 2>err
  [ $? -eq 124 ] && says "out of time"
}
mkfifo pipe
exec 9<>pipe
# Below nohup SIGHUP would be ignored.
ended_by() { # SIGNAL STATUS IMAGE
  env --default-signal=HUP "$runner" --statistics json "$3" 2>err &
  local job=$!
  until_it_listens "$job"
  kill "-$1" "$job"
  wait "$job"
  [ $? -eq "$2" ] && grep -q "\"status\": $2" json
}
check "Ctrl-C ends a loop: status 130" interrupted spin.image /dev/null
check "SIGTERM ends a loop: status 143, and statistics are written" ended_by TERM 143 spin.image
check "so does SIGHUP: status 129" ended_by HUP 129 spin.image
check "a program with a handler for SIGTERM gets it" ended_by TERM 15 handle-signal.image
check "and no other" ended_by USR1 138 handle-signal.image
signals_in_a_row() { # some come while others are handed on
  env --default-signal=HUP "$runner" take-signals.image 2>err &
  local job=$! n
  until_it_listens "$job"
  for n in {1..3000}; do kill -HUP "$job" && kill -USR1 "$job" || break; done 2>/dev/null
  kill -TERM "$job"
  wait "$job"
  [ $? -eq 143 ]
}
check "a program gets signal upon signal and goes on" signals_in_a_row
check "Ctrl-C ends a wait for input: status 130" interrupted copy-input.image pipe
check "--time ends a wait for input: status 124" time_ends_waiting
exec 9>&-

output_is_closed() {
  timeout 20 "$runner" "$1" 2>err | head -c 1 >/dev/null
  echo "${PIPESTATUS[0]}" >status
  [ "$(cat status)" -eq "$2" ] && [ ! -s err ] || { cat status err; return 1; }
}
output_is_closed_and_ignored() {
  (trap '' PIPE; timeout 20 "$runner" write-until-it-fails.image) 2>err | head -c 1 >/dev/null
  [ "${PIPESTATUS[0]}" -eq 32 ]
}
no_output_at_all() { "$runner" write-until-it-fails.image >&-; [ $? -eq 9 ]; }
check "a program whose reader is gone ends: status 141" output_is_closed write-forever.image 141
check "with SIGPIPE ignored it gets the error" output_is_closed_and_ignored
check "a program without standard output gets an error" no_output_at_all
full_disk() { "$runner" write-until-it-fails.image >/dev/full; [ $? -eq 28 ]; }
check "a device that is full gives an error" full_disk

# ---- uninstalling ----------------------------------------------------------------------------------

cd "$root" || exit 1
leaves_nothing() { install_into_stage uninstall && [ -z "$(find "$stage" ! -type d)" ]; }
check "make uninstall leaves nothing behind" leaves_nothing

summary
