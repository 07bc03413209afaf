#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The engine's rooms include each other in one direction only: rooms.sh SOURCE-ROOT
. "$(dirname "$0")/../tap.sh"
root=$1
order="base model kernel frame backbone box region pooling head detect evaluate train import"
runtime="base model kernel frame backbone box region pooling head detect"

rank()
{
  n=0
  for name in $order; do
    n=$((n + 1))
    test "$name" != "$1" || { echo $n; return; }
  done
  echo 0
}

# Every #include of a file as FILE:LINE:TEXT.
includes()
{
  grep -rnE '^[[:space:]]*#[[:space:]]*include' --include='*.[ch]' "$@" || true
}

# room_order ENGINE ROOM: a quoted include names a room, and one that is not later than its own.
room_order()
{
  own=$(rank "$2")
  bad=0
  includes "$1/$2" | sed -nE 's/^([^:]*:[0-9]*):[^"]*"([^"]*)".*/\1 \2/p' >"$scratch/quoted"
  while read -r place name; do
    other=$(rank "${name%%/*}")
    if test "$other" -eq 0 || test "$other" -gt "$own"; then
      echo "$place: room $2 includes $name"
      bad=1
    fi
  done <"$scratch/quoted"
  return $bad
}

# none ENGINE PATTERN ALLOWED-FILE: no line of any source matches, but for one file (or "-").
none()
{
  # Comments that only mention a name do not count.
  ! grep -rnE "$2" --include='*.[ch]' "$1" | grep -vE "^$1/$3:" | grep -vE '^[^:]*:[0-9]+:[[:space:]]*(/\*|\*|//)'
}

rooms_known()
{
  for path in "$1"/*/; do
    name=$(basename "$path")
    test "$name" = include || test "$(rank "$name")" -gt 0 || { echo "unknown room $name"; return 1; }
  done
}

# Picture files are for the tool and the training: libsppnet does not link gdk-pixbuf.
runtime_without_pictures()
{
  for name in $runtime; do
    ! includes "$1/$name" | grep -E 'frame/picture\.h"|<gdk-pixbuf/|<linear\.h>' | grep -v "^$1/frame/picture\.[ch]:" ||
      return 1
  done
}

public_headers_public()
{
  ! includes "$1/include" | grep -vE '<(sppnet|glib|gio)[-a-z/]*\.h>' | grep -vE '<glib-object\.h>'
}

for room in $order; do
  check "$room includes no later room" room_order "$root/engine" "$room"
done
check "every room has a place in the order" rooms_known "$root/engine"
check "the engine knows nothing of GStreamer" none "$root/engine" '#[[:space:]]*include[[:space:]]*[<"]gst/' -
check "one file talks to OpenMP's run time" none "$root/engine" 'omp\.h|\<omp_[a-z_]+[[:space:]]*\(' base/threads.c
check "one file talks to OpenBLAS's threads" none "$root/engine" '\<openblas_[a-z_]+[[:space:]]*\(' base/threads.c
check "the run-time rooms read no picture files" runtime_without_pictures "$root/engine"
check "public headers include public headers" public_headers_public "$root/engine"

# The checks themselves, on a tree with one fault each.
fake=$scratch/engine
mkdir -p "$fake/base" "$fake/head" "$fake/include/sppnet" "$fake/surprise"
echo '#include "head/head.h"' >"$fake/base/memory.c"
echo '  #  include "memory.h"' >"$fake/head/head.c"
printf '%s\n' '#include <omp.h>' '#include <gst/gst.h>' '#include "frame/picture.h"' >>"$fake/head/head.c"
echo 'n = openblas_get_num_threads ();' >>"$fake/head/head.c"
echo '#include "model/model.h"' >"$fake/include/sppnet/model.h"
refuses "a later room is noticed" room_order "$fake" base
refuses "an include without its room is noticed" room_order "$fake" head
refuses "a room outside the order is noticed" rooms_known "$fake"
refuses "GStreamer is noticed" none "$fake" '#[[:space:]]*include[[:space:]]*[<"]gst/' -
refuses "OpenMP calls are noticed" none "$fake" 'omp\.h|\<omp_[a-z_]+[[:space:]]*\(' base/threads.c
refuses "OpenBLAS thread calls are noticed" none "$fake" '\<openblas_[a-z_]+[[:space:]]*\(' base/threads.c
refuses "a picture file in a run-time room is noticed" runtime_without_pictures "$fake"
refuses "a private header in a public one is noticed" public_headers_public "$fake"
tap_done
