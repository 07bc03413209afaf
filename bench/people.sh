#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# How many of the people in a surveillance clip are found: 20 frames of vtest.avi (Debian's opencv-doc, 768x576), in which
# people are 34 to 154 pixels tall, against the boxes that bench/people.txt has for them, drawn by hand. A person is found
# where a box overlaps (IoU) by half or more.
#
#   bench/people.sh [--model FILE] [--clip FILE] [--build DIR] [--precision KIND]
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
build=$root/build-bench
clip=/usr/share/doc/opencv-doc/examples/data/vtest.avi
model=$root/models/voc20.safetensors
precision=float32
python=${PYTHON:-/usr/bin/python3}
while test $# -gt 1; do
  case $1 in
    --model) model=$2 ;;
    --clip) clip=$2 ;;
    --build) build=$2 ;;
    --precision) precision=$2 ;;
    *) break ;;
  esac
  shift 2
done
test $# -eq 0 || { sed -n '3,/^set/{/^#/s/^# \{0,1\}//p}' "$0"; exit 2; }
test -f "$clip" || { echo "$clip: not there; it is part of the package opencv-doc" >&2; exit 1; }
test -f "$build/build.ninja" || meson setup "$build" "$root" -Dbuildtype=release >/dev/null
ninja -C "$build" tools/sppnet >/dev/null
frames=$(mktemp -d)
trap 'rm -rf "$frames"' EXIT
gst-launch-1.0 -q filesrc location="$clip" ! avidemux ! avdec_msmpeg4 ! videoconvert ! jpegenc quality=98 \
  ! multifilesink location="$frames/%03d.jpg"
build=$(cd "$build" && pwd) model=$(realpath "$model")
cd "$frames"
# shellcheck disable=SC2046
"$build/tools/sppnet" detect --model "$model" --precision "$precision" --labels person --threshold 0.01 --json \
  $(cut -d' ' -f1 "$root/bench/people.txt" | grep '^[0-9]' | sort -u | sed 's/$/.jpg/') >found.jsonl
"$python" "$root/bench/people.py" "$root/bench/people.txt" <found.jsonl
