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
exec "$sppnet" train --voc "$data/voc" --set train --voc "$data/extra" --set train --init "$work/tiny.safetensors" \
  --name voc20 --output "$output" --work "$work"
