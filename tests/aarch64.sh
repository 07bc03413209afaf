#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Builds everything for 64-bit ARM with Debian's cross compiler and runs the tests of the computing rooms under qemu. Slow, so
# tests/run.sh does not call it. As root:
#   tests/aarch64.sh [DIR]
# DIR is a Debian root file system with the ARM libraries; it is made with mmdebstrap where it is missing (1.5 GB).
# Default: build-aarch64
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
dir=${1:-$root/build-aarch64}
libraries="libc6-dev libglib2.0-dev libjson-glib-dev libopenblas-dev libgdk-pixbuf-2.0-dev liblinear-dev libcairo2-dev
  libpango1.0-dev libgstreamer1.0-dev libgstreamer-plugins-base1.0-dev"
# Everything that computes: kernels, convolution, pooling, head, regions, the detector.
tests="engine-base_half engine-kernel_kernels engine-kernel_conv engine-kernel_winograd engine-backbone_layers engine-backbone_conv
  engine-backbone_bands engine-frame_rgb engine-frame_ycbcr engine-pooling_spp engine-pooling_tables engine-head_head engine-head_dense
  engine-box_nms engine-region_proposer engine-region_rpn engine-detect_context engine-detect_detector engine-train_gradient"

if ! test -d "$dir/usr/include/aarch64-linux-gnu/glib-2.0" && ! test -d "$dir/usr/lib/aarch64-linux-gnu/glib-2.0"; then
  command -v mmdebstrap >/dev/null || { echo "mmdebstrap is needed (apt-get install mmdebstrap)" >&2; exit 1; }
  packages=gcc-aarch64-linux-gnu,libgomp1:arm64,meson,ninja-build,pkg-config,qemu-user
  for library in $libraries; do packages=$packages,$library:arm64; done
  mmdebstrap --variant=apt --architectures=amd64,arm64 --include="$packages" bookworm "$dir"
fi

rm -rf "$dir/tmp/gst-sppnet"
mkdir -p "$dir/tmp/gst-sppnet"
(cd "$root" && git ls-files -z | xargs -0 tar -cf - --ignore-failed-read) | tar -xf - -C "$dir/tmp/gst-sppnet"
cat >"$dir/tmp/aarch64.ini" <<'EOF'
[binaries]
c = 'aarch64-linux-gnu-gcc'
ar = 'aarch64-linux-gnu-ar'
strip = 'aarch64-linux-gnu-strip'
pkgconfig = 'aarch64-linux-gnu-pkg-config'
exe_wrapper = 'qemu-aarch64'
[host_machine]
system = 'linux'
cpu_family = 'aarch64'
cpu = 'cortex-a72'
endian = 'little'
EOF
# shellcheck disable=SC2086
chroot "$dir" /bin/sh -eu <<EOF
cd /tmp
# Debian has a wrapper of this name only where pkgconf is installed for that architecture.
if ! command -v aarch64-linux-gnu-pkg-config >/dev/null; then
  printf '#!/bin/sh\nPKG_CONFIG_LIBDIR=/usr/lib/aarch64-linux-gnu/pkgconfig:/usr/share/pkgconfig exec pkg-config "\$@"\n' \
    >/usr/local/bin/aarch64-linux-gnu-pkg-config
  chmod +x /usr/local/bin/aarch64-linux-gnu-pkg-config
fi
test -f build-gst-sppnet/build.ninja ||
  meson setup build-gst-sppnet gst-sppnet --cross-file aarch64.ini -Dbuildtype=release >meson.log || { cat meson.log; exit 1; }
ninja -C build-gst-sppnet >ninja.log || { tail -n 40 ninja.log; exit 1; }
! grep 'warning:' ninja.log
OMP_NUM_THREADS=2 meson test -C build-gst-sppnet --no-rebuild --timeout-multiplier 20 --print-errorlogs $(echo $tests)
EOF
