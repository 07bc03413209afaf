#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# What libsppnet exports is what its headers declare: symbols.sh SOURCE-ROOT LIBRARY
. "$(dirname "$0")/../tap.sh"
root=$1
library=$2

# Names that the toolchain adds: linker marks, sanitizers' bookkeeping.
nm -D --defined-only "$library" | awk '{ print $NF }' | sed 's/@.*//' |
  grep -vE '^(_init|_fini|_edata|_end|__bss_start|__(odr_)?asan|__ubsan|__sanitizer)' | sort -u >"$scratch/exported"
sed -nE 's/^SPPNET_API [^(]*[ *]([A-Za-z_0-9]+) \(.*/\1/p' "$root"/engine/include/sppnet/*.h |
  sort -u >"$scratch/declared"

empty()
{
  test ! -s "$1" || { cat "$1"; return 1; }
}

links_only()
{
  # gst, gdk-pixbuf and LIBLINEAR belong to the plugin, the tool and the training.
  ! readelf -d "$library" | grep -E 'NEEDED.*(libgst|gdk_pixbuf|liblinear|cairo|pango|libgtk|stdc\+\+)'
}

check "the library exports something" test -s "$scratch/exported"
check "the headers declare something" test -s "$scratch/declared"
grep -v '^sppnet_' "$scratch/exported" >"$scratch/prefix"
check "every exported symbol begins with sppnet_" empty "$scratch/prefix"
comm -23 "$scratch/exported" "$scratch/declared" >"$scratch/undeclared"
check "every exported symbol is declared in a public header" empty "$scratch/undeclared"
comm -13 "$scratch/exported" "$scratch/declared" >"$scratch/missing"
check "every declared function is exported" empty "$scratch/missing"
check "the library links only what applications need" links_only
tap_done
