#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# How average precision grows with the number of training pictures: bench/learning-curve.sh VOC-FOLDER WORK [N...]
# Trains a detector on N pictures of the folder's set "train" (default: 10 25 50 100 200), the same number of steps each, and
# evaluates it on the set "val". WORK/learning-curve.json gets a line per N, and, with python3-matplotlib,
# WORK/learning-curve.png the plot. SPPNET names the command when it is not installed, INIT another initial model, STEPS the
# number of steps, OPTIONS more options of "sppnet train". A stopped run goes on when started again.
set -eu
if [ $# -lt 2 ]; then
  echo "usage: $0 VOC-FOLDER WORK [N...]" >&2
  exit 2
fi
bench=$(dirname "$0")
data=$(cd "$1" && pwd) work=$2
shift 2
[ $# -gt 0 ] || set -- 10 25 50 100 200
sppnet=${SPPNET:-sppnet}
steps=${STEPS:-2400} python=${PYTHON:-/usr/bin/python3}

mkdir -p "$work/voc/ImageSets/Main"
ln -sfn "$data/Annotations" "$work/voc/Annotations"
ln -sfn "$data/JPEGImages" "$work/voc/JPEGImages"
# In an order that looks random and never changes; the smaller sets are parts of the larger ones.
while read -r name; do
  printf '%s %s\n' "$(printf %s "$name" | md5sum | cut -d' ' -f1)" "$name"
done <"$data/ImageSets/Main/train.txt" | sort | cut -d' ' -f2 >"$work/order.txt"

: >"$work/learning-curve.json.new"
for n in "$@"; do
  head -n "$n" "$work/order.txt" >"$work/voc/ImageSets/Main/first-$n.txt"
  model=$work/first-$n.safetensors
  # A step takes two pictures.
  [ -e "$model" ] || "$sppnet" train --voc "$work/voc" --set "first-$n" ${INIT:+--init "$INIT"} --heads-only --pictures 2 \
    --epochs "$(awk -v s="$steps" -v n="$n" 'BEGIN { print 2 * s / n }')" ${OPTIONS:-} --output "$model" >&2
  [ -e "$work/first-$n.json" ] || {
    "$sppnet" evaluate --voc "$data" --set val --model "$model" --json >"$work/first-$n.json.new"
    mv "$work/first-$n.json.new" "$work/first-$n.json"
  }
  printf '{"train":%s,"result":%s}\n' "$n" "$(cat "$work/first-$n.json")" | tee -a "$work/learning-curve.json.new"
done
mv "$work/learning-curve.json.new" "$work/learning-curve.json"

"$python" -c 'import matplotlib' 2>/dev/null || {
  echo "no plot: there is no python3-matplotlib" >&2
  exit 0
}
"$python" "$bench/learning_curve.py" "$work/learning-curve.json" "$work/learning-curve.png"
