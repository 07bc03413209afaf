#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Installs what is missing, builds and runs every test with gcc, with clang, and with the address and undefined-behaviour
# sanitizers. The last line is "N passed, N failed"; the exit status is 0 only when nothing failed.
#
#   tests/run.sh [gcc] [clang] [sanitizers]    only these configurations
#   BUILD_ROOT=DIR tests/run.sh                where to build; default: build-tests
root=$(cd "$(dirname "$0")/.." && pwd)
build_root=${BUILD_ROOT:-$root/build-tests}
configurations=${*:-gcc clang sanitizers}
passed=0
failed=0
skipped=0

. "$root/tools/packages.sh"

# count CONFIGURATION BUILD: adds up the cases of a run
count()
{
  awk -f "$root/tests/results.awk" "$2/meson-logs/testlog.junit.xml" "$2/meson-logs/testlog.json" >"$2/counted" ||
    echo "TOTAL 0 1 0" >"$2/counted"
  grep -v '^TOTAL ' "$2/counted" | sed "s/^/$1: /"
  tail -n 1 "$2/counted" >"$2/total"
  read -r _ more_passed more_failed more_skipped <"$2/total"
  passed=$((passed + more_passed))
  failed=$((failed + more_failed))
  skipped=$((skipped + more_skipped))
}

# A step without test cases that went wrong counts as one failure.
step_failed()
{
  echo "$1: $2 failed"
  failed=$((failed + 1))
}

# Leaks are looked for where the system lets a process trace itself (some containers do not).
leaks_work()
{
  echo 'int main (void) { return 0; }' >"$build_root/leaks.c"
  gcc -fsanitize=address "$build_root/leaks.c" -o "$build_root/leaks" &&
    ASAN_OPTIONS=detect_leaks=1 "$build_root/leaks" >/dev/null 2>&1
}

# configuration NAME COMPILER MESON-OPTION...
configuration()
{
  name=$1
  compiler=$2
  shift 2
  build=$build_root/$name
  echo
  echo "== $name: build"
  if test -f "$build/build.ninja"; then
    meson setup --reconfigure "$build" "$root" "$@" >"$build_root/$name.log" 2>&1
  else
    CC=$compiler meson setup "$build" "$root" "$@" >"$build_root/$name.log" 2>&1
  fi || {
    tail -n 20 "$build_root/$name.log"
    step_failed "$name" "meson setup"
    return
  }
  if ! ninja -C "$build" >"$build_root/$name.log" 2>&1; then
    grep -vE '^\[[0-9]+/[0-9]+\] ' "$build_root/$name.log" | tail -n 60
    step_failed "$name" build
    return
  fi
  if grep -q 'warning:' "$build_root/$name.log"; then
    grep 'warning:' "$build_root/$name.log"
    step_failed "$name" "build without warnings"
  fi
  echo "== $name: tests"
  export GST_REGISTRY="$build/registry.bin"
  rm -f "$build/meson-logs/testlog.junit.xml" "$build/meson-logs/testlog.json"
  meson test -C "$build" --no-rebuild --print-errorlogs --timeout-multiplier "${TIMEOUT_MULTIPLIER:-3}"
  status=$?
  before=$failed
  count "$name" "$build"
  # Whatever the counter missed.
  test $status -eq 0 || test $failed -gt $before || step_failed "$name" "meson test (status $status)"
}

# shellcheck disable=SC2086
if ! install_packages $build_packages $run_packages $test_packages; then
  echo "0 passed, 1 failed"
  exit 1
fi
mkdir -p "$build_root"

for name in $configurations; do
  case $name in
    gcc)
      configuration gcc gcc
      ;;
    clang)
      configuration clang clang
      ;;
    sanitizers)
      # Memory that is still reachable at the end is no leak; leaks of other libraries are in suppressions/, found by
      # whole stacks, since GLib has no frame pointers. GStreamer must scan plugins in the test: its scanner is not sanitized.
      detect=1
      leaks_work || { detect=0; echo "sanitizers: leaks are not looked for: LeakSanitizer cannot run here"; }
      export ASAN_OPTIONS="detect_leaks=$detect:detect_stack_use_after_return=1:strict_string_checks=1:fast_unwind_on_malloc=0:allocator_may_return_null=1"
      export UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1:suppressions=$root/tests/suppressions/ubsan.txt"
      export LSAN_OPTIONS="suppressions=$root/tests/suppressions/leaks.txt:print_suppressions=0"
      export GST_REGISTRY_FORK=no G_SLICE=always-malloc SPPNET_SANITIZED=1
      configuration sanitizers gcc -Db_sanitize=address,undefined -Db_lundef=false -Dbuildtype=debugoptimized
      unset ASAN_OPTIONS UBSAN_OPTIONS LSAN_OPTIONS GST_REGISTRY_FORK G_SLICE SPPNET_SANITIZED
      ;;
    *)
      step_failed "$name" "unknown configuration (gcc, clang or sanitizers)"
      ;;
  esac
done

echo
test $skipped -eq 0 || echo "$skipped skipped, for the reasons above"
echo "$passed passed, $failed failed"
test $failed -eq 0 && test $passed -gt 0
