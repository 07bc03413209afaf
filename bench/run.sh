#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Times the convolution layers of a model on this engine and on others, all in one run: the same weights and input, one
# process each, in turn. Prints a table, then SPPNet against R-CNN.
#
#   bench/run.sh [OPTION]...
#     --model FILE     default: models/voc20.safetensors
#     --build DIR      a build of this tree; default: build-bench, made where it is missing
#     --threads N      default: 2
#     --rounds N       turns of each program; default: 5
#     --sizes LIST     default: "320x240 640x480 1280x720 1920x1080 3840x2160"
#     --results FILE   where the single results go, lines of JSON; default: results.jsonl in the build folder
#     --plot FILE.png  draw them, too (python3-matplotlib)
#
# Peers: oneDNN (libdnnl-dev), OpenCV (python3-opencv), ONNX Runtime (python3-onnxruntime, which Debian has from 13 on; a root
# file system with it may be named by ONNXRUNTIME_ROOT, made with
#   mmdebstrap --variant=apt --include=python3-onnxruntime trixie DIR && mount -t proc proc DIR/proc
# as root). One that is missing is named and left out.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
model=$root/models/voc20.safetensors
build=$root/build-bench
threads=2
rounds=5
sizes="320x240 640x480 1280x720 1920x1080 3840x2160"
results=
plot=
python=${PYTHON:-/usr/bin/python3}
while test $# -gt 0; do
  test $# -gt 1 || { sed -n '3,/^set/{/^#/s/^# \{0,1\}//p}' "$0"; exit 2; }
  case $1 in
    --model) model=$2 ;;
    --build) build=$2 ;;
    --threads) threads=$2 ;;
    --rounds) rounds=$2 ;;
    --sizes) sizes=$2 ;;
    --results) results=$2 ;;
    --plot) plot=$2 ;;
    *) echo "unknown option $1" >&2; exit 2 ;;
  esac
  shift 2
done
results=${results:-$build/results.jsonl}
# What a user has.
unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE

test -f "$build/build.ninja" || meson setup "$build" "$root" -Dbuildtype=release >/dev/null
ninja -C "$build" >/dev/null
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"; rm -rf "${ONNXRUNTIME_ROOT:-$scratch}/tmp/sppnet-bench"' EXIT

peers=sppnet
if test -x "$build/bench/onednn"; then peers="$peers onednn"; else echo "without oneDNN: libdnnl-dev is not installed"; fi
if "$python" -c 'import cv2' 2>/dev/null; then peers="$peers opencv"; else echo "without OpenCV: python3-opencv is not installed"; fi
if test -n "${ONNXRUNTIME_ROOT:-}" && chroot "$ONNXRUNTIME_ROOT" python3 -c 'import onnxruntime' >/dev/null 2>&1; then
  mkdir -p "$ONNXRUNTIME_ROOT/tmp/sppnet-bench"
  cp "$root"/bench/peers/*.py "$ONNXRUNTIME_ROOT/tmp/sppnet-bench"
  peers="$peers onnxruntime"
elif "$python" -c 'import onnxruntime' >/dev/null 2>&1; then
  ONNXRUNTIME_ROOT=
  peers="$peers onnxruntime"
else
  ONNXRUNTIME_ROOT=
  echo "without ONNX Runtime: python3-onnxruntime is not installed, and ONNXRUNTIME_ROOT names no root that has it"
fi

# one PEER SIZE REPEAT: prints its line of JSON, leaves its map in map-PEER
one()
{
  map=$scratch/map-$1
  case $1 in
    sppnet) "$build/bench/backbone" --input "$scratch/input" --map "$map" "$model" "$2" "$threads" "$3" ;;
    onednn) "$build/bench/onednn" --input "$scratch/input" --map "$map" "$model" "$2" "$threads" "$3" ;;
    opencv) "$python" "$root/bench/peers/opencv.py" --input "$scratch/input" --map "$map" "$scratch/$2.onnx" "$2" "$threads" "$3" ;;
    onnxruntime)
      # Debian's package complains about its own registry of operators, at length.
      if test -n "$ONNXRUNTIME_ROOT"; then
        inside=$ONNXRUNTIME_ROOT/tmp/sppnet-bench
        cp "$scratch/input" "$scratch/$2.onnx" "$inside"
        chroot "$ONNXRUNTIME_ROOT" sh -c "cd /tmp/sppnet-bench && python3 ort.py --input input --map map $2.onnx $2 $threads $3" \
          2>/dev/null
        mv "$inside/map" "$map"
      else
        "$python" "$root/bench/peers/ort.py" --input "$scratch/input" --map "$map" "$scratch/$2.onnx" "$2" "$threads" "$3" \
          2>/dev/null
      fi
      ;;
  esac
}

# Pictures that take a long time are run less often in one turn.
repeat_of()
{
  pixels=$((${1%x*} * ${1#*x}))
  repeat=$((4000000 / pixels))
  if test $repeat -lt 2; then echo 2; elif test $repeat -gt 20; then echo 20; else echo $repeat; fi
}

: >"$results"
for size in $sizes; do
  "$build/tools/sppnet" export --onnx --size "$size" --output "$scratch/$size.onnx" "$model" >/dev/null
  round=0
  while test $round -lt "$rounds"; do
    for peer in $peers; do
      one "$peer" "$size" "$(repeat_of "$size")" >>"$results" || { echo "$peer failed at $size" >&2; exit 1; }
      test $round -gt 0 || test "$peer" = sppnet ||
        "$python" "$root/bench/peers/difference.py" "$peer $size" "$scratch/map-sppnet" "$scratch/map-$peer"
    done
    round=$((round + 1))
  done
done
echo
"$python" "$root/bench/table.py" ${plot:+--plot "$plot"} "$results"
echo
"$build/tools/sppnet" bench --model "$model" --rcnn --threads "$threads"
