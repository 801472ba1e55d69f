#!/usr/bin/env bash
# Installs the Debian packages that only tests use, when root may. A test whose package is missing skips and says so.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=tools/debian.sh
. tools/debian.sh

# ensure FILE PACKAGE: install PACKAGE unless its FILE, a pattern, is there.
ensure() {
    compgen -G "$1" >/dev/null && return
    (debian_install "$2" "Some tests will be skipped: they need the Debian package $2.") || true
}

ensure "/usr/lib/*/faketime/libfaketimeMT.so.1" faketime
# gVisor, under which the soak tests run apps.
[ "${1:-}" != soak ] || ensure /usr/bin/runsc runsc

tools/install_registry.sh
