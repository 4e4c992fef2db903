#!/bin/bash
# Runs test suites, as many at a time as there are processors, and adds up what they count:
#     run-suites.sh LOG-FOLDER NAME COMMAND [NAME COMMAND]...
# A suite ends with a line `N passed, N failed`, or is a Boost.Test program that reports its test cases.
# Its whole output goes to LOG-FOLDER/NAME.log; what failed is shown at once, and named again at the end, which is what
# a cut log keeps. Exits 1 when anything failed.
set -u
logs=$1
shift
mkdir -p "$logs"
passed=0 failed=0 failures=

run() {
  local name=$1 command=$2 begin status
  begin=$(date +%s)
  bash -c "$command" >"$logs/$name.log" 2>&1 </dev/null
  status=$?
  echo "$name $status $(($(date +%s) - begin))"
}

# Adds up the suite that a line of `run` tells of.
add() {
  local name=$1 status=$2 seconds=$3 log=$logs/$1.log summary suite_passed suite_failed
  summary=$(grep -E '^([a-z-]+: )?[0-9]+ passed, [0-9]+ failed' "$log" | tail -n 1)
  if [ -n "$summary" ]; then
    suite_passed=$(sed -E 's/^([a-z-]+: )?([0-9]+) passed, ([0-9]+) failed.*/\2/' <<<"$summary")
    suite_failed=$(sed -E 's/^([a-z-]+: )?([0-9]+) passed, ([0-9]+) failed.*/\3/' <<<"$summary")
  else
    suite_passed=$(sed -nE 's/^ *([0-9]+) test cases? out of [0-9]+ passed.*/\1/p' "$log" | head -n 1)
    suite_failed=$(sed -nE 's/^ *([0-9]+) test cases? out of [0-9]+ failed.*/\1/p' "$log" | head -n 1)
    suite_passed=${suite_passed:-0} suite_failed=${suite_failed:-0}
  fi
  # A suite that dies, or runs nothing, has failed whatever it counted.
  if [ "$suite_failed" = 0 ] && { [ "$status" != 0 ] || [ "$suite_passed" = 0 ]; }; then
    suite_failed=1
    echo "not ok - $name: exit status $status, $suite_passed tests passed, none reported as failed" >>"$log"
  fi
  passed=$((passed + suite_passed)) failed=$((failed + suite_failed))
  printf '%-24s %6d passed, %d failed  (%d s)\n' "$name" "$suite_passed" "$suite_failed" "$seconds"
  if [ "$suite_failed" != 0 ]; then
    local lines
    lines=$(grep -nE '^not ok|error:|Error|ERROR|FAIL' "$log" | head -n 40)
    failures+=$(sed "s/^/$name:/" <<<"$lines")$'\n'
    echo "$lines"
    echo "--- the end of $log:"
    tail -n 25 "$log"
    echo "---"
  fi
}

start_all() {
  local room
  room=$(nproc)
  while [ $# -ge 2 ]; do
    [ "$room" -gt 0 ] || { wait -n; room=1; }
    run "$1" "$2" &
    room=$((room - 1))
    shift 2
  done
  wait
}

suites=$(($# / 2)) ended=0
while read -r name status seconds; do
  add "$name" "$status" "$seconds"
  ended=$((ended + 1))
done < <(start_all "$@")
if [ "$ended" != "$suites" ]; then
  echo "not ok - $ended of $suites suites came to their end"
  failed=$((failed + suites - ended))
fi

printf '%s' "$failures"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
