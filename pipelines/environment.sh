# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh disable=SC2154
# What every pipeline here needs; source it after setting `root`. The plugin comes from a build tree (BUILD=DIR, else build,
# build-demo), or from where it is installed; so does the model, unless SPPNET_MODEL_PATH names another file. SPPNET_DETECT
# holds properties for sppnetdetect, such as "reduction=2 labels=person".

die()
{
  echo "${0##*/}: $*" >&2
  exit 1
}

# Encoders and displays work beside the detector: its threads leave them the processors while they wait.
export GOMP_SPINCOUNT="${GOMP_SPINCOUNT:-3000}"

for build in "${BUILD:-}" "$root/build" "$root/build-demo"; do
  if test -n "$build" && test -e "$build/gst-plugin/libgstsppnet.so"; then
    export GST_PLUGIN_PATH="$build/gst-plugin${GST_PLUGIN_PATH:+:$GST_PLUGIN_PATH}"
    export SPPNET_MODEL_PATH="${SPPNET_MODEL_PATH:-$root/models}"
    break
  fi
done

has_display()
{
  test -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}"
}

# need_elements ELEMENT...: all there, or an end that says where they come from
need_elements()
{
  command -v gst-launch-1.0 >/dev/null || die "gst-launch-1.0 is missing: apt-get install gstreamer1.0-tools"
  for element in "$@"; do
    gst-inspect-1.0 "$element" >/dev/null 2>&1 && continue
    case $element in
      sppnet*) die "the element $element is missing: build the project first (meson setup build && ninja -C build)" ;;
      avdec_*) die "the element $element is missing: apt-get install gstreamer1.0-libav" ;;
      *) die "the element $element is missing: apt-get install gstreamer1.0-plugins-base gstreamer1.0-plugins-good" ;;
    esac
  done
}

# uri_of FILE-OR-URI
uri_of()
{
  case $1 in
    *://*) echo "$1" ;;
    *)
      test -r "$1" || die "$1: no such file, or not readable"
      # Only what a URI cannot hold as it is.
      (cd "$(dirname "$1")" && printf 'file://%s/%s\n' "$(pwd)" "$(basename "$1")") | sed 's/%/%25/g; s/ /%20/g; s/#/%23/g; s/?/%3F/g'
      ;;
  esac
}
