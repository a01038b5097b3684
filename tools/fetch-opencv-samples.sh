#!/bin/sh
# Fetch the chessboard pictures of Debian's package opencv-doc, and the calibration published with them, into a folder:
# fetch-opencv-samples.sh DIR. The package is taken apart, not installed: systems that leave out documents would drop them.
set -eu
to="${1:?usage: fetch-opencv-samples.sh DIR}"
[ -f "$to/left_intrinsics.yml" ] && exit 0
command -v apt-get >/dev/null 2>&1 || { echo "opencv samples: left out, this system has no apt-get" >&2; exit 3; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
if ! apt-get download -qq opencv-doc >log 2>&1 </dev/null; then
    echo "opencv samples: left out, apt-get failed:" >&2
    tail -n 3 log >&2
    exit 3
fi
mkdir taken
dpkg-deb --fsys-tarfile opencv-doc*.deb | tar -x -C taken --wildcards './usr/share/doc/opencv-doc/examples/data/left*'
mkdir -p "$to"
cp taken/usr/share/doc/opencv-doc/examples/data/left* "$to/"
