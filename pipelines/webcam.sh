#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Detects in the pictures of a camera at this computer and shows them in a window:
#   pipelines/webcam.sh [DEVICE]      default: /dev/video0
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/pipelines/environment.sh"
device=${1:-/dev/video0}
test -e "$device" || die "$device: no such camera"
need_elements sppnetdetect sppnetoverlay v4l2src decodebin videoconvert autovideosink
has_display || die "no display (DISPLAY, WAYLAND_DISPLAY); for text see json.sh"

# The queue keeps the newest frame only, so that what is shown is what the camera sees now.
# shellcheck disable=SC2086
exec gst-launch-1.0 v4l2src device="$device" ! decodebin ! videoconvert ! \
  queue leaky=downstream max-size-buffers=1 max-size-bytes=0 max-size-time=0 ! sppnetdetect ${SPPNET_DETECT:-} ! sppnetoverlay ! videoconvert ! \
  autovideosink sync=false
