#!/usr/bin/env bash
# Assembles every example, runs it in the runner without Scheme and in comet-vm, and compares what it says
# with the platform's own tool or with a computation of its own in awk. Needs bash, coreutils and awk.
#
#     tests/examples/run.sh            with build/comet-vm and build/comet-vm-no-scheme
#     BUILD=/elsewhere tests/examples/run.sh

set -u
export LC_ALL=C

root=$(cd "$(dirname "$0")/../.." && pwd)
build=${BUILD:-$root/build}
comet=$build/comet-vm
runner=$build/comet-vm-no-scheme
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

. "$root/tests/harness.sh"

# same NAME EXPECTED ACTUAL: two files are equal; shows the beginning of both where they are not.
same() {
  if cmp -s "$2" "$3"; then
    ok "$1"
  else
    not_ok "$1"
    echo "# expected:"
    head -c 400 "$2" | head -n 8 | awk '{ print "#   " $0 }'
    echo "# but got:"
    head -c 400 "$3" | head -n 8 | awk '{ print "#   " $0 }'
  fi
}

# run_in WHERE EXAMPLE [ARGUMENT...]: runs an example in `runner` or `comet-vm`; the streams are the caller's.
run_in() {
  local where=$1 example=$2
  shift 2
  if [ "$where" = runner ]; then
    "$runner" "$scratch/$example.img" "$@"
  else
    "$comet" run "$root/examples/$example.s" "$@"
  fi
}

# expect NAME EXAMPLE EXPECTED STATUS INPUT [ARGUMENT...]: both ways it gives this output and this status.
expect() {
  local name=$1 example=$2 expected=$3 status=$4 input=$5 where actual
  shift 5
  for where in runner comet-vm; do
    actual=0
    run_in "$where" "$example" "$@" < "$input" > "$scratch/out" 2> "$scratch/err" || actual=$?
    if [ "$actual" -ne "$status" ]; then
      not_ok "$name ($where): exit status $actual instead of $status"
      head -n 8 "$scratch/err" | awk '{ print "#   " $0 }'
    else
      same "$name ($where)" "$expected" "$scratch/out"
    fi
  done
}

for program in "$comet" "$runner"; do
  if [ ! -x "$program" ]; then
    echo "not ok - $program is not there: say make first"
    echo "0 passed, 1 failed"
    exit 1
  fi
done

