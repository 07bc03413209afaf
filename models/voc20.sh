#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Trains the default model: models/voc20.sh DATA OUTPUT
# DATA holds voc/ and extra/ (VOC folders with a set "train" each), backbone/ (tiny.cfg and tiny.weights of Darknet) and
# video/ (car-detection.mp4, see cars.sh). Needs python3-opencv, too (light.py, paste.py).
# A stopped run goes on when started again. SPPNET names the command when it is not installed.
set -eu
if [ $# -ne 2 ]; then
  echo "usage: $0 DATA OUTPUT" >&2
  exit 2
fi
data=$(CDPATH="" cd -- "$1" && pwd) output=$2
sppnet=${SPPNET:-sppnet}
work=$output.work

mkdir -p "$work"
# First, as they need what else is installed.
[ -d "$work/light" ] || "$(dirname "$0")/light.py" "$data/voc" horse "$work/light"
[ -d "$work/paste" ] || "$(dirname "$0")/paste.py" "$data/voc" 2200 "$work/paste"
[ -d "$work/cars" ] || "$(dirname "$0")/cars.sh" "$data/video/car-detection.mp4" "$work/cars"
[ -e "$work/tiny.safetensors" ] || "$sppnet" import --darknet "$data/backbone/tiny.cfg" "$data/backbone/tiny.weights" \
  --output "$work/tiny.safetensors"

# The labels are named because some occur in extra/ alone. Pictures with exact labels count twice.
set --
for label in aeroplane bicycle bird boat bottle bus car cat chair cow diningtable dog horse motorbike person pottedplant \
  sheep sofa train tvmonitor; do
  set -- "$@" --label "$label"
done
all()
{
  "$sppnet" train --voc "$data/voc" --set train --voc "$data/extra" --set train --voc "$data/voc" --set train --name voc20 "$@"
}
rates="--learning-rate 4e-4 --backbone-learning-rate 2e-4 --weight-decay 0.05 --warm-up 500"
scenes="--regions 96 --pictures 4 --min-scale 0.5 --max-scale 1.6 --mosaic 0.4"

# All at once: a stage of context behind the imported layers, a map of stride 8 from three layers, the region proposal
# network and the head.
# shellcheck disable=SC2086
[ -e "$work/base.safetensors" ] || all "$@" --init "$work/tiny.safetensors" --context 64,512 --merge conv10 \
  --rpn --rpn-filters 48 --rpn-stride 1 $scenes $rates --epochs 12 --output "$work/base.safetensors" --work "$work/base"

# A smaller first layer of the head, which leaves time for a look at what is around each region.
[ -e "$work/small.safetensors" ] || "$sppnet" compress --rank 256 "$work/base.safetensors" --output "$work/small.safetensors"
# shellcheck disable=SC2086
[ -e "$work/around.safetensors" ] || all "$@" --init "$work/small.safetensors" --rpn --around 1,2 \
  $scenes $rates --epochs 20 --output "$work/around.safetensors" --work "$work/around"

# Exact labels only, fewer mosaics, at lower rates.
[ -e "$work/exact.safetensors" ] || "$sppnet" train --voc "$data/voc" --set train --name voc20 "$@" \
  --init "$work/around.safetensors" --rpn --regions 96 --pictures 4 --min-scale 0.5 --max-scale 1.5 --mosaic 0.15 \
  --learning-rate 2e-4 --backbone-learning-rate 1e-4 --weight-decay 0.05 --warm-up 100 --epochs 10 \
  --output "$work/exact.safetensors" --work "$work/exact"

# Two trainings more from there: with half of the pictures laid over each other, and, from the mean of both, with most of the
# lesson from what these two make of such pictures. The mean of all three is better than each.
later="--rpn --regions 96 --pictures 4 --min-scale 0.5 --weight-decay 0.05 --warm-up 100"
# shellcheck disable=SC2086
[ -e "$work/blended.safetensors" ] || all "$@" --init "$work/exact.safetensors" $later --max-scale 1.5 --mosaic 0.3 --blend 0.5 \
  --learning-rate 3e-4 --backbone-learning-rate 1.5e-4 --epochs 5 --output "$work/blended.safetensors" --work "$work/blended"
[ -e "$work/both.safetensors" ] || "$sppnet" average "$work/exact.safetensors" "$work/blended.safetensors" \
  --output "$work/both.safetensors"
# shellcheck disable=SC2086
[ -e "$work/taught.safetensors" ] || all "$@" --init "$work/both.safetensors" $later --max-scale 1.4 --mosaic 0.25 --blend 0.7 \
  --colour 0.25 --teacher "$work/exact.safetensors" --teacher "$work/blended.safetensors" --teacher-part 0.85 \
  --learning-rate 2e-4 --backbone-learning-rate 1e-4 --epochs 4.2 --output "$work/taught.safetensors" --work "$work/taught"
[ -e "$work/mean.safetensors" ] || "$sppnet" average "$work/exact.safetensors" "$work/blended.safetensors" \
  "$work/taught.safetensors" --output "$work/mean.safetensors"

# At a tenth of the rates, so that it stays the mean, cars from above, which no photograph shows, and more of the pictures
# with labels that are rare: else whatever has wheels becomes a car.
pictures_with()
{
  folder=$1 set=$2 labels=$3
  mkdir -p "$work/rare/$folder/ImageSets/Main"
  ln -sfn "$data/$folder/Annotations" "$data/$folder/JPEGImages" "$work/rare/$folder"
  while read -r picture _; do
    ! grep -q -E "<name>($labels)</name>" "$data/$folder/Annotations/$picture.xml" || echo "$picture"
  done <"$data/$folder/ImageSets/Main/train.txt" | LC_ALL=C sort -u >"$work/rare/$folder/ImageSets/Main/$set.txt"
}
pictures_with voc rare "bicycle|bus|diningtable|tvmonitor|bottle|car|motorbike|boat|bird"
pictures_with extra rare "bicycle|bus|train|diningtable|tvmonitor|bottle"
pictures_with voc rarest "bicycle|bus|train"
pictures_with extra rarest "bicycle|bus|train"
for _ in 1 2 3 4 5 6; do
  set -- "$@" --voc "$work/cars" --set train
done
for set in rare rarest rarest rarest rarest; do
  set -- "$@" --voc "$work/rare/voc" --set "$set" --voc "$work/rare/extra" --set "$set"
done
# shellcheck disable=SC2086
[ -e "$work/cars.safetensors" ] || all "$@" --init "$work/mean.safetensors" $later --max-scale 1.5 --mosaic 0.2 --blend 0.3 \
  --learning-rate 4e-5 --backbone-learning-rate 2e-5 --epochs 0.75 --output "$work/cars.safetensors" --work "$work/cars-too"

# One more training: NAME FROM RATE BACKBONE_RATE EPOCHS OPTION...
further()
{
  name=$1 from=$2 rate=$3 backbone_rate=$4 epochs=$5
  shift 5
  # shellcheck disable=SC2086
  [ -e "$work/$name.safetensors" ] || all "$@" --init "$work/$from.safetensors" $later --max-scale 1.5 --mosaic 0.2 --blend 0.3 \
    --learning-rate "$rate" --backbone-learning-rate "$backbone_rate" --epochs "$epochs" \
    --output "$work/$name.safetensors" --work "$work/$name"
}

# The same three times more, each with horses whose coats are light, which the pictures have few of and which were called
# cows: with those few and with others that were made so; and the mean of these.
horses()
{
  name=$1 found=$2 made=$3
  shift 3
  while [ "$found" -gt 0 ]; do
    found=$((found - 1))
    set -- "$@" --voc "$work/light" --set found
  done
  while [ "$made" -gt 0 ]; do
    made=$((made - 1))
    set -- "$@" --voc "$work/light" --set made
  done
  further "$name" cars 4e-5 2e-5 0.75 "$@"
}
horses found 2 3 "$@"
horses made 0 3 "$@"
horses more 0 6 "$@" --seed 2
[ -e "$work/light.safetensors" ] || "$sppnet" average "$work/found.safetensors" "$work/made.safetensors" \
  "$work/more.safetensors" --output "$work/light.safetensors"

# Twice more, at rates as before the cars, with labels that are learnt the more surely the better a region fits;
# and the mean of these and what they started from.
set -- "$@" --voc "$work/light" --set made --iou-aware
further fitting light 2e-4 1e-4 2.5 "$@"
further fitting-too light 2e-4 1e-4 2.2 "$@" --seed 2
[ -e "$work/fit.safetensors" ] || "$sppnet" average "$work/light.safetensors" "$work/fitting.safetensors" \
  "$work/fitting-too.safetensors" --output "$work/fit.safetensors"

# Once more, with objects that were cut out and pasted into other pictures, most of them smaller; and the mean with what it
# started from.
set -- "$@" --voc "$work/paste" --set train
further pasted fit 2e-4 1e-4 2.2 "$@" --seed 5
[ -e "$work/both-fit.safetensors" ] || "$sppnet" average "$work/fit.safetensors" "$work/pasted.safetensors" \
  --output "$work/both-fit.safetensors"

# With convolutions over the bins of each region; twice more from there; and the mean of the three.
further regions both-fit 3e-4 1e-4 2.2 "$@" --seed 6 --region-layers 64,64
further regions-again regions 2.5e-4 1e-4 2 "$@" --seed 7
further regions-too regions 2.5e-4 1e-4 1.9 "$@" --voc "$work/light" --set made --voc "$work/light" --set made --seed 8
[ -e "$work/last.safetensors" ] || "$sppnet" average "$work/regions.safetensors" "$work/regions-again.safetensors" \
  "$work/regions-too.safetensors" --output "$work/last.safetensors"

# Confidences from pictures that were not trained on, what labels say about each other from those that were, and confidences
# again. Proposals that are hardly believed in are not scored.
"$sppnet" calibrate --voc "$data/voc" --set val --min-objectness 0.1 --model "$work/last.safetensors" \
  --output "$work/confident.safetensors"
"$sppnet" calibrate --context --voc "$data/voc" --set train --model "$work/confident.safetensors" \
  --output "$work/context.safetensors"
exec "$sppnet" calibrate --voc "$data/voc" --set val --model "$work/context.safetensors" --output "$output"
