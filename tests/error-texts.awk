# See error-texts.sh: FILES-OF-TESTS -- SOURCES. Every file is one record.
function plain(text) { gsub(/[\\"]/, "", text); gsub(/[ \t\n]+/, " ", text); return text }
function lines(text) { return gsub(/\n/, "\n", text) }

# The literal strings from `at`, just behind the opening parenthesis of a call, to the parenthesis that closes it.
function collect(text, at, c_like,   depth, c, from, found) {
  depth = 1; found = 0
  for (; depth > 0 && at <= length(text); ++at) {
    c = substr(text, at, 1)
    if (c == "(" || (c_like && c == "{")) ++depth
    else if (c == ")" || (c_like && c == "}")) --depth
    else if (c == "#" && substr(text, at + 1, 1) == "\\" && !c_like) at += 2
    else if (c == "'" && c_like) { for (++at; substr(text, at, 1) != "'"; ++at) if (substr(text, at, 1) == "\\") ++at }
    else if (c == ";" && !c_like) while (substr(text, at, 1) != "\n") ++at
    else if (c == "\"") {
      from = ++at
      for (; (c = substr(text, at, 1)) != "\""; ++at) if (c == "\\") ++at
      piece[++found] = substr(text, from, at - from)
    }
  }
  return found
}

# Tests may ask for any part of a text, of so many characters.
function asked_for(text,   at, file) {
  for (at = 1; at == 1 || at + 16 <= length(text) + 1; ++at)
    for (file = 1; file <= tests; ++file) if (index(corpus[file], substr(text, at, 16))) return 1
  return 0
}

function examine(name, text, c_like,   start, at, line, rest, call, before, context, count, i, p, part, long, reached) {
  call = c_like ? "(^|[^A-Za-z_])(end|throw UsageError)[({]" \
                : "\\((fail|fail-at|fail-here|raise-user-error|usage-error|error|warn-at|warn)[ \n]"
  rest = text; start = 0; line = 1
  while (match(rest, call)) {
    before = substr(rest, 1, RSTART)
    line += lines(before)
    at = start + RSTART + (c_like ? RLENGTH : 1)
    # The line of the call and the one before it.
    context = substr(text, 1, at - 1)
    if (match(context, /[^\n]*\n[^\n]*$/)) context = substr(context, RSTART)
    if (context !~ /beyond tests:/ && context !~ /(define|void) [^\n]*$|;[^\n]*$|#define [^\n]*$/) {
      count = collect(text, at, c_like)
      for (i = 1; i <= count; ++i) {
        long = piece[i]
        if (c_like) gsub(/%[a-z0-9.*]+/, "\001", long)
        split(long, part, "\001")
        long = plain(part[1]); for (p in part) if (length(plain(part[p])) > length(long)) long = plain(part[p])
        if (length(long) < 10) continue
        reached = asked_for(long)
        printf "| %s:%d | %s | `%s` |\n", name, line, reached ? "yes" : "no", long >table
        if (reached) ++passed
        else { ++failed; printf "not ok - no test asks for %s:%d: %s\n", name, line, long }
      }
    }
    start = at - 1
    rest = substr(text, at)
  }
}

BEGIN {
  RS = "\001"
  print "| place | asked for | text |\n|---|---|---|" >table
  for (i = 1; i < ARGC; ++i) {
    file = ARGV[i]
    if (file == "--") { in_sources = 1; continue }
    text = ""
    if ((getline text <file) < 0) continue
    close(file)
    if (in_sources) examine(file, text, file ~ /\.cpp$/)
    else corpus[++tests] = plain(text)
  }
  print passed + 0 " passed, " failed + 0 " failed"
  exit failed > 0
}
