#!/bin/bash
# Times programs that exist as Comet assembly, as C, and where natural as Lua and Python, in turn, several
# times, and prints the medians of the CPU seconds as ratios to gcc -O2. Results are compared first.
#     bench.sh [ROUNDS]
set -eu
cd "$(dirname "$0")"
rounds=${1:-5}
build=${BUILD:-build}
case $build in /*) ;; *) build=../../$build ;; esac
work=$build/bench
mkdir -p "$work"
programs="fib sieve mandel hash"

for program in $programs; do
  "$build/comet-vm" asm "$program.s" -o "$work/$program.img"
  ${CC:-cc} -O2 -o "$work/$program.O2" main.c "$program.c"
  ${CC:-cc} -O0 -o "$work/$program.O0" main.c "$program.c"
done

# The command of an engine for a program; nothing when it has none.
command_of() {
  case $1 in
    gcc-O2) echo "$work/$2.O2" ;;
    gcc-O0) echo "$work/$2.O0" ;;
    comet) echo "$build/comet-vm-no-scheme $work/$2.img" ;;
    lua | luajit | python3)
      extension=lua
      [ "$1" = python3 ] && extension=py
      if [ -e "$2.$extension" ] && command -v "$1" >/dev/null; then echo "$1 $2.$extension"; fi ;;
  esac
}

TIMEFORMAT='%U %S'
median() { sort -n | awk '{a[NR]=$1} END {print (NR % 2 ? a[(NR+1)/2] : (a[NR/2]+a[NR/2+1])/2)}'; }

engines="gcc-O2 gcc-O0 comet luajit lua python3"
printf '%-8s' program
for engine in $engines; do printf '%10s' "$engine"; done
echo '   (gcc -O2 in CPU seconds, the others as multiples of it)'
for program in $programs; do
  expected=$("$work/$program.O2")
  declare -A times=()
  for round in $(seq "$rounds"); do
    for engine in $engines; do
      command=$(command_of "$engine" "$program")
      [ -n "$command" ] || continue
      # The slowest engines run once: their ratio needs no more.
      case $engine in python3 | lua) [ "$round" = 1 ] || continue ;; esac
      { time $command >"$work/output" 2>&1; } 2>"$work/time"
      if [ "$(cat "$work/output")" != "$expected" ]; then
        echo "bench: $engine gives $(head -c 80 "$work/output") for $program, gcc gives $expected" >&2
        exit 1
      fi
      times[$engine]+="$(awk '{print $1 + $2}' "$work/time") "
    done
  done
  base=$(tr ' ' '\n' <<<"${times[gcc-O2]}" | grep . | median)
  printf '%-8s' "$program"
  for engine in $engines; do
    if [ -z "${times[$engine]:-}" ]; then printf '%10s' -; continue; fi
    middle=$(tr ' ' '\n' <<<"${times[$engine]}" | grep . | median)
    if [ "$engine" = gcc-O2 ]; then printf '%9.3fs' "$middle"
    else printf '%10.2f' "$(awk -v a="$middle" -v b="$base" 'BEGIN {print a / (b > 0 ? b : 0.001)}')"; fi
  done
  echo
  unset times
done