for source in "$root"/examples/*.s; do
  example=$(basename "$source" .s)
  if "$comet" asm "$source" -o "$scratch/$example.img" > "$scratch/out" 2>&1; then
    ok "$example.s assembles"
  else
    not_ok "$example.s assembles"
    head -n 8 "$scratch/out" | awk '{ print "#   " $0 }'
  fi
  if awk -v name="**$example.s**" 'index($0, name) { found = 1 } END { exit !found }' \
      "$root/examples/README.md"; then
    ok "$example.s is in the README"
  else
    not_ok "$example.s is in the README"
  fi
done

# ---- hello, count, fib ---------------------------------------------------------------------------------

echo "Hello, world!" > "$scratch/expected"
expect "hello" hello "$scratch/expected" 0 /dev/null

for n in 0 1 1000000; do
  echo "$n" > "$scratch/expected"
  expect "count to $n" count "$scratch/expected" 0 /dev/null "$n"
done

for n in 0 1 2 10 20; do
  awk -v n="$n" 'BEGIN { b = 1; while (n-- > 0) { c = a + b; a = b; b = c } print a + 0 }' \
    > "$scratch/expected"
  expect "fib $n" fib "$scratch/expected" 0 /dev/null "$n"
done
echo 75025 > "$scratch/expected"
expect "fib without an argument" fib "$scratch/expected" 0 /dev/null

# ---- arguments that are none ---------------------------------------------------------------------------

: > "$scratch/expected"
for argument in "" x 12x -1 1234567890123456789; do
  expect "fib refuses '$argument'" fib "$scratch/expected" 2 /dev/null "$argument"
done

# ---- threads, timers, traps ----------------------------------------------------------------------------

{ seq 1 9; echo 45; } > "$scratch/expected"
expect "producer and consumer" producer "$scratch/expected" 0 /dev/null
for seed in 1 2 3; do
  "$runner" --turns "$seed" "$scratch/producer.img" > "$scratch/out" 2>&1
  same "producer and consumer, other turns ($seed)" "$scratch/expected" "$scratch/out"
done
for most in 1 3; do
  "$runner" --parallel "$most" "$scratch/producer.img" > "$scratch/out" 2>&1
  same "producer and consumer, at the same time ($most)" "$scratch/expected" "$scratch/out"
done

echo 5000050000 > "$scratch/expected"
expect "a stack that grows" stack "$scratch/expected" 0 /dev/null
: > "$scratch/expected"
expect "a stack that may not grow any more" stack "$scratch/expected" 132 /dev/null 5000000

seq -f 'tick %g' 5 > "$scratch/expected"
"$runner" --allow clock --record "$scratch/ticks.replay" "$scratch/ticks.img" > "$scratch/out" 2>&1
same "ticks (runner)" "$scratch/expected" "$scratch/out"
"$comet" run --allow clock "$root/examples/ticks.s" > "$scratch/out" 2>&1
same "ticks (comet-vm)" "$scratch/expected" "$scratch/out"
echo 'print count u64' | "$comet" debug --replay "$scratch/ticks.replay" > "$scratch/out" 2>&1
if grep -q 'count = 5' "$scratch/out" && ! grep -q 'not where' "$scratch/out"; then
  ok "ticks come again from the recording"
else
  not_ok "ticks come again from the recording"
  awk '{ print "#   " $0 }' "$scratch/out"
fi
status=0
"$runner" "$scratch/ticks.img" > "$scratch/out" 2>&1 || status=$?
if [ "$status" -eq 77 ]; then ok "ticks without a clock is not even loaded"; else not_ok "ticks without a clock: status $status"; fi

# ---- sieve ---------------------------------------------------------------------------------------------

awk 'BEGIN {
  for (n = 2; n < 1000; n++) {
    for (d = 2; d * d <= n && n % d != 0; d++) ;
    if (d * d > n) { printf "%5d", n; if (++count % 12 == 0) print "" }
  }
  if (count % 12 != 0) print ""
}' > "$scratch/expected"
expect "sieve: primes found by division" sieve "$scratch/expected" 0 /dev/null

for where in runner comet-vm; do
  status=0
  run_in "$where" sieve > /dev/full 2> /dev/null || status=$?
  if [ "$status" -eq 1 ]; then
    ok "sieve on a full disk ends with status 1 ($where)"
  else
    not_ok "sieve on a full disk ends with status 1, not $status ($where)"
  fi
done

# ---- sha256 --------------------------------------------------------------------------------------------

yes 'A wind of letters, none of them in a hurry.' | head -c 1000000 > "$scratch/letters"
for size in 0 1 3 55 56 57 63 64 65 119 120 128 65535 65536 65537 131072 1000000; do
  head -c "$size" "$scratch/letters" > "$scratch/input"
  sha256sum < "$scratch/input" > "$scratch/expected"
  expect "sha256 of $size bytes" sha256 "$scratch/expected" 0 "$scratch/input"
done
awk 'BEGIN { for (n = 0; n < 2000; n++) printf "%c", (n * n + n / 7) % 255 + 1 }' > "$scratch/input"
sha256sum < "$scratch/input" > "$scratch/expected"
expect "sha256 of bytes of all kinds" sha256 "$scratch/expected" 0 "$scratch/input"

{ printf 'in two '; sleep 0.2; printf 'pieces'; } | run_in runner sha256 > "$scratch/out"
printf 'in two pieces' | sha256sum > "$scratch/expected"
same "sha256 of a pipe that delivers in pieces (runner)" "$scratch/expected" "$scratch/out"

# ---- wc ------------------------------------------------------------------------------------------------

printf '' > "$scratch/empty"
printf 'no newline at the end' > "$scratch/unended"
printf '\n\n  \t words \v and\f\r\n more \n' > "$scratch/blanks"
for name in empty unended blanks letters; do
  cat "$scratch/$name" | wc > "$scratch/expected"
  expect "wc: $name" wc "$scratch/expected" 0 "$scratch/$name"
done
cat "$root/asm/library/structured.scm" | wc > "$scratch/expected"
expect "wc: structured.scm" wc "$scratch/expected" 0 "$root/asm/library/structured.scm"

# ---- queens --------------------------------------------------------------------------------------------

size=0
for solutions in 1 0 0 2 10 4 40 92 352; do
  size=$((size + 1))
  echo "queens: $size, solutions: $solutions" > "$scratch/expected"
  for where in runner comet-vm; do
    run_in "$where" queens "$size" < /dev/null > "$scratch/board"
    head -n 1 "$scratch/board" > "$scratch/out"
    same "queens: solutions for size $size ($where)" "$scratch/expected" "$scratch/out"
  done
  # The board has a queen in every row, none in another's column or diagonal.
  if awk -v size="$size" -v solutions="$solutions" '
      NR == 1 { next }
      NF != size { bad = 1 }
      { queens = 0
        for (column = 1; column <= NF; column++)
          if ($column == "Q") {
            if (down[column]++ || left[column + NR]++ || right[column - NR]++) bad = 1
            queens++
          } else if ($column != ".") bad = 1
        if (queens != 1) bad = 1 }
      END { exit bad || NR - 1 != (solutions ? size : 0) }' "$scratch/board"; then
    ok "queens: the board of size $size"
  else
    not_ok "queens: the board of size $size"
  fi
done
"$comet" run "$root/examples/queens.s" 8 > "$scratch/expected"
expect "queens: size 8 unless told otherwise" queens "$scratch/expected" 0 /dev/null
: > "$scratch/expected"
for size in 0 17; do
  expect "queens refuses size $size" queens "$scratch/expected" 2 /dev/null "$size"
done

if "$comet" test "$root/examples/queens-test.scm" > "$scratch/out" 2>&1; then
  ok "queens-test.scm: $(tail -n 1 "$scratch/out")"
else
  not_ok "queens-test.scm"
  head -n 12 "$scratch/out" | awk '{ print "#   " $0 }'
fi

# ---- mandelbrot ----------------------------------------------------------------------------------------

awk 'BEGIN {
  width = 384; height = 256; limit = 100
  printf "P6\n%d %d\n255\n", width, height
  for (n = 0; n <= limit; n++) {
    t = sqrt(n / limit); u = 1 - t
    colour[n] = int(255 * (9 * u * t * t * t)) "\n" \
                int(255 * (15 * u * u * t * t)) "\n" \
                int(255 * (8.5 * u * u * u * t))
  }
  for (line = 0; line < height; line++) {
    y = -1 + line / 128
    for (column = 0; column < width; column++) {
      x = -2.25 + column / 128
      a = b = 0
      for (n = 0; n < limit; n++) {
        aa = a * a; bb = b * b
        if (aa + bb > 4) break
        b = 2 * a * b + y
        a = aa - bb + x
      }
      print colour[n]
    }
  }
}' > "$scratch/expected"
for where in runner comet-vm; do
  run_in "$where" mandelbrot < /dev/null > "$scratch/picture"
  { head -c 15 "$scratch/picture"
    tail -c +16 "$scratch/picture" | od -An -v -tu1 -w1 | awk '{ print $1 }'; } > "$scratch/out"
  same "mandelbrot: every byte of the picture as awk computes it ($where)" "$scratch/expected" "$scratch/out"
done

# ---- life ----------------------------------------------------------------------------------------------

# life_by_awk GENERATIONS X,Y...: the board that these cells give after so many generations.
life_by_awk() {
  awk -v generations="$1" -v cells="${*:2}" 'BEGIN {
    width = 64; height = 20
    count = split(cells, list, " ")
    for (i = 1; i <= count; i++) { split(list[i], place, ","); alive[place[1], place[2]] = 1 }
    for (g = 0; g < generations; g++) {
      split("", now)
      for (y = 0; y < height; y++)
        for (x = 0; x < width; x++) {
          n = 0
          for (dy = -1; dy <= 1; dy++)
            for (dx = -1; dx <= 1; dx++)
              if ((dx || dy) && ((x + dx + width) % width, (y + dy + height) % height) in alive) n++
          if (n == 3 || (n == 2 && (x, y) in alive)) now[x, y] = 1
        }
      split("", alive)
      for (place_now in now) alive[place_now] = 1
    }
    for (y = 0; y < height; y++) {
      line = ""
      for (x = 0; x < width; x++) line = line ((x, y) in alive ? "O" : ".")
      print line
    }
    print "generation " generations
  }'
}

# last_frame: what the last picture leaves on the screen.
last_frame() {
  awk '{ while ((at = index($0, "\033[H")) > 0) { frame = ""; $0 = substr($0, at + 3) }
         gsub(/\033\[[0-9]*[A-Za-z]/, "")
         frame = frame $0 "\n" }
       END { printf "%s", frame }'
}

expect_life() {
  local name=$1 keys=$2 where
  for where in runner comet-vm; do
    printf '%b' "$keys" | run_in "$where" life | last_frame > "$scratch/out"
    same "life: $name ($where)" "$scratch/expected" "$scratch/out"
  done
}

glider="33,10 34,11 32,12 33,12 34,12"
life_by_awk 0 $glider > "$scratch/expected"
expect_life "a glider" 'gq'
life_by_awk 50 $glider > "$scratch/expected"
expect_life "a glider over the edges" 'g50sq'
life_by_awk 3 0,0 63,0 1,0 > "$scratch/expected"
expect_life "cells set by hand in a corner, a line each" '32h\n30k\nx\nl\nx\n2hx\n3s\nq\n'
life_by_awk 30 40,12 41,12 40,13 39,13 40,14 > "$scratch/expected"
expect_life "an r-pentomino, at the end of input" 'ggc8l2jxlxhjxhxljx30s'

# ---- calculator ----------------------------------------------------------------------------------------

cat > "$scratch/input" << 'END'
1
1 + 2 * 3
(1 + 2) * 3
10 - 4 - 3
100 / 7 / 2
-17 / 5
-17 % 5
17 % -5
- - -3

9223372036854775807 + 1
  	( ( 2)  )
END
while IFS= read -r line; do
  [ -z "$line" ] || echo "$((line))"
done < "$scratch/input" > "$scratch/expected"
expect "calculator: as bash calculates" calculator "$scratch/expected" 0 "$scratch/input"

# expression DEPTH: a random one, in $expression; division is by constants that are not 0.
expression() {
  local depth=$1 left operators='+-*/%' operator
  if [ "$depth" -eq 0 ]; then
    expression=$((RANDOM % 1000))
    return
  fi
  expression $((depth - 1))
  left=$expression
  operator=${operators:RANDOM % 5:1}
  case $operator in
    / | %) expression=$((RANDOM % 99 + 1)) ;;
    *) expression $((depth - 1)) ;;
  esac
  case $((RANDOM % 3)) in
    0) expression="$left $operator $expression" ;;
    1) expression="($left) $operator ($expression)" ;;
    2) expression="- ($left $operator - $expression)" ;;
  esac
}
RANDOM=20
for ((n = 0; n < 200; n++)); do
  expression $((n % 4 + 1))
  # A constant divisor may end up behind a division of its own and be 0 after all; those are left out.
  if value=$( (echo "$((expression))") 2> /dev/null); then
    echo "$expression" >&3
    echo "$value"
  fi
