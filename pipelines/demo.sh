#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# From a fresh Debian 12 to detections: installs what is missing (as root or with sudo), builds, and runs the default model over
# pictures and a clip that Debian packages hold. Results are left in demo-output/.
#
#   SECONDS_OF_CLIP=79 BUDGET=600 pipelines/demo.sh    how much of the clip (default: 30), and how many seconds
#                                                       it may take (default: 150); fewer frames are searched then
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
. tools/packages.sh
output=$root/demo-output
build=$root/build-demo
# SPPNET_MODEL_PATH may also name folders: the engine finds the default model there.
model=${SPPNET_MODEL_PATH:-$root/models/voc20.safetensors}
seconds_of_clip=${SECONDS_OF_CLIP:-30}
budget=${BUDGET:-150}
clip_fps=10

stop()
{
  echo "demo.sh: $*" >&2
  exit 1
}

step()
{
  echo
  echo "== $*"
}

# package_file PACKAGE PATTERN: a file of a package. Systems that leave out documentation (container images) do not have all
# of them after the installation; they are taken from the package itself.
package_file()
{
  for path in $(dpkg -L "$1" 2>/dev/null | grep -E "$2"); do
    test ! -f "$path" || { echo "$path"; return; }
  done
  (
    mkdir -p "$output/packages/$1"
    cd "$output/packages/$1"
    ls ./*.deb >/dev/null 2>&1 || apt-get download -qq "$1" >/dev/null
    dpkg-deb -x ./*.deb .
  ) >&2 || stop "the package $1 could not be fetched"
  find "$output/packages/$1" -type f | grep -E "$2" | head -n 1
}

window_packages=
test -z "${DISPLAY:-}" || window_packages=gstreamer1.0-x
test -z "${WAYLAND_DISPLAY:-}" || window_packages="$window_packages gstreamer1.0-plugins-bad"

step "Packages"
# shellcheck disable=SC2086
install_packages $build_packages $run_packages $demo_packages $window_packages || stop "see the messages above"
case $model in *:*) ;; *) test -s "$model" ;; esac || stop "$model: no such model; it is part of the project, the clone may be incomplete"

step "Build"
mkdir -p "$output"
test -f "$build/build.ninja" || meson setup "$build" "$root" >"$output/build.log" 2>&1 || {
  tail -n 20 "$output/build.log" >&2
  stop "meson setup failed, see $output/build.log"
}
# Without the tests.
ninja -C "$build" tools/sppnet gst-plugin/libgstsppnet.so >"$output/build.log" 2>&1 || {
  tail -n 40 "$output/build.log" >&2
  stop "the build failed, see $output/build.log"
}
# The encoder works beside the detector, whose threads leave it the processors while they wait.
export GST_PLUGIN_PATH="$build/gst-plugin" SPPNET_MODEL_PATH="$model" GOMP_SPINCOUNT="${GOMP_SPINCOUNT:-3000}"
sppnet=$build/tools/sppnet
for element in sppnetdetect sppnetoverlay sppnetpublish avidemux avdec_msmpeg4 vp8enc webmmux; do
  gst-inspect-1.0 "$element" >/dev/null 2>&1 ||
    stop "GStreamer does not find the element $element: $(gst-inspect-1.0 "$element" 2>&1 | tail -n 1)"
done

step "Pictures"
: >"$output/pictures.jsonl"
for name in dog person horses; do
  picture=$(package_file darknet "/$name\\.jpg\$")
  test -n "$picture" || stop "no $name.jpg in the package darknet"
  # One label an object: the likeliest.
  "$sppnet" detect --agnostic-nms-threshold 0.7 --json --overlay "$output/$name.png" "$picture" >"$output/$name.json" ||
    stop "sppnet detect failed on $picture"
  cat "$output/$name.json" >>"$output/pictures.jsonl"
done

step "Clip"
clip=$(package_file opencv-doc '/vtest\.avi(\.gz)?$')
test -n "$clip" || stop "no vtest.avi in the package opencv-doc"
case $clip in
  *.gz)
    gzip -dc "$clip" >"$output/vtest.avi"
    clip=$output/vtest.avi
    ;;
esac
frames=$((seconds_of_clip * clip_fps))
# How many frames are searched follows from how long one takes here; the others carry the last detections. dog.jpg has the
# clip's size.
frame_ms=$("$sppnet" bench --image "$(package_file darknet '/dog\.jpg$')" --repeat 3 --json | sed -n 's/.*"total_ms" *: *\([0-9]*\).*/\1/p')
test -n "$frame_ms" || stop "sppnet bench gave no time"
interval=$(((frames * frame_ms + budget * 1000 - 1) / (budget * 1000)))
test "$interval" -ge 1 || interval=1
echo "The first $seconds_of_clip s of $clip, one frame of $interval is searched ($frame_ms ms each)."
echo "This takes some $((frames / interval * frame_ms / 1000 + frames / 10)) s."

# run_clip BRANCH...: people are looked for, of the model's 20 labels; the pipeline, with what else is to be done with the annotated frames
run_clip()
{
  rm -f "$output/clip.webm" "$output/clip.jsonl"
  gst-launch-1.0 -q -e filesrc location="$clip" ! avidemux ! avdec_msmpeg4 ! identity eos-after=$((frames + 1)) ! queue ! \
    sppnetdetect labels=person interval="$interval" ! sppnetpublish location="$output/clip.jsonl" ! sppnetoverlay ! tee name=t ! \
    queue ! videoconvert ! vp8enc deadline=1 cpu-used=8 threads=2 target-bitrate=1500000 ! webmmux ! \
    filesink location="$output/clip.webm" "$@"
}

started=$(date +%s)
if test -z "${DISPLAY:-}${WAYLAND_DISPLAY:-}"; then
  run_clip || stop "the pipeline failed, see the messages above"
elif ! run_clip t. ! queue ! videoconvert ! autovideosink sync=false; then
  echo "No window could be shown; once more without."
  run_clip || stop "the pipeline failed, see the messages above"
fi
took=$(($(date +%s) - started))
test -s "$output/clip.webm" || stop "the pipeline left no video"
test -s "$output/clip.jsonl" || stop "the pipeline left no detections"

step "Found"
# found FILE: a line per picture, "dog.jpg: dog 0.93, car 0.81"
found()
{
  LC_ALL=C awk '{
    name = $0
    sub(/.*"image" *: *"/, "", name)
    sub(/".*/, "", name)
    sub(/.*\//, "", name)
    line = ""
    n = split($0, part, /"label" *: *"/)
    for (i = 2; i <= n && i <= 11; i++) {
      label = score = part[i]
      sub(/".*/, "", label)
      sub(/.*"confidence" *: */, "", score)
      line = line sprintf("%s%s %.2f", i > 2 ? ", " : "", label, score)
    }
    if (n > 11)
      line = line sprintf(" and %d more", n - 11)
    print "  " name ": " (line == "" ? "nothing" : line)
  }' "$1"
}
found "$output/pictures.jsonl"
LC_ALL=C awk -v took="$took" '{
  people = gsub(/"label" *: *"person"/, "&")
  sum += people
  with += people > 0
  most = people > most ? people : most
} END {
  printf "  vtest.avi: %d frames in %d s (%.1f per second)\n", NR, took, NR / (took > 0 ? took : 1)
  printf "  people per frame: %.1f on average, %d at most; people in %d of %d frames\n",
    sum / NR, most, with, NR
}' "$output/clip.jsonl"

echo
echo "Left in $output:"
echo "  dog.png person.png horses.png     the pictures with what was found"
echo "  pictures.jsonl                    the same as JSON"
echo "  clip.webm clip.jsonl              the clip"

# What the default model must find.
if test "$model" = "$root/models/voc20.safetensors"; then
  for wanted in dog:dog person:person horses:horse; do
    grep -q "\"label\" *: *\"${wanted#*:}\"" "$output/${wanted%%:*}.json" ||
      stop "no ${wanted#*:} was found in ${wanted%%:*}.jpg"
  done
fi
