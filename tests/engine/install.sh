#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# What `meson install` leaves is enough to build and run the embedding example:
# install.sh SOURCE-ROOT BUILD-ROOT PREFIX SANITIZE COMPILER...
. "$(dirname "$0")/../tap.sh"
root=$1
build=$2
prefix=$3
sanitize=$4
shift 4
stage=$scratch/stage
flags=
test "$sanitize" = none || flags=-fsanitize=$sanitize

installed()
{
  DESTDIR=$stage meson install -C "$build" --no-rebuild --quiet
}

# pkg-config file with the staged prefix instead of the final one.
staged_pc()
{
  found=$(find "$stage" -name sppnet.pc)
  test -n "$found" || { echo "no sppnet.pc in $stage"; return 1; }
  mkdir -p "$scratch/pkgconfig"
  sed "s|^prefix=.*|prefix=$stage$prefix|" "$found" >"$scratch/pkgconfig/sppnet.pc"
  PKG_CONFIG_PATH=$scratch/pkgconfig pkg-config --print-errors --exists 'sppnet >= 0.1'
}

builds()
{
  options=$(PKG_CONFIG_PATH=$scratch/pkgconfig pkg-config --cflags --libs sppnet) || return
  "$@" -std=gnu11 -Wall -Wextra -Werror $flags "$root/pipelines/embed.c" -o "$scratch/embed" $options
}

# Run against the installed library; a model that does not exist is reported by name.
runs()
{
  libdir=$(dirname "$(find "$stage" -name 'libsppnet.so' | head -n 1)")
  message=$(LD_LIBRARY_PATH=$libdir "$scratch/embed" "$scratch/no-such-model" </dev/null 2>&1)
  test $? -eq 1 || { echo "exit status, output: $message"; return 1; }
  case $message in
    *no-such-model*) ;;
    *) echo "the message does not name the file: $message"; return 1 ;;
  esac
}

same_headers()
{
  diff -r "$root/engine/include/sppnet" "$stage$prefix/include/sppnet"
}

nothing_private()
{
  ! find "$stage" -name '*.a' -o -name '*train*' | grep .
}

check "meson install" installed
check "pkg-config finds sppnet" staged_pc
check "all public headers are installed" same_headers
check "no internals are installed" nothing_private
check "pipelines/embed.c compiles and links against it" builds "$@"
check "the example runs and names a missing model" runs
tap_done
