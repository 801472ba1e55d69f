#!/usr/bin/env bash
# plugins.sh: install the generator that buf.gen.yaml names, as package-lock.json pins it.
set -euo pipefail
. "$(dirname "$0")/environment.sh"
exec 9>"$cache/lock"
flock 9
install_packages
mkdir -p "$cache/bin"
printf '#!/bin/sh\nexec node "%s/node_modules/@bufbuild/protoc-gen-es/bin/protoc-gen-es" "$@"\n' "$client" >"$cache/bin/protoc-gen-es.part"
chmod +x "$cache/bin/protoc-gen-es.part"
mv "$cache/bin/protoc-gen-es.part" "$cache/bin/protoc-gen-es"