done 3> "$scratch/input" > "$scratch/expected"
expect "calculator: random expressions, as bash calculates" calculator "$scratch/expected" 0 "$scratch/input"

{ printf '1 / 0\n7 %% (3 - 3)\n2 +\n(3\n4 4\nx\n'
  head -c 300 /dev/zero | tr '\0' '1'
  printf '\n5'; } > "$scratch/input"
cat > "$scratch/expected" << 'END'
error: division by zero
error: division by zero
error: a number or ( is expected
error: ) is missing
error: an operator is expected
error: a number or ( is expected
error: the line is too long
5
END
expect "calculator: each error, and going on" calculator "$scratch/expected" 0 "$scratch/input"

# ---- the Simple VM -------------------------------------------------------------------------------------------

# simple_vm NAME: an example for it gives what is expected, and so does its image in the runner.
simple_vm() {
  "$comet" run "$root/examples/$1.iasm" > "$scratch/out" 2>&1 < /dev/null
  same "$1.iasm (comet-vm)" "$scratch/expected" "$scratch/out"
  "$comet" image "$root/examples/$1.iasm" -o "$scratch/$1.img"
  "$runner" "$scratch/$1.img" > "$scratch/out" 2>&1 < /dev/null
  same "$1.iasm (runner)" "$scratch/expected" "$scratch/out"
}

awk 'BEGIN {
  for (n = 2; n < 100; n++) { for (d = 2; d * d <= n && n % d != 0; d++) ; if (d * d > n) printf "%d ", n }
  print ""
}' > "$scratch/expected"
simple_vm sieve

