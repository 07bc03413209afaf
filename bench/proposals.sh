#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Measures region proposals, ours and OpenCV's, all in one run: how many objects of annotated pictures they find, and what they
# cost. Prints tables in Markdown.
#
#   bench/proposals.sh [OPTION]...
#     --voc DIR        annotated pictures; default: ../shared/data/voc
#     --set NAME       default: val
#     --every N        only every Nth picture; default: 1
#     --methods LIST   default: "rpn selective-search selective-search-quality edge-boxes grid"
#     --model FILE     of rpn; default: models/voc20.safetensors
#     --picture FILE   for the times by size; default: /usr/share/darknet/data/dog.jpg
#     --sizes LIST     default: "320x240 640x480 1280x720 1920x1080"
#     --repeat N       runs of each size, of which the fastest counts; default: 5
#     --threads N      default: 2
#     --clock CLOCK    wall (default) or processor: the processors' time of all threads, which a busy machine disturbs less
#     --build DIR      a build of this tree; default: build-bench, made where it is missing
#     --plot FILE.png  draw it, too (python3-matplotlib)
#
# Peers: OpenCV's ximgproc (python3-opencv), Selective Search "fast" and EdgeBoxes. EdgeBoxes is given an edge map: the model of
# its own edge detector is not part of OpenCV. It gets the gradient that ours is made of, in full size, thinned; the
# time for that is not counted.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
build=$root/build-bench
python=${PYTHON:-/usr/bin/python3}
test "${1:-}" != --help || { sed -n '3,/^set/{/^#/s/^# \{0,1\}//p}' "$0"; exit 0; }
i=$#
while test "$i" -gt 1; do
  if test "$1" = --build; then build=$2; else set -- "$@" "$1" "$2"; fi
  shift 2
  i=$((i - 2))
done
test -f "$build/build.ninja" || meson setup "$build" "$root" -Dbuildtype=release >/dev/null
ninja -C "$build" tools/sppnet >/dev/null
exec "$python" "$root/bench/proposals.py" --sppnet "$build/tools/sppnet" --root "$root" "$@"
