#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The counter behind the last line of run.sh sees every way a test can fail: results.sh SOURCE-ROOT
. "$(dirname "$0")/tap.sh"
root=$1

# As meson writes them: a TAP program with a pass, a skip and a failure; one that passes its cases and then exits with an
# error; one without cases; programs that pass, fail, skip and hang.
cat >"$scratch/junit.xml" <<'END'
<?xml version='1.0' encoding='utf-8'?>
<testsuites tests="9" errors="0" failures="2"><testsuite name="gst-sppnet.pooling" tests="3" errors="0" failures="1" skipped="1" time="0.1"><testcase name="1 - /bins &amp; &lt;edges&gt;" classname="gst-sppnet.pooling" /><testcase name="2 - /shared" classname="gst-sppnet.pooling"><skipped /><system-out>no data</system-out></testcase><testcase name="3 - /bad" classname="gst-sppnet.pooling"><failure /></testcase><system-out>not ok &lt;testcase name="fake"&gt;</system-out></testsuite><testsuite name="gst-sppnet.leak" tests="2" errors="0" failures="0" skipped="0" time="0.1"><testcase name="1 - a" classname="gst-sppnet.leak" /><testcase name="2 - b" classname="gst-sppnet.leak" /></testsuite><testsuite name="gst-sppnet" tests="4" errors="0" failures="1" skipped="1" time="1"><testcase name="good" classname="gst-sppnet" time="0.1" /><testcase name="bad" classname="gst-sppnet" time="0.1"><failure /></testcase><testcase name="away" classname="gst-sppnet" time="0.1"><skipped /></testcase><testcase name="hangs" classname="gst-sppnet" time="9" /></testsuite></testsuites>
END
cat >"$scratch/log.json" <<'END'
{"name": "pooling", "stdout": "ok 1\n\"result\": \"OK\"\n", "result": "FAIL", "returncode": 0}
{"name": "leak", "stdout": "ok 1 - a\nok 2 - b\n", "result": "ERROR", "returncode": 23}
{"name": "empty", "stdout": "1..0 # SKIP no model\n", "result": "SKIP", "returncode": 0}
{"name": "gst-sppnet / good", "stdout": "", "result": "OK", "returncode": 0}
{"name": "bad", "stdout": "", "result": "FAIL", "returncode": 1}
{"name": "away", "stdout": "no camera", "result": "SKIP", "returncode": 77}
{"name": "hangs", "stdout": "", "result": "TIMEOUT", "returncode": -15}
END
: >"$scratch/nothing"

counts()
{
  awk -f "$root/tests/results.awk" "$2" "$3" >"$scratch/counted"
  cat "$scratch/counted"
  test "$(tail -n 1 "$scratch/counted")" = "$1"
}

says()
{
  grep -F "$1" "$scratch/counted"
}

check "passes, failures and skips add up" counts "TOTAL 4 4 3" "$scratch/junit.xml" "$scratch/log.json"
check "a failure is named" says "failed: pooling 3 - /bad"
check "an error after the last case is a failure" says "failed: leak as a whole: ERROR"
check "a time-out is a failure" says "failed: hangs as a whole: TIMEOUT"
check "a skipped case says why" says "skipped: pooling 2 - /shared: no data"
check "a skipped program says why" says "skipped: empty: no model"
check "an exit with 77 says why" says "skipped: away: no camera"
check "no tests at all is a failure" counts "TOTAL 0 1 0" "$scratch/nothing" "$scratch/nothing"
tap_done
