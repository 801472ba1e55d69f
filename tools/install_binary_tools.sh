#!/usr/bin/env bash
# Installs what the worker's binary is built with besides Python packages: binutils, and Python as a shared library.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=tools/debian.sh
. tools/debian.sh

for program in readelf objdump objcopy; do
    command -v "$program" >/dev/null ||
        debian_install binutils "The binary is built with $program: install binutils (on Debian 'apt-get install binutils')."
done

# Debian has the library in a package of its own; a Python that was built here needs ./configure --enable-shared.
library() {
    .venv/bin/python - <<'PYTHON'
import ctypes, sysconfig
name = sysconfig.get_config_var("INSTSONAME") or ""
try:
    ctypes.CDLL(name if ".so" in name else "")
except OSError:
    raise SystemExit(name or "no shared library")
raise SystemExit(0 if ".so" in name else "no shared library")
PYTHON
}
if ! library 2>/dev/null; then
    package=libpython$(.venv/bin/python -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    debian_install "$package" "The binary carries Python as a shared library: install $package, or a Python that was built with --enable-shared."
    library || fail "Python's shared library is missing (the line above names it): build with a Python that was made with --enable-shared."
fi
