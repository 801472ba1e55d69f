#!/usr/bin/env bash
# plugins.sh: builds the code generators that buf.gen.yaml runs, as plugins/go.mod pins them, into .cache/clients/go/bin.
set -euo pipefail
. "$(dirname "$0")/environment.sh"
mkdir -p "$cache/bin"
go -C "$client/plugins" build -o "$cache/bin/" tool
