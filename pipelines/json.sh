#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Prints a line of JSON for every frame of a video file or address:
#   pipelines/json.sh INPUT | while read -r line; do ...; done
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/pipelines/environment.sh"
test $# -eq 1 || die "usage: json.sh INPUT"
need_elements sppnetdetect sppnetpublish uridecodebin videoconvert
uri=$(uri_of "$1")

# shellcheck disable=SC2086
exec gst-launch-1.0 -q uridecodebin uri="$uri" ! videoconvert ! queue ! sppnetdetect ${SPPNET_DETECT:-} ! sppnetpublish ! fakesink
