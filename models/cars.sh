#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A VOC folder, with sets "train" and "val", of the frames that cars.txt has boxes for: models/cars.sh CLIP DIR
# CLIP is car-detection.mp4. Needs gst-launch-1.0 with a decoder for H.264 (gstreamer1.0-tools, gstreamer1.0-libav).
set -eu
if [ $# -ne 2 ]; then
  echo "usage: $0 CLIP DIR" >&2
  exit 2
fi
clip=$1 dir=${2%/}
[ ! -e "$dir" ] || { echo "$dir: exists" >&2; exit 1; }
boxes=$(dirname "$0")/cars.txt

rm -rf "$dir.new"
mkdir -p "$dir.new/JPEGImages" "$dir.new/Annotations" "$dir.new/ImageSets/Main"
gst-launch-1.0 -q filesrc location="$clip" ! decodebin ! videoconvert ! jpegenc quality=95 \
  ! multifilesink location="$dir.new/JPEGImages/%03d.jpg"
for set in train val; do
  sed -n "s/^$set \([0-9]*\) .*/\1/p" "$boxes" | sort -u >"$dir.new/ImageSets/Main/$set.txt"
  while read -r frame; do
    {
      echo "<annotation><size><width>768</width><height>432</height><depth>3</depth></size>"
      sed -n "s/^$set $frame //p" "$boxes" | while read -r x y width height; do
        echo "<object><name>car</name><difficult>0</difficult><bndbox><xmin>$((x + 1))</xmin><ymin>$((y + 1))</ymin>"
        echo "<xmax>$((x + width))</xmax><ymax>$((y + height))</ymax></bndbox></object>"
      done
      echo "</annotation>"
    } >"$dir.new/Annotations/$frame.xml"
  done <"$dir.new/ImageSets/Main/$set.txt"
done
mv "$dir.new" "$dir"
