# Whether the tests reach every place that reports an error or traps, from .gcov files, in a table. Variable: table, the
# file to write.
#
# Where the line before says `beyond tests: WHY`, no test is asked for. A line is `count: line: text`; ##### and =====
# mean never, - no code.

function name(file) { sub(/.*vm-ext#/, "vm-ext/", file); gsub(/#/, "/", file); sub(/\.gcov$/, "", file); return file }

{
  split($0, part, ":")
  count = part[1]; gsub(/[ *]/, "", count)
  line = part[2]; gsub(/ /, "", line)
  beyond = (last ~ /beyond tests:/); last = $0
  text = substr($0, length(part[1]) + length(part[2]) + 3)
  if (text !~ /(^|[^a-z_])(fail|refuse|trap|trap_access|fail_group)\(/ || text ~ /noreturn|void |#define|^ *\/\//) next
  if (count == "-" || beyond) next
  sub(/^ +/, "", text); gsub(/\|/, "\\|", text)
  key = name(FILENAME) ":" line
  reached = (count ~ /^[0-9]/)
  if (!(key in seen)) { order[++n] = key; seen[key] = 0; shown[key] = substr(text, 1, 90) }
  if (reached && count + 0 > seen[key]) seen[key] = count + 0
}

END {
  print "| place | times | what |\n|---|---:|---|" >table
  for (i = 1; i <= n; ++i) {
    key = order[i]
    print "| " key " | " seen[key] " | `" shown[key] "` |" >table
    if (seen[key] > 0) passed++
    else { failed++; print "not ok - no test reaches " key ": " shown[key] }
  }
  print passed + 0 " passed, " failed + 0 " failed"
  exit failed > 0
}
