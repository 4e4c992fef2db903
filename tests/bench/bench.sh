#!/bin/bash
# Times programs that exist as Comet assembly and as C, and some as Lua, Python and JavaScript, on whatever
# engines the machine has: on one core, in turn, several times. Results are compared first.
#
#     bench.sh [-r ROUNDS] [-p "PROGRAM …"] [-e "ENGINE …"] [-b REFERENCE] [NAME=COMMAND …]
#
# COMMAND is a shell command that prints a program's result, as a number at the end of its last line; {program} in
# it is the program's name. -e names those of the engines that the bench knows by itself which are to run: gcc-O2
# gcc-O0 gcc-no-inline comet luajit luajit-joff lua python3 node, and what tells of costs: comet-limits (a deadline and
# fuel, over comet) and comet-profile (samples of a run, over comet-run, which is comet-vm run). Engines that the machine
# does not have are left out. They are compared with gcc -O2, and with REFERENCE, which is the first NAME that was given
# unless -b says otherwise. Writes results.txt (what was measured), results.json and chart.svg to build/bench, and prints
# tables.
set -eu
cd "$(dirname "$0")"
programs="fib sieve matmul mandel nbody sha256 qsort hash forth search chase calls"
rounds=5
reference=
known="gcc-O2 gcc-O0 gcc-no-inline comet luajit luajit-joff lua python3 node comet-limits comet-run comet-profile"
while getopts r:p:e:b: option; do
  case $option in
    r) rounds=$OPTARG ;;
    p) programs=$OPTARG ;;
    e) known=$OPTARG ;;
    b) reference=$OPTARG ;;
    *) exit 2 ;;
  esac
done
shift $((OPTIND - 1))

build=${BUILD:-../../build}
work=$build/bench
core=$(($(nproc) - 1))
slow=15 # seconds: what takes as long runs once
mkdir -p "$work"
gcc=${CC:-gcc}
"$gcc" -O2 -o "$work/measure" measure.c

engines=()
declare -A commands
for name in $known; do
  case $name in
    gcc-* | comet | comet-*) engines+=("$name") ;;
    *) if command -v "${name%-joff}" >/dev/null; then engines+=("$name"); fi ;;
  esac
done
for engine in "$@"; do
  case $engine in
    ?*=?*) ;;
    *) echo "bench: expected NAME=COMMAND, not $engine" >&2; exit 2 ;;
  esac
  engines+=("${engine%%=*}")
  commands[${engine%%=*}]=${engine#*=}
  reference=${reference:-${engine%%=*}}
done
case " ${engines[*]} " in
  *" ${reference:-comet} "*) ;;
  *) echo "bench: there is no engine $reference to compare with" >&2; exit 2 ;;
esac

# The command of an engine for a program; nothing when it has none.
command_of() {
  local source=programs/$2
  case $1 in
    gcc-no-inline) [ "$2" != fib ] || echo "$work/$2.$1" ;;
    gcc-*) echo "$work/$2.$1" ;;
    comet) echo "$build/comet-vm-no-scheme $work/$2.img" ;;
    comet-limits) echo "$build/comet-vm-no-scheme --time 86400 --fuel 1000000000000000 $work/$2.img" ;;
    comet-run) echo "$build/comet-vm run $work/$2.img" ;;
    comet-profile) echo "$build/comet-vm run --profile=$work/$2.profile $work/$2.img" ;;
    lua | luajit) [ ! -e "$source.lua" ] || echo "$1 $source.lua" ;;
    luajit-joff) [ ! -e "$source.lua" ] || echo "luajit -joff $source.lua" ;;
    python3) [ ! -e "$source.py" ] || echo "$1 $source.py" ;;
    node) [ ! -e "$source.js" ] || echo "$1 $source.js" ;;
    *) echo "${commands[$1]//\{program\}/$2}" ;;
  esac
}

# Runs one; leaves "seconds KiB" in $work/time and what it printed in $work/output.
run_one() {
  local command=$1
  # shellcheck disable=SC2086
  case $2 in
    given) "$work/measure" "$core" bash -c "$command" ;;
    *) "$work/measure" "$core" $command ;;
  esac 3>"$work/time" >"$work/output" 2>&1
}

declare -A expected done_with
for program in $programs; do
  "$build/comet-vm" asm "programs/$program.s" -o "$work/$program.img"
  for level in O2 O0; do "$gcc" -$level -o "$work/$program.gcc-$level" programs/{main,$program}.c -lm; done
  if [ "$program" = fib ]; then "$gcc" -O2 -fno-inline -o "$work/fib.gcc-no-inline" programs/{main,fib}.c; fi
  expected[$program]=$("$work/$program.gcc-O2")
done

# A first round, which is not counted, warms the caches up and compares the results.
: >"$work/results.txt"
for round in $(seq 0 "$rounds"); do
  for program in $programs; do
    for engine in "${engines[@]}"; do
      command=$(command_of "$engine" "$program")
      if [ -z "$command" ] || [ -n "${done_with[$engine $program]:-}" ]; then continue; fi
      if ! run_one "$command" "${commands[$engine]+given}"; then
        echo "bench: $engine failed for $program: $(tail -c 200 "$work/output")" >&2
        exit 1
      fi
      result=$(tail -n 1 "$work/output" | grep -oE '[0-9]+$' || true)
      if [ "$result" != "${expected[$program]}" ]; then
        echo "bench: $engine gives '$result' for $program, gcc gives ${expected[$program]}" >&2
        exit 1
      fi
      read -r seconds memory _ <"$work/time"
      if [ "${seconds%.*}" -ge $slow ]; then done_with[$engine $program]=1; fi
      if [ "$round" != 0 ] || [ -n "${done_with[$engine $program]:-}" ]; then
        echo "$program $engine $seconds $memory" >>"$work/results.txt"
      fi
    done
  done
  if [ -t 2 ]; then echo "bench: round $round of $rounds" >&2; fi
done

COMET_ROOT=$(cd ../.. && pwd) COMET_LOAD=source gsi -:dar1-,f8 -e '(load "../../scheme-lib/boot.scm")' \
  -e '(include "report.scm")' -e "(report \"$work\" \"$programs\" \"${engines[*]}\" \"${reference:-comet}\")" </dev/null
