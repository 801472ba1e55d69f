#!/usr/bin/env bash
# Installs Debian's Chromium without a window, for the tests of the operator's page in a browser. Without it they are
# skipped and say so.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=tools/debian.sh
. tools/debian.sh
! command -v chromium-headless-shell >/dev/null || exit 0
(debian_install chromium-headless-shell "The tests in a browser will be skipped: they need the Debian package chromium-headless-shell.") || true
