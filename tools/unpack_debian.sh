#!/usr/bin/env bash
# unpack_debian.sh PACKAGE WHAT: unpacks a Debian package into .cache/PACKAGE for WHAT. Installed, it would start a service.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=tools/debian.sh
. tools/debian.sh

command -v apt-get >/dev/null || { echo "$2 will be skipped: it needs Debian's package $1." >&2; exit 0; }
mkdir -p ".cache/$1"
cd ".cache/$1"
apt-get download -qq "$1" 2>apt.log || { apt-get update -qq >apt.log 2>&1 || true; apt-get download -qq "$1" 2>>apt.log; } ||
    fail "apt-get cannot download $1; see .cache/$1/apt.log"
dpkg-deb -x "$1"_*.deb .
rm -f "$1"_*.deb
