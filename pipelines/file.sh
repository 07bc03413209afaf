#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Detects in a video file or address, and shows it in a window or writes it to a WebM file:
#   pipelines/file.sh INPUT [OUTPUT.webm]
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/pipelines/environment.sh"
test $# -eq 1 || test $# -eq 2 || die "usage: file.sh INPUT [OUTPUT.webm]"
need_elements sppnetdetect sppnetoverlay uridecodebin videoconvert
uri=$(uri_of "$1")

if test $# -eq 2; then
  need_elements vp8enc webmmux
  # shellcheck disable=SC2086
  exec gst-launch-1.0 -e uridecodebin uri="$uri" ! videoconvert ! queue ! sppnetdetect ${SPPNET_DETECT:-} ! sppnetoverlay ! videoconvert ! \
    vp8enc deadline=1 cpu-used=8 target-bitrate=2000000 ! webmmux ! filesink location="$2"
fi
has_display || die "no display (DISPLAY, WAYLAND_DISPLAY): name an output, file.sh INPUT OUTPUT.webm"
need_elements autovideosink
# shellcheck disable=SC2086
exec gst-launch-1.0 uridecodebin uri="$uri" ! videoconvert ! queue ! sppnetdetect ${SPPNET_DETECT:-} ! sppnetoverlay ! videoconvert ! \
  autovideosink sync=false
