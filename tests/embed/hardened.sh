#!/bin/bash
# Whether the library and the runner have the guards that the build asked for: hardened.sh [FOLDER], build unless given.
# Those of HARDENED=1 are looked for where FOLDER is such a build's.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${1:-build}
passed=0 failed=0
holds() { # WHAT COMMAND
  if bash -c "$2" >/dev/null 2>&1; then passed=$((passed + 1)); else failed=$((failed + 1)) && echo "not ok - $1"; fi
}

for file in "$build/libcomet-vm.so" "$build/comet-vm-no-scheme"; do
  holds "$file is there" "test -s $file"
  holds "$file: what the linker filled in is read-only" "readelf -lW $file | grep -q GNU_RELRO"
  holds "$file: all of it is filled in before it runs" "readelf -dW $file | grep -qE 'BIND_NOW|FLAGS_1.* NOW'"
  holds "$file: nothing of the stack is executed" "readelf -lW $file | grep GNU_STACK | grep -q 'RW '"
  holds "$file: no page is written and executed" "! readelf -lW $file | grep -q 'LOAD.* RWE'"
  holds "$file: no code is changed for where it lies" "! readelf -dW $file | grep -q TEXTREL"
done
holds "the runner lies anywhere" "readelf -hW $build/comet-vm-no-scheme | grep -q 'Type: *DYN'"

case $build in
  *hardened)
    for file in "$build/libcomet-vm.so" "$build/comet-vm-no-scheme"; do
      holds "$file: functions look whether their frame was written over" "readelf -sW $file | grep -q __stack_chk_fail"
      holds "$file: calls of the C library know how long what they write to is" "readelf -sW $file | grep -qE '_chk(@|\$)'"
      holds "$file: containers look whether an index lies within" "readelf -sW $file | grep -q glibcxx_assert_fail"
      [ "$(uname -m)" != x86_64 ] || holds "$file: it can have a shadow stack" "readelf -nW $file | grep -q SHSTK"
    done ;;
esac

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
