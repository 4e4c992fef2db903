#!/bin/bash
# What starting costs: processor time that decoding an instruction takes, of the programs of the bench, the training and
# the examples (decoding.cpp), once and twenty times one behind the other; of a straight program that executes each of its
# instructions once, over one of the same size that executes three, with its execution; what a program of so many
# instructions that executes a thousand has decoded; what the runner takes to start, run `hello` and exit;
# and how large the shared library is.
# starting.sh [INSTRUCTIONS]. BUILD names the build folder.
set -eu
cd "$(dirname "$0")/../.."
count=${1:-300000}
build=${BUILD:-build}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${CC:-gcc}" -O2 -o "$work/measure" tests/bench/measure.c

images=()
for source in tests/bench/programs/*.s tests/training/*.s examples/*.s; do
  image=$work/$(basename "${source%.s}").img
  if [ "${source##*/}" != result.s ] && "$build/comet-vm" asm "$source" -o "$image" 2>/dev/null; then images+=("$image"); fi
done
"$build/comet-vm" image examples/json.wasm -o "$work/json.img"
images+=("$work/json.img")
for copies in 1 20; do "$build/tests/decoding" $copies "${images[@]}"; done

# A program whose first instructions are $1.
program() {
  awk -v count="$count" -v first="$1" 'BEGIN {
    srand(1)
    print "_start:\n        imm     r40, table\n" first
    for (i = 0; i < count; i++) {
      a = 1 + int(rand() * 30); b = 1 + int(rand() * 30)
      if (i % 6 == 0) printf "        add     r%d, r%d, r%d\n", a, b, 1 + int(rand() * 30)
      else if (i % 6 == 1) printf "        addi    r%d, r%d, %d\n", a, b, int(rand() * 1000)
      else if (i % 6 == 2) printf "        imm     r%d, %d\n", a, int(rand() * 100000)
      else if (i % 6 == 3) printf "        ldu64   r%d, r40, %d\n", a, 8 * int(rand() * 16)
      else if (i % 6 == 4) printf "        st64    r40, r%d, %d\n", a, 8 * int(rand() * 16)
      else printf "        xor     r%d, r%d, r%d\n", a, b, 1 + int(rand() * 30)
    }
    print "        halt\n        .bss\ntable:  .zero   128"
  }' >"$work/$2.s"
  "$build/comet-vm" asm "$work/$2.s" -o "$work/$2.img" 2>/dev/null # warns of code behind a halt
}
program "        nop" all
program "        halt" few

# The median of seven runs, in seconds of processor time.
seconds() {
  for _ in 1 2 3 4 5 6 7; do
    "$work/measure" $(($(nproc) - 1)) "$build/comet-vm-no-scheme" --quiet "$@" 3>"$work/time"
    cut -d' ' -f1 "$work/time"
  done | sort -n | sed -n 4p
}
awk -v n="$count" -v all="$(seconds "$work/all.img")" -v few="$(seconds "$work/few.img")" 'BEGIN {
  printf "decoding: %.0f ns an instruction the first time that it is executed, its memory and its execution included\n",
    (all - few) * 1e9 / n }'
"$build/comet-vm-no-scheme" --quiet --statistics - --fuel 1000 "$work/all.img" 2>&1 |
  sed -n "s/^ *\"decoded\": /executing 1000 of $count instructions: decoded /p" || true

"$build/comet-vm" asm examples/hello.s -o "$work/hello.img"
for _ in $(seq 51); do
  "$work/measure" $(($(nproc) - 1)) "$build/comet-vm-no-scheme" "$work/hello.img" 3>"$work/time" >/dev/null
  cat "$work/time"
done | sort -n -k3 | sed -n 26p |
  awk '{ printf "hello: the runner starts, runs it and exits in %.1f ms, %.1f of them on the processor, with %.1f MB resident\n", 1000 * $3, 1000 * $1, $2 / 1024 }'
strip -o "$work/stripped" "$build/libcomet-vm.so"
echo "libcomet-vm.so, stripped: $(($(stat -c %s "$work/stripped") / 1000)) KB"
