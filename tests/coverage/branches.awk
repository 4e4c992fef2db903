# Which branches of the core were taken, from what `gcov --json-format --stdout --branch-probabilities` says, in a table
# by room and file and a list of those that were not. Variables: table, the file to write; least, percent;
# most, how many lines may have one without a reason.
#
# A branch is a direction that a jump of the source can take. Not counted is what the compiler makes by itself: the two
# ways on from a call that may throw, which gcov marks, and the choice of a catch (that every failure comes back is what
# errors.awk and the sweeps over allocations see to), what happens at the end of a block, comparisons by default. What
# a template or an inline function has counts once, whichever of its instances took it. A line of machine/operations.def
# that gives a value without asking anything has no branch: what is counted there is that of an instruction behind it,
# into which the value went.
#
# Where the line, or a comment before it, says `beyond tests: WHY`, the list gives that reason. Lines of which nothing does
# are named. There are none where this is written; a few are let pass, since another kernel, or other turns of threads and
# signals, may leave out what is taken here.

BEGIN { RS = "[{}]" }

function field(name,   at, text) {
  at = index($0, "\"" name "\": ")
  if (at == 0) return ""
  text = substr($0, at + length(name) + 4)
  sub(/^"/, "", text)
  sub(/[",].*/, "", text)
  return text
}

# A branch; those of a line come before the line.
/"throw": / {
  if ($0 ~ /"throw": true/) {
    if (branches > 0 && falls[branches]) --branches
    next
  }
  taken[++branches] = field("count") + 0
  falls[branches] = ($0 ~ /"fallthrough": true/)
  next
}

/"line_number": / {
  line_number[++lines] = field("line_number")
  line_count[lines] = field("count") + 0
  line_function[lines] = field("function_name")
  line_branches[lines] = branches
  for (i = 1; i <= branches; ++i) line_taken[lines, i] = taken[i]
  branches = 0
}

/"start_line": / { begins[field("name")] = field("start_line") ":" field("start_column") }

# The end of a file, behind its lines and functions.
/"file": / {
  file = field("file")
  if (file ~ /^vm-ext\/(api|host|image|isa|machine|memory|state)\//)
    for (i = 1; i <= lines; ++i) {
      place = file SUBSEP line_number[i]
      if (!(place in reached)) { file_lines[file]++; reached[place] = 0 }
      if (line_count[i] > 0 && !reached[place]) { reached[place] = 1; file_reached[file]++ }
      if (line_branches[i] == 0) continue
      ++instances
      source_place[instances] = place SUBSEP begins[line_function[i]]
      width[instances] = line_branches[i]
      common[source_place[instances]] = divisor(width[instances], common[source_place[instances]] + 0)
      # What is inlined into the handlers, hundreds of functions of other files, stands in one row: of that two ways remain.
      if (line_function[i] == "" || file ~ /\.def$/) common[source_place[instances]] = 2
      for (j = 1; j <= line_branches[i]; ++j) way[instances, j] = line_taken[i, j]
    }
  lines = 0
}

function percent(part, whole) { return whole == 0 ? "-" : sprintf("%.1f", int(1000 * part / whole) / 10) }

function row_text(name, l, lr, b, bt) {
  return sprintf("| %s | %d | %s | %d | %s | %d |\n", name, l, percent(lr, l), b, percent(bt, b), b - bt)
}

# The lines of a source, for reasons and for people.
function read_source(file,   n, line, record_separator) {
  if (file in sources) return
  record_separator = RS
  RS = "\n"
  while ((getline line <file) > 0) source[file, ++n] = line
  close(file)
  sources[file] = n
  RS = record_separator
}

function reason(text) { return match(text, /beyond tests: /) ? substr(text, RSTART + RLENGTH) : "" }

function why(file, n,   found) {
  found = reason(source[file, n])
  if (found == "" && source[file, n - 1] ~ /^ *\/\//) found = reason(source[file, n - 1])
  return found
}

# A member with its value at first: what is counted there are comparisons by default.
function is_member(text) { return text ~ /^ *[A-Za-z_:]+ [a-z_]+_(\{\}| = [a-z0-9]+);/ }

# A value of operations.def that asks nothing.
function is_plain_value(text) { return text ~ /^(UNARY|BINARY|BINARY_IMMEDIATE|MODIFY)\(/ && text !~ /\?|&&|\|\|/ }

function is_compilers(text) { return is_plain_value(text) || text ~ /^ *\} catch \(/ || text ~ /^ *\}[();,]*( *\/\/.*)?$/ || is_member(text) || text ~ / = default;/ }

function sorted(list, n,   i, j, one) {
  for (i = 2; i <= n; ++i) {
    one = list[i]
    for (j = i - 1; j > 0 && list[j] > one; --j) list[j + 1] = list[j]
    list[j + 1] = one
  }
}

function divisor(a, b,   rest) {
  while (b != 0) { rest = a % b; a = b; b = rest }
  return a
}

# The instances of a line become one. Where a line was inlined into a function several times, its branches stand there
# as often one behind the other.
function merge(   i, j, base, key) {
  for (i = 1; i <= instances; ++i) {
    base = common[source_place[i]]
    for (j = 0; j < width[i]; ++j) {
      key = source_place[i] SUBSEP base SUBSEP j % base
      if (!(key in count)) { keys[++key_count] = key; count[key] = 0 }
      count[key] += way[i, j + 1]
    }
  }
}

END {
  merge()
  for (i = 1; i <= key_count; ++i) {
    split(keys[i], part, SUBSEP)
    read_source(part[1])
    if (is_compilers(source[part[1], part[2]])) continue
    file_branches[part[1]]++
    if (count[keys[i]] > 0) { file_taken[part[1]]++; continue }
    missed[part[1], part[2]]++
    if (missed[part[1], part[2]] == 1) places[++place_count] = sprintf("%s:%06d", part[1], part[2])
  }
  for (file in file_lines) {
    files[++file_count] = file
    split(file, part, "/")
    room = part[2]
    if (!(room in room_lines)) rooms[++room_count] = room
    room_lines[room] += file_lines[file]; room_reached[room] += file_reached[file]
    room_branches[room] += file_branches[file]; room_taken[room] += file_taken[file]
    all_lines += file_lines[file]; all_reached += file_reached[file]
    all_branches += file_branches[file]; all_taken += file_taken[file]
  }
  sorted(files, file_count); sorted(rooms, room_count); sorted(places, place_count)

  head = "| what | lines | reached, % | branches | taken, % | not taken |\n|---|---:|---:|---:|---:|---:|\n"
  printf "%s", head
  printf "%s", head >table
  for (i = 1; i <= room_count; ++i) {
    room = rooms[i]
    text = row_text(room, room_lines[room], room_reached[room], room_branches[room], room_taken[room])
    printf "%s", text
    printf "%s", text >table
    for (j = 1; j <= file_count; ++j)
      if (index(files[j], "vm-ext/" room "/") == 1)
        printf "%s", row_text(files[j], file_lines[files[j]], file_reached[files[j]], file_branches[files[j]], file_taken[files[j]]) >table
  }
  text = row_text("all", all_lines, all_reached, all_branches, all_taken)
  printf "%s", text
  printf "%s\n", text >table

  print "| branches that no test takes | how many | why | what |\n|---|---:|---|---|" >table
  for (i = 1; i <= place_count; ++i) {
    split(places[i], part, ":")
    file = part[1]; n = part[2] + 0
    text = source[file, n]
    sub(/^ +/, "", text); gsub(/\|/, "\\|", text)
    found = why(file, n)
    if (found == "") unexplained[++unexplained_count] = file ":" n
    print "| " file ":" n " | " missed[file, n] " | " found " | `" substr(text, 1, 90) "` |" >table
  }
  enough = all_branches > 0 && 100 * all_taken >= least * all_branches
  if (!enough) print "not ok - " percent(all_taken, all_branches) "% of the branches are taken, less than " least "%: see " table
  too_many = unexplained_count > most
  for (i = 1; i <= unexplained_count; ++i)
    print (too_many ? "not ok - " : "") "no test took a branch of " unexplained[i] ", and no comment `beyond tests: WHY` says why: see " table
  failed = (too_many ? unexplained_count : 0) + (enough ? 0 : all_branches - all_taken + 1)
  print all_taken + 0 " passed, " failed " failed"
  exit failed > 0
}
