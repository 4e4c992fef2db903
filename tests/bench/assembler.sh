#!/bin/bash
# The assembler beside GNU as, each on so many plain instructions of its own machine: lines a second of processor
# time, the ratio, and the memory that a line takes; then a source in which every line branches.
# assembler.sh [LINES]. BUILD names the build folder.
set -u
cd "$(dirname "$0")/../.." || exit 1
lines=${1:-1000000}
comet=${BUILD:-build}/comet-vm
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

awk -v lines="$lines" 'BEGIN {
  srand(1)
  print "_start:"
  for (i = 0; i < lines; i++) {
    a = int(rand() * 30); b = int(rand() * 30)
    if (i % 4 == 0) printf "        add     r%d, r%d, r%d\n", a, b, int(rand() * 30)
    else if (i % 4 == 1) printf "        addi    r%d, r%d, %d\n", a, b, int(rand() * 1000) - 500
    else if (i % 4 == 2) printf "        imm     r%d, %d\n", a, int(rand() * 1000000)
    else printf "        ldu64   r%d, r%d, %d\n", a, b, 8 * int(rand() * 16)
  }
  print "        halt"
}' >"$work/comet.s"
case $(uname -m) in
  x86_64) awk -v lines="$lines" 'BEGIN {
    split("addq %rax, %rbx;movq $5, %rcx;xorq %rdx, %rax;movq 8(%rsp), %rdi", text, ";")
    for (i = 0; i < lines; i++) print "        " text[i % 4 + 1] }' ;;
  aarch64) awk -v lines="$lines" 'BEGIN {
    split("add x0, x1, x2;mov x3, #5;eor x4, x5, x6;ldr x7, [x8, #8]", text, ";")
    for (i = 0; i < lines; i++) print "        " text[i % 4 + 1] }' ;;
  *) awk -v lines="$lines" 'BEGIN { for (i = 0; i < lines; i++) print "        .long   " i }' ;;
esac >"$work/host.s"

TIMEFORMAT='%U %S'
# The median of three runs, in seconds of processor time.
seconds() {
  for _ in 1 2 3; do { time "$@" >/dev/null; } 2>&1 | awk '{print $1 + $2}'; done | sort -n | sed -n 2p
}

ours=$(seconds "$comet" asm "$work/comet.s" -o "$work/comet.img")
awk -v n="$lines" -v s="$ours" 'BEGIN {printf "comet-vm asm: %d lines in %.2f s, %d lines a second\n", n, s, n / s}'
# memory NAME COMMAND...: the most that the command had, for each line.
memory() {
  local name=$1 kilobytes
  shift
  [ -x /usr/bin/time ] || return
  kilobytes=$(/usr/bin/time -f %M "$@" 2>&1 | tail -1)
  awk -v name="$name" -v n="$lines" -v k="$kilobytes" 'BEGIN {printf "%s: %d bytes of memory a line\n", name, k * 1024 / n}'
}
memory "comet-vm asm" "$comet" asm "$work/comet.s" -o "$work/comet.img"
memory "comet-vm asm -c" "$comet" asm -c "$work/comet.s" -o "$work/comet.o"
memory "comet-vm link" "$comet" link "$work/comet.o" -o "$work/comet.img"
if command -v as >/dev/null; then
  theirs=$(seconds as "$work/host.s" -o "$work/host.o")
  awk -v n="$lines" -v s="$theirs" -v o="$ours" 'BEGIN {
    printf "GNU as: %d lines in %.2f s; comet-vm asm takes %.1f times as long\n", n, s, o / (s > 0 ? s : 0.01)}'
  memory "GNU as" as "$work/host.s" -o "$work/host.o"
fi

awk 'BEGIN {
  srand(1)
  print "_start:"
  for (i = 0; i < 100000; i++) printf "L%d:   bnei    r1, %d, L%d\n", i, i % 50, int(rand() * 100000)
  print "        halt"
}' >"$work/branches.s"
"$comet" asm --statistics "$work/branches.s" -o "$work/branches.img" 2>&1 | sed 's/.*: /comet-vm asm, branches everywhere: /'
