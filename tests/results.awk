# SPDX-License-Identifier: LGPL-2.1-or-later
# Counts the cases of one meson run: awk -f results.awk testlog.junit.xml testlog.json
# Prints a line per skipped or failed case and, last, "TOTAL passed failed skipped".
#
# The JUnit file has the cases within each TAP program, but not a program that failed as a whole (a crash, a leak found at
# exit, a time-out); the JSON file has the outcome of every program, one a line.

# Value of an attribute in an XML tag.
function attribute(tag, name,    value)
{
  if (!match(tag, " " name "=\"[^\"]*\""))
    return ""
  value = substr(tag, RSTART + length(name) + 3, RLENGTH - length(name) - 4)
  gsub(/&quot;/, "\"", value)
  gsub(/&lt;/, "<", value)
  gsub(/&gt;/, ">", value)
  gsub(/&amp;/, "\\&", value)
  return value
}

# Value of a string member of a JSON object on one line; quotes within strings are escaped, so `"key": "` is unique.
function member(line, key)
{
  if (!match(line, "[{ ]\"" key "\": \"[^\"]*\""))
    return ""
  return substr(line, RSTART + length(key) + 6, RLENGTH - length(key) - 7)
}

function first_text(xml, tag,    text)
{
  if (!match(xml, "<" tag ">[^<]*"))
    return ""
  text = substr(xml, RSTART + length(tag) + 2, RLENGTH - length(tag) - 2)
  return text
}

function read_junit(xml,    suites, cases, n, m, i, j, name)
{
  n = split(xml, suites, /<testsuite /)
  for (i = 2; i <= n; i++) {
    name = attribute(" " substr(suites[i], 1, index(suites[i], ">")), "name")
    # Programs with one result share a suite called after the project; those are taken from the JSON file.
    if (name !~ /\./)
      continue
    sub(/^[^.]*\./, "", name)
    m = split(suites[i], cases, /<testcase /)
    known[name] = 1
    for (j = 2; j <= m; j++) {
      sub(/<\/testcase>.*/, "", cases[j])
      if (cases[j] ~ /<(failure|error)[ \/>]/) {
        bad[name]++
        failed++
        print "failed: " name " " attribute(" " cases[j], "name")
      } else if (cases[j] ~ /<skipped[ \/>]/) {
        skipped++
        print "skipped: " name " " attribute(" " cases[j], "name") ": " first_text(cases[j], "system-out")
      } else {
        passed++
      }
    }
  }
}

function read_program(line,    name, result, reason)
{
  name = member(line, "name")
  sub(/^.* \/ /, "", name)
  sub(/^[^:]*:/, "", name)
  result = member(line, "result")
  programs++
  if (result == "OK" || result == "EXPECTEDFAIL") {
    if (!(name in known))
      passed++
  } else if (result == "SKIP") {
    if (!(name in known)) {
      skipped++
      reason = "no reason given"
      if (match(line, /# *[Ss][Kk][Ii][Pp][A-Za-z]* [^"\\]*/))
        reason = substr(line, RSTART, RLENGTH)
      else if (match(line, /"stdout": "[^"]*"/))
        reason = substr(line, RSTART + 11, RLENGTH - 12)
      sub(/^# *[Ss][Kk][Ii][Pp][A-Za-z]* /, "", reason)
      print "skipped: " name ": " reason
    }
  } else if (!bad[name]) {
    failed++
    print "failed: " name " as a whole: " result
  }
}

FNR == 1 { file++ }
file == 1 { xml = xml $0 "\n" }
file == 2 && FNR == 1 { read_junit(xml) }
file == 2 { read_program($0) }

END {
  if (!programs) {
    print "failed: no test ran"
    failed++
  }
  print "TOTAL", passed + 0, failed + 0, skipped + 0
}
