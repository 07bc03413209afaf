#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Detects in the pictures of a network camera, RTSP or HTTP, and shows them, or prints JSON lines without a display:
#   pipelines/camera.sh rtsp://USER:PASSWORD@HOST/PATH
#   pipelines/camera.sh http://HOST/video.mjpg
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/pipelines/environment.sh"
case ${1:-} in
  rtsp://* | rtsps://* | http://* | https://*) ;;
  *) die "usage: camera.sh rtsp://HOST/PATH, or camera.sh http://HOST/PATH" ;;
esac
need_elements sppnetdetect sppnetoverlay sppnetpublish uridecodebin videoconvert

newest="queue leaky=downstream max-size-buffers=1 max-size-bytes=0 max-size-time=0"
# shellcheck disable=SC2086
if has_display; then
  need_elements autovideosink
  exec gst-launch-1.0 uridecodebin uri="$1" ! videoconvert ! $newest ! sppnetdetect ${SPPNET_DETECT:-} ! sppnetoverlay ! videoconvert ! \
    autovideosink sync=false
else
  exec gst-launch-1.0 -q uridecodebin uri="$1" ! videoconvert ! $newest ! sppnetdetect ${SPPNET_DETECT:-} ! sppnetpublish ! fakesink
fi
