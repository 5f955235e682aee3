#!/usr/bin/env bash
# Gradescope runs this once, as root, when it builds the image that all submissions are judged in.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq bubblewrap git make python3 python3-venv
for python in python3.13 python3.12 python3.11 python3; do
    if ! command -v "$python" >/dev/null && [ "$python" != python3 ]; then
        apt-get install -y -qq "$python" "$python-venv" 2>/dev/null || continue
    fi
    if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        cd "${AUTOGRADER:-/autograder}/source/net-dojo"
        exec "$python" dojo/bootstrap.py
    fi
done
echo "There is no Python 3.11 or newer for this image; choose a newer base image." >&2
exit 1