awk 'function move(n, from, to, via) {
  if (n > 0) { move(n - 1, from, via, to); print from " -> " to; move(n - 1, via, to, from) }
}
BEGIN { move(4, 1, 3, 2) }' > "$scratch/expected"
simple_vm hanoi

# ---- json.wasm -----------------------------------------------------------------------------------------------

printf '{"name": "Comet \\"VM\\"", "list": [1, -2.5e3, {}, []], "deep": [[{"a": {"b": null}}], true, "é"]}\n' > "$scratch/data.json"
cat > "$scratch/expected" <<'END'
{
  "name": "Comet \"VM\"",
  "list": [
    1,
    -2.5e3,
    {},
    []
  ],
  "deep": [
    [
      {
        "a": {
          "b": null
        }
      }
    ],
    true,
    "é"
  ]
}
END
"$comet" run "$root/examples/json.wasm" < "$scratch/data.json" > "$scratch/out" 2>&1
same "json.wasm: a C program formats JSON" "$scratch/expected" "$scratch/out"

# A run that is cut in pieces, each of which goes on from the state that the one before has left.
"$comet" image "$root/examples/json.wasm" -o "$scratch/json.img"
program=$scratch/json.img
: > "$scratch/out"
input=$scratch/data.json pieces=0
while [ $pieces -lt 20 ]; do
  pieces=$((pieces + 1))
  "$runner" --quiet --fuel 4000 --core "$scratch/json.core" "$program" < "$input" >> "$scratch/out" 2> "$scratch/err" && break
  program=$scratch/json.core
  input=/dev/null
