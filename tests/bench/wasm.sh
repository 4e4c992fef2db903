#!/bin/bash
# WebAssembly: the C programs of the bench compiled for WASI by clang -O2, run by us (converting included) and by
# another engine; how fast large modules are converted, and in how much memory; CoreMark.
#
#     wasm.sh [-r ROUNDS] [-m MODULE]... [-c COREMARK] [COMMAND]
#
# COMMAND is a shell command of the other engine, in which {module} is a module's path. COREMARK is a folder with
# CoreMark's sources. What was not given is left out. BUILD names the build folder.
set -eu
rounds=3
modules=()
coremark=
while getopts r:m:c: option; do
  case $option in
    r) rounds=$OPTARG ;;
    m) modules+=("$(realpath "$OPTARG")") ;;
    c) coremark=$(realpath "$OPTARG") ;;
    *) exit 2 ;;
  esac
done
shift $((OPTIND - 1))
other=${1:-}
build=$(realpath "${BUILD:-build}")
cd "$(dirname "$0")"
comet=$build/comet-vm
work=$build/bench/wasm
core=$(($(nproc) - 1))
mkdir -p "$work"
"${CC:-gcc}" -O2 -o "$work/measure" measure.c

compile() { clang --target=wasm32-wasi -O2 "$@"; }
if ! echo 'int main(void) { return 0; }' | compile -x c - -o "$work/none.wasm" 2>/dev/null; then
  echo "bench: WebAssembly is left out; it takes clang, lld, wasi-libc and libclang-rt-dev-wasm32"
  exit
fi

# The middle of what a command takes in seconds, and the most memory in KiB; what it prints goes to $work/output.
middle() {
  local n
  for n in $(seq "$rounds"); do
    "$work/measure" "$core" "$@" 3>"$work/time" >"$work/output" 2>&1 || { echo "bench: $* failed: $(tail -c 200 "$work/output")" >&2; exit 1; }
    cat "$work/time"
  done | sort -n | awk '{ s[NR] = $1; if ($2 > m) m = $2 } END { print s[int((NR + 1) / 2)], m }'
}

echo "WebAssembly, seconds of processor time, converting included; ${rounds} rounds, the middle one"
printf '%-8s %8s %8s %8s\n' program comet other ratio
for program in fib sieve matmul mandel nbody sha256 qsort hash forth search chase calls; do
  compile "programs/$program.c" programs/main.c -o "$work/$program.wasm"
  ours=$(middle "$comet" run "$work/$program.wasm")
  result=$(cat "$work/output")
  theirs=
  if [ -n "$other" ]; then
    theirs=$(middle bash -c "${other//\{module\}/$work/$program.wasm}")
    if [ "$(tail -n 1 "$work/output" | grep -oE '[0-9]+$')" != "$result" ]; then
      echo "bench: the results for $program differ" >&2
      exit 1
    fi
  fi
  echo "$program ${ours% *} ${theirs% *}"
done | awk '
  { printf "%-8s %8.2f", $1, $2 }
  NF > 2 { printf " %8.2f %8.2f", $3, $2 / $3; sum += log($2 / $3); n++ }
  { print "" }
  END { if (n) printf "geometric mean of ratios: %.2f\n", exp(sum / n) }'

# Without what the program itself takes to start, in time and in memory.
if [ ${#modules[@]} -gt 0 ]; then read -r start least < <(middle "$comet" image "$work/none.wasm" -o "$work/none.img"); fi
for module in "${modules[@]}"; do
  read -r seconds memory < <(middle "$comet" image "$module" -o "$work/module.img")
  awk -v name="${module##*/}" -v bytes="$(stat -c %s "$module")" -v seconds="$seconds" -v start="$start" -v memory="$((memory - least))" 'BEGIN {
    printf "%s: %.2f MB converted in %.2f s, %.1f MB/s, memory %.0f times its size\n",
      name, bytes / 1e6, seconds, bytes / 1e6 / (seconds - start), memory * 1024 / bytes }'
done

if [ -n "$coremark" ]; then
  compile -I"$coremark" -I"$coremark/simple" -DFLAGS_STR='""' -DPERFORMANCE_RUN=1 -DITERATIONS=12000 \
    -D_WASI_EMULATED_PROCESS_CLOCKS "$coremark"/core_*.c "$coremark/simple/core_portme.c" \
    -lwasi-emulated-process-clocks -o "$work/coremark.wasm"
  score() { sed -n 's|^Iterations/Sec *: *||p' "$work/output"; }
  middle "$comet" run --allow clock "$work/coremark.wasm" >/dev/null
  ours=$(score)
  theirs=
  if [ -n "$other" ]; then
    middle bash -c "${other//\{module\}/$work/coremark.wasm}" >/dev/null
    theirs=$(score)
  fi
  awk -v ours="$ours" -v theirs="$theirs" 'BEGIN {
    printf "CoreMark: %.0f", ours; if (theirs) printf ", the other %.0f, which is %.2f of ours", theirs, theirs / ours; print "" }'
fi
