#!/bin/sh
# Create a virtual environment at $1, with the first Python >= 3.11 found (or $PYTHON). Debian ships Python
# without the module that puts pip into a new environment; the system's pip then does it.
set -eu
target=$1

suits() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

if [ -x "$target/bin/python" ] && suits "$target/bin/python"; then
    exit 0
fi
python=
for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
    if suits "$candidate"; then
        python=$candidate
        break
    fi
done
if [ -z "$python" ]; then
    echo "camcert needs Python 3.11 or newer; none of '${PYTHON:-python3 python3.13 python3.12 python3.11}' is. " \
        "Mend: install one, or name it: make PYTHON=/path/to/python3" >&2
    exit 1
fi
rm -rf "$target"
if "$python" -c 'import ensurepip' >/dev/null 2>&1; then
    "$python" -m venv "$target"
else
    "$python" -m venv --without-pip "$target"
    "$python" -m pip --python "$target/bin/python" install --quiet pip
fi