done
same "json.wasm: in $pieces pieces, each a process of its own, it writes the same" "$scratch/expected" "$scratch/out"
if [ $pieces -gt 2 ]; then ok "json.wasm: there are several"; else not_ok "json.wasm: there are several"; fi

# ---- asm/library/structured ------------------------------------------------------------------------------------

awk '
  # Unsigned, the negative numbers are the largest.
  function below(a, b) { return (a < 0) == (b < 0) ? a < b : b < 0 }
  function comparisons(a, b) {
    return (a == b) (a != b) (a < b) (a > b) (a <= b) (a >= b) \
      below(a, b) below(b, a) (!below(b, a)) (!below(a, b))
  }
  BEGIN {
    for (a = -2; a < 7; a++)
      for (b = -2; b < 7; b++) {
        print comparisons(a, b) comparisons(a, 5) \
          (a != b) (a > 0 && b > 0) (a > 0 || b > 0) (!(a > 0 && b > 0)) (!(a > 0 || b > 0)) \
          ((a == 1 && b == 2) || (a == 2 && b == 1) || (a == 3 && b == 3)) \
          ((a == 1 || b == 2) && !(a == 1 && b == 2) && a <= b) \
          1 (b < 0 ? -b : b)
      }
  }' > "$scratch/expected"
if "$comet" asm "$root/tests/examples/structured.s" -o "$scratch/structured.img" > "$scratch/out" 2>&1; then
  "$runner" "$scratch/structured.img" > "$scratch/out" 2>&1
fi
same "asm/library/structured: every condition and form, as awk computes it" "$scratch/expected" "$scratch/out"

finish
