#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Runs the tests of what computes with AVX-512 on a processor without it: Linux and the tests in Bochs, which emulates one
# (no AVX512_BF16). As root, half an hour or more, so tests/run.sh does not call it:
#   tests/avx512.sh [DIR [TEST...]]
# DIR is for the build and the emulator's disc, default build-avx512; TEST such as kernel_conv, default all that compute.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
dir=${1:-$root/build-avx512}
test $# -eq 0 || shift
tests=${*:-kernel_conv kernel_winograd kernel_kernels head_dense pooling_tables backbone_pixels backbone_bands backbone_conv
  backbone_layers backbone_plan region_rpn head_head pooling_spp detect_detector}
packages="bochs bochsbios vgabios grub-common grub-pc-bin xorriso busybox-static cpio"
# shellcheck source=tools/packages.sh
. "$root/tools/packages.sh"
# shellcheck disable=SC2086
install_packages $packages

mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
test -f "$dir/build/build.ninja" || meson setup "$dir/build" "$root" -Dbuildtype=release >"$dir/meson.log"
ninja -C "$dir/build" >"$dir/ninja.log" || { tail -n 40 "$dir/ninja.log"; exit 1; }

disc=$dir/disc system=$dir/system
rm -rf "$disc" "$system"
mkdir -p "$disc/boot/grub" "$system/bin" "$system/proc" "$system/sys" "$system/dev" "$system/tmp" "$system/t"
if ! test -f "$dir/vmlinuz"; then
  linux=$(apt-cache depends linux-image-amd64 | sed -n 's/.*Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1)
  (cd "$dir" && apt-get download -qq "$linux" 2>/dev/null && dpkg-deb -x "$linux"_*.deb linux && cp linux/boot/vmlinuz-* vmlinuz \
    && rm -rf linux "$linux"_*.deb)
fi
cp "$dir/vmlinuz" "$disc/boot"
cp /bin/busybox "$system/bin"
for command in sh mount grep timeout; do ln -s busybox "$system/bin/$command"; done
for t in $tests; do cp "$dir/build/tests/engine/test-$t" "$system/t"; done
for t in "$system"/t/*; do ldd "$t"; done | sed -n 's/^[^/]*\(\/[^ ]*\) .*/\1/p' | sort -u | while read -r library; do
  mkdir -p "$system$(dirname "$library")"
  cp -L "$library" "$system$library"
done
# Of each program what is named after this level, and what runs at the highest one. A line "rc STATUS" ends each.
cat >"$system/init" <<'EOS'
#!/bin/sh
export PATH=/bin HOME=/tmp OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t tmpfs tmp /tmp
exec >/dev/ttyS0 2>&1
grep -q avx512vl /proc/cpuinfo || { echo "rc 1 no AVX-512"; echo "the end"; }
for t in /t/*; do
  for path in $($t -l | grep '^/' | grep -v -e /plain/ -e /base/ -e /avx2/); do
    timeout 3000 $t -p $path
    echo "rc $? ${t#/t/test-} $path"
  done
done
echo "the end"
EOS
chmod +x "$system/init"
(cd "$system" && find . | cpio -o -H newc 2>/dev/null | gzip -1) >"$disc/boot/system.gz"
# Bochs saves more registers with XSAVES than it says, and Linux would switch AVX off for that.
cat >"$disc/boot/grub/grub.cfg" <<'EOS'
set timeout=0
menuentry "tests" {
  linux /boot/vmlinuz console=ttyS0 nokaslr mitigations=off nosmp nopku clearcpuid=xsaves,xsavec,pku
  initrd /boot/system.gz
}
EOS
grub-mkrescue -o "$dir/disc.iso" "$disc" 2>/dev/null
cat >"$dir/bochsrc" <<EOS
cpu: model=corei7_skylake_x, count=1, ips=50000000
megs: 2048
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/vgabios/vgabios.bin
ata0-master: type=cdrom, path=$dir/disc.iso, status=inserted
boot: cdrom
com1: enabled=1, mode=file, dev=$dir/serial.txt
display_library: rfb, options="timeout=0"
log: $dir/bochs.log
panic: action=fatal
error: action=ignore
info: action=ignore
debug: action=ignore
EOS

rm -f "$dir/serial.txt"
# Debian's Bochs has a debugger, which waits for "continue" and ends with its input.
mkfifo -m 600 "$dir/input.$$"
bochs -q -f "$dir/bochsrc" <"$dir/input.$$" >"$dir/bochs.out" 2>&1 &
exec 3>"$dir/input.$$"
rm "$dir/input.$$"
echo c >&3
emulator=$!
trap 'kill $(pgrep -f "bochs-bin.*$dir/bochsrc") 2>/dev/null || true' EXIT INT TERM
shown=0
while kill -0 "$emulator" 2>/dev/null; do
  sleep 5
  test -f "$dir/serial.txt" || continue
  tr -d '\r' <"$dir/serial.txt" | grep -a '^rc ' >"$dir/results.txt" || true
  tail -n +$((shown + 1)) "$dir/results.txt"
  shown=$(wc -l <"$dir/results.txt")
  ! grep -a -q '^the end' "$dir/serial.txt" || break
done
failed=$(grep -v -c '^rc 0 ' "$dir/results.txt" || true)
echo "$((shown - failed)) passed, $failed failed"
grep -a -q '^the end' "$dir/serial.txt" || { echo "the emulator stopped early: $dir/serial.txt, $dir/bochs.out" >&2; exit 1; }
test "$shown" -gt 0 && test "$failed" -eq 0
