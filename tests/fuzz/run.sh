#!/bin/bash
# Fuzzes targets, each for some time, and says what that came to: run.sh seeds|libfuzzer SECONDS SEED TARGET...
#
# seeds: inputs drawn from SEED, the same on every host, with the sanitizers. libfuzzer: clang's libFuzzer, which looks for
# inputs that reach what none did before, beginning with a corpus that is drawn from SEED and kept. Targets in Scheme know
# seeds alone, and are given one after the other. BUILD names the build folder; in BUILD/fuzz are TARGET.log,
# crashes/TARGET and corpus/TARGET.
set -u
cd "$(dirname "$0")/../.." || exit 1
way=$1 seconds=$2 seed=$3
shift 3
build=${BUILD:-build}
images=("$build"/tests/images/*.img)
TIMEFORMAT='%U %S'
failed=0

# Over and over with another seed, until the time is over.
repeat() { # COMMAND...
  local end=$((SECONDS + seconds)) now=$seed
  while [ "$SECONDS" -lt "$end" ]; do
    SEED=$now "$@" || return 1
    now=$((now + 1))
  done
}
in_scheme() { # COUNT FILE
  COUNT=$1 repeat "$build/comet-vm" test "$2"
}
left_behind() { BUILD=$build tests/fuzz/left-behind.sh "$SEED" 300; }

by_libfuzzer() { # TARGET
  local corpus=$build/fuzz/corpus/$1 files=() longest=16384
  [ "$1" != image ] || files=("${images[@]}")
  [ "$1" != api ] || longest=1500 # a byte is worth a lot of calls
  mkdir -p "$corpus"
  [ -n "$(ls -A "$corpus")" ] || "$build/tests/$1-fuzz" -o "$corpus" "$seed" 0 100 "${files[@]}" || return 1
  "$build/libfuzzer/tests/$1-fuzz" -max_total_time="$seconds" -max_len="$longest" -timeout=60 -rss_limit_mb=2048 \
    -print_final_stats=1 -artifact_prefix="$crashes/" "$corpus"
}

fuzz() { # TARGET
  local sanitized=$build/sanitize/tests
  case $way:$1 in
    libfuzzer:image | libfuzzer:link | libfuzzer:state | libfuzzer:replay | libfuzzer:api) by_libfuzzer "$1" ;;
    *:image) "$sanitized/image-fuzz" "$seed" 0 "${seconds}s" "${images[@]}" ;;
    *:link | *:state | *:replay | *:api | *:races) "$sanitized/$1-fuzz" "$seed" 0 "${seconds}s" ;;
    *:lockstep | *:turns) "$sanitized/$1" "$seed" 0 "${seconds}s" ;;
    *:left-behind) repeat left_behind ;;
    *:objects) in_scheme 300 tests/asm/fuzz-binaries.scm ;;
    *:sources) in_scheme 2000 tests/asm/fuzz.scm ;;
    *:wasm) in_scheme 100000 tests/scheme/wasm-fuzz.scm ;;
    *:travel) in_scheme 60 tests/travel/travel.scm ;;
    *) echo "there is no target $1" && return 64 ;;
  esac
}

# How many inputs a log tells of, and the edges of the core's control flow that libFuzzer saw.
inputs() { awk '/^stat::number_of_executed_units:/ { n += $2 } / damaged modules: / { n += $1 - 1 } / passed, [0-9]+ failed$/ { n += $(NF - 3) } END { print n + 0 }' "$1"; }
edges() { sed -nE 's/.* cov: ([0-9]+) .*/\1/p' "$1" | tail -n 1; }

printf '%-12s %10s %12s %8s  %s\n' target inputs 'CPU seconds' edges found
for target in "$@"; do
  log=$build/fuzz/$target.log crashes=$build/fuzz/crashes/$target
  mkdir -p "$crashes"
  found=nothing
  taken=$({ time CRASHES=$crashes fuzz "$target" >"$log" 2>&1 </dev/null || echo failed >&2; } 2>&1)
  case $taken in *failed*) found="see $log" failed=$((failed + 1)) ;; esac
  printf '%-12s %10s %12.0f %8s  %s\n' "$target" "$(inputs "$log")" "$(awk '{ n += $1 + $2 } END { print n }' <<<"${taken/failed/}")" \
    "$(edges "$log")" "$found"
done
[ "$failed" = 0 ]
