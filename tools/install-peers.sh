#!/bin/sh
# Install the software of other hands that tests/peers/ talks to (Debian and Ubuntu packages). Says clearly
# when it cannot, and then exits 3: the tests that need a missing peer name it when they are left out.
set -eu
packages="ffmpeg gir1.2-gst-rtsp-server-1.0 gstreamer1.0-libav gstreamer1.0-plugins-bad gstreamer1.0-plugins-base
gstreamer1.0-plugins-good gstreamer1.0-plugins-ugly gstreamer1.0-tools poppler-utils python3-gi"
# Node.js is taken as it is where it is there: other distributions of it bring npm in the same package.
command -v npm >/dev/null 2>&1 || packages="$packages nodejs npm"

if ! command -v apt-get >/dev/null 2>&1; then
    echo "peers: left out, this system has no apt-get; wanted: $packages" >&2
    exit 3
fi
missing=
for package in $packages; do
    state=$(dpkg-query -W -f='${Status}' "$package" 2>/dev/null || true)
    [ "$state" = "install ok installed" ] || missing="$missing $package"
done
if [ -z "$missing" ]; then
    echo "peers: all installed"
    exit 0
fi
if [ "$(id -u)" -ne 0 ]; then
    echo "peers: left out, installing needs root; run: sudo apt-get install$missing" >&2
    exit 3
fi
echo "peers: installing$missing"
# shellcheck disable=SC2086  # a list of words is meant
if ! { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing; } \
    >/tmp/camcert-peers.log 2>&1 </dev/null; then
    echo "peers: left out, apt-get failed:" >&2
    tail -n 5 /tmp/camcert-peers.log >&2
    exit 3
fi
echo "peers: installed"
