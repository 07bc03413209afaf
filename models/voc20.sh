#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Trains the default model: models/voc20.sh DATA OUTPUT
# DATA holds voc/ and extra/ (VOC folders with a set "train" each) and backbone/ (tiny.cfg and tiny.weights of Darknet).
# A stopped run goes on when started again. SPPNET names the command when it is not installed.
set -eu
if [ $# -ne 2 ]; then
  echo "usage: $0 DATA OUTPUT" >&2
  exit 2
fi
data=$1 output=$2
sppnet=${SPPNET:-sppnet}
work=$output.work

mkdir -p "$work"
[ -e "$work/tiny.safetensors" ] || "$sppnet" import --darknet "$data/backbone/tiny.cfg" "$data/backbone/tiny.weights" \
  --output "$work/tiny.safetensors"

# All pictures, those with weak labels among them.
[ -e "$work/all.safetensors" ] || "$sppnet" train --voc "$data/voc" --set train --voc "$data/extra" --set train \
  --init "$work/tiny.safetensors" --name voc20 --output "$work/all.safetensors" --work "$work/all"

# Then those with exact labels only, at lower rates. The labels are named because some occur in extra/ alone.
set --
for label in aeroplane bicycle bird boat bottle bus car cat chair cow diningtable dog horse motorbike person pottedplant \
  sheep sofa train tvmonitor; do
  set -- "$@" --label "$label"
done
[ -e "$work/exact.safetensors" ] || "$sppnet" train --voc "$data/voc" --set train "$@" \
  --init "$work/all/end-to-end.safetensors" --name voc20 --epochs 4 \
  --learning-rate 2e-4 --backbone-learning-rate 8e-5 --warm-up 100 --min-scale 0.6 --max-scale 1.4 \
  --output "$work/exact.safetensors" --work "$work/exact"

# A map of stride 8, from two layers, and all pictures again, those with exact labels twice as often.
[ -e "$work/merged.safetensors" ] || "$sppnet" train --voc "$data/voc" --set train --voc "$data/extra" --set train \
  --voc "$data/voc" --set train "$@" --init "$work/exact.safetensors" --merge conv10 --name voc20 --epochs 4.5 \
  --min-scale 0.6 --max-scale 1.4 --output "$work/merged.safetensors" --work "$work/merged"

# Region proposals from that map, and confidences from pictures that were not trained on.
[ -e "$work/rpn.safetensors" ] || "$sppnet" train --rpn-only --rpn-variants 2 --voc "$data/voc" --set train \
  --init "$work/merged/end-to-end.safetensors" --output "$work/rpn.safetensors" --work "$work/rpn"
exec "$sppnet" calibrate --voc "$data/voc" --set val --model "$work/rpn.safetensors" --output "$output"
