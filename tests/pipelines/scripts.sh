#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The ready-to-run pipelines do what they say, with a small model and a made-up clip:
# scripts.sh SOURCE-ROOT BUILD-ROOT MODEL-WRITER SANITIZE COMPILER...
. "$(dirname "$0")/../tap.sh"
root=$1
writer=$3
sanitize=$4
export BUILD="$2"
shift 4
unset DISPLAY WAYLAND_DISPLAY
export GST_REGISTRY="$scratch/registry.bin"
export SPPNET_MODEL_PATH="$scratch/scene.safetensors"
clip="$scratch/red, 100% & more #1?.webm"
frames=7

if test "$sanitize" != none; then
  # gst-launch-1.0 is not sanitized; leaks in it are not ours to find. No scanner: it is not sanitized either.
  library=$("$@" -print-file-name=libasan.so)
  test -e "$library" || { echo "1..0 # SKIP this compiler has no shared libasan to preload"; exit 0; }
  export ASAN_OPTIONS="detect_leaks=0:verify_asan_link_order=0" GST_REGISTRY_FORK=no
  # Libraries of C++ that come later need their exceptions intercepted.
  preload="$library $("$@" -print-file-name=libstdc++.so.6)"
fi
run()
{
  script=$root/pipelines/$1
  shift
  env ${preload:+LD_PRELOAD="$preload"} timeout 100 "$script" "$@"
}

make_clip()
{
  gst-launch-1.0 -q videotestsrc num-buffers=$frames pattern=red ! video/x-raw,width=96,height=64,framerate=10/1 ! \
    vp8enc deadline=1 ! webmmux ! filesink location="$clip"
}

# lines INPUT: one line per frame, each with something red
lines()
{
  run json.sh "$1" >"$scratch/lines" || return
  test "$(wc -l <"$scratch/lines")" -eq $frames || { cat "$scratch/lines"; return 1; }
  test "$(grep -c '"width":96,"height":64,.*"label":"red"' "$scratch/lines")" -eq $frames || { cat "$scratch/lines"; return 1; }
}

# properties: as SPPNET_DETECT gives them to the detector
obeys_properties()
{
  SPPNET_DETECT="labels=green interval=2" run json.sh "$1" >"$scratch/lines" || return
  test "$(wc -l <"$scratch/lines")" -eq $frames && ! grep '"label"' "$scratch/lines"
}

writes_video()
{
  run file.sh "$clip" "$scratch/out.webm" && lines "$scratch/out.webm"
}

# complains TEXT SCRIPT ARGUMENT...: ends by itself, with an error (gst-launch-1.0's is 255) that says TEXT
complains()
{
  text=$1
  shift
  output=$(run "$@" 2>&1)
  status=$?
  echo "status $status: $output"
  case $status in 0 | 12[4-9] | 1[3-9]? | 2[0-4]?) return 1 ;; esac
  case $output in *"$text"*) ;; *) false ;; esac
}

check "a model" "$writer" "$SPPNET_MODEL_PATH"
if gst-inspect-1.0 vp8enc >/dev/null 2>&1; then
  check "a clip" make_clip
  check "json.sh prints a line per frame" lines "$clip"
  check "json.sh takes an address" lines "file://$(dirname "$clip")/red,%20100%25%20&%20more%20%231%3F.webm"
  check "json.sh passes properties on" obeys_properties "$clip"
  check "file.sh writes a video" writes_video
  check "file.sh needs a display or an output" complains "no display" file.sh "$clip"
else
  skip "pipelines over a clip" "GStreamer has no vp8enc (gstreamer1.0-plugins-good)"
fi
check "a missing file is named" complains "$scratch/none.mp4" json.sh "$scratch/none.mp4"
check "a missing camera is named" complains "/dev/no-camera" webcam.sh /dev/no-camera
check "camera.sh wants an address" complains "usage" camera.sh /dev/video0
check "an address where nothing answers is an error" complains "ERROR" camera.sh http://127.0.0.1:9/video.mjpg
check "json.sh wants an input" complains "usage" json.sh
echo broken >"$scratch/scene.safetensors"
check "a broken model is named" complains "scene.safetensors" json.sh "$clip"
rm "$scratch/scene.safetensors"
check "a missing model is named" complains "scene.safetensors" json.sh "$clip"
tap_done
