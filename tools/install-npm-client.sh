#!/bin/sh
# Install the npm client that tests/peers/ talks to, exactly as locked, into <environment>/peers/npm.
# Says clearly when it cannot, and then exits 3: the test that needs it names it when it is left out.
set -eu
target="$1/peers/npm"
here="$(dirname "$0")/../tests/peers/npm"
if cmp -s "$here/package-lock.json" "$target/package-lock.json" && [ -d "$target/node_modules/onvif" ]; then
    exit 0
fi
if ! command -v npm >/dev/null 2>&1; then
    echo "peers: npm's onvif client is left out, this system has no npm; run: sudo apt-get install npm" >&2
    exit 3
fi
rm -rf "$target"
mkdir -p "$target"
cp "$here/package.json" "$here/package-lock.json" "$target/"
if ! npm ci --silent --no-audit --no-fund --ignore-scripts --prefix "$target" >/tmp/camcert-npm.log 2>&1 </dev/null; then
    echo "peers: npm's onvif client is left out, npm ci failed:" >&2
    tail -n 5 /tmp/camcert-npm.log >&2
    rm -rf "$target"
    exit 3
fi
echo "peers: npm's onvif client installed"
