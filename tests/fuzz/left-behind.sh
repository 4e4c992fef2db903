#!/bin/bash
# Damaged cores and recordings of real programs, through the debugger: left-behind.sh SEED COUNT. BUILD names the build
# folder.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${BUILD:-build}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$build/comet-vm" run --quiet --core "$work/trap.core" tests/repl/programs/trap.s </dev/null >/dev/null 2>&1
"$build/comet-vm" run --quiet --record "$work/list.replay" tests/repl/programs/broken-list.s </dev/null >/dev/null 2>&1
"$build/comet-vm" run --quiet --record "$work/words.replay" examples/wc.s <<<"a few words" >/dev/null 2>&1
mkdir "$work/damaged"
"$build/tests/state-fuzz" -o "$work/damaged" "$1" 0 "$2" "$work"/*.core "$work"/*.replay || exit 1
DAMAGED=$work/damaged COUNT=$2 exec timeout 600 "$build/comet-vm" test tests/fuzz/left-behind.scm </dev/null
