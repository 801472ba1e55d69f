#!/usr/bin/env bash
# Fetches Debian's docker-registry into .cache, for the tests with a private registry. It is not installed: the package
# would start a service. Without it those tests are skipped and say so.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=.cache/docker-registry
[ ! -x "$folder/usr/bin/docker-registry" ] && ! command -v docker-registry >/dev/null || exit 0
command -v apt-get >/dev/null || exit 0
echo "fetching docker-registry …" >&2
mkdir -p "$folder"
fetch() { (cd "$folder" && apt-get download -qq docker-registry >apt.log 2>&1); }
fetch || { apt-get update -qq >"$folder/apt.log" 2>&1 && fetch; } || {
    echo "docker-registry cannot be fetched ($folder/apt.log): the tests with a private registry are skipped" >&2
    exit 0
}
dpkg-deb -x "$folder"/docker-registry_*.deb "$folder"
