#!/bin/bash
# How fast the benchmarks are when the fused handlers were chosen without the training programs that are near
# them: each program runs on the library as it is and on one whose choice left its kin out. See
# vm-ext/machine/README.md. Slow: one file of the library is compiled for each program. `make bench-leave-one-out`
# runs it.
#
#     leave-one-out.sh [-p "PROGRAM …"]       BUILD, CHOOSE, COMPILE, LINK, RUNNER: from the Makefile
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
programs="fib sieve matmul mandel nbody sha256 qsort hash forth search chase calls"
while getopts p: option; do
  case $option in
    p) programs=$OPTARG ;;
    *) exit 2 ;;
  esac
done
work=$BUILD/leave-one-out

# The training programs that do something of the kind.
kin_of() {
  case $1 in
    fib) echo recursion counting queens ;;
    calls) echo recursion counting machines ;;
    sieve) echo tables bits ;;
    matmul | nbody) echo vectors numeric compiled-numbers ;;
    mandel) echo numeric vectors compiled-numbers ;;
    sha256) echo digests bits ;;
    qsort) echo structures stacks tables compiled-structures ;;
    hash) echo digests structures tables compiled-structures ;;
    forth) echo machines stacks compiled-machines ;;
    search) echo text compiled-structures ;;
    chase) echo structures compiled-structures ;;
  esac
}

for program in $programs; do
  folder=$work/$program
  mkdir -p "$folder"
  # The sources as they are, but for the choice.
  cp -r "$root/vm-ext" "$folder"
  # shellcheck disable=SC2046,SC2086
  $CHOOSE $(kin_of "$program") <"$root/vm-ext/machine/fusing/training.profile" >"$folder/vm-ext/machine/fused.def"
  # shellcheck disable=SC2086
  $COMPILE -c -o "$folder/fused.o" "$folder/vm-ext/machine/fused.cpp"
  # shellcheck disable=SC2086
  $LINK -o "$folder/comet" $RUNNER "$folder/fused.o" "$BUILD/libcomet-vm.a" -lpthread
  rm -r "$folder/vm-ext"
done
exec "$root/tests/bench/bench.sh" -r "${ROUNDS:-5}" -p "$programs" -e "gcc-O2 comet" \
  left-out="exec $work/{program}/comet $BUILD/bench/{program}.img"
