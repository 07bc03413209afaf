# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# TAP for the shell tests; meson reads it. Source it, call check or skip per case, tap_done at the end.

tap_count=0
tap_failed=0
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# check NAME COMMAND...: one case; the command's output is shown when it fails.
check()
{
  tap_name=$1
  shift
  tap_count=$((tap_count + 1))
  if "$@" >"$scratch/.tap" 2>&1; then
    echo "ok $tap_count - $tap_name"
  else
    tap_failed=$((tap_failed + 1))
    echo "not ok $tap_count - $tap_name"
    sed 's/^/#   /' "$scratch/.tap"
  fi
}

# refuses NAME COMMAND...: the case holds when the command fails by itself, not by a signal.
refuses()
{
  tap_name=$1
  shift
  check "$tap_name" fails "$@"
}

fails()
{
  "$@"
  tap_status=$?
  test "$tap_status" -ne 0 && test "$tap_status" -lt 126
}

skip()
{
  tap_count=$((tap_count + 1))
  echo "ok $tap_count - $1 # SKIP $2"
}

tap_done()
{
  echo "1..$tap_count"
  test "$tap_failed" -eq 0
}
