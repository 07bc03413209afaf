# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh disable=SC2034
# What the project needs from Debian (12 or later) or Ubuntu, and how scripts get it. Source it.

build_packages="gcc libc6-dev pkg-config meson ninja-build
  libglib2.0-dev libjson-glib-dev libopenblas-dev libgdk-pixbuf-2.0-dev liblinear-dev
  libcairo2-dev libpango1.0-dev libgstreamer1.0-dev libgstreamer-plugins-base1.0-dev"
run_packages="gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-libav
  fonts-dejavu-core"
test_packages="g++ clang clang-format libomp-dev binutils darknet opencv-doc"
demo_packages="darknet opencv-doc"

# install_packages PACKAGE...: installs those that are missing; an error that names them where that cannot be done.
install_packages()
{
  if ! command -v dpkg-query >/dev/null; then
    echo "This is not Debian or Ubuntu; please see to it that you have the equivalents of: $*"
    return 0
  fi
  missing=
  for package in "$@"; do
    test "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed || missing="$missing $package"
  done
  test -n "$missing" || return 0
  as_root=
  if test "$(id -u)" -ne 0; then
    if ! command -v sudo >/dev/null; then
      echo "Missing packages, and neither root nor sudo to install them. As root:" >&2
      echo "  apt-get install --no-install-recommends$missing" >&2
      return 1
    fi
    as_root=sudo
  fi
  echo "Installing:$missing"
  $as_root apt-get update -qq || echo "apt-get update failed; trying with the package lists there are" >&2
  # shellcheck disable=SC2086
  if ! $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing \
    >"${TMPDIR:-/tmp}/gst-sppnet-apt.$$" 2>&1; then
    cat "${TMPDIR:-/tmp}/gst-sppnet-apt.$$" >&2
    echo "apt-get could not install:$missing" >&2
    return 1
  fi
  rm -f "${TMPDIR:-/tmp}/gst-sppnet-apt.$$"
}
