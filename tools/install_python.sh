#!/usr/bin/env bash
# Makes .venv with exactly requirements.lock and every workspace member in place. Safe to run again.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=tools/debian.sh
. tools/debian.sh
# Prefer the system's Python: distributions build it with profile feedback, which makes the whole pool up to half as
# fast again as the plain `configure && make` of version managers.
python=${PYTHON:-}
if [ -z "$python" ]; then
    python=python3
    if /usr/bin/python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        python=/usr/bin/python3
    fi
fi
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
    fail "Python 3.11 or newer is needed, and '$python' is not: install it, or name another with PYTHON=/path/to/python3."
if [ ! -x .venv/bin/python ]; then
    "$python" -c 'import venv, ensurepip' 2>/dev/null ||
        debian_install python3-venv "'$python' cannot make virtual environments: install python3-venv (on Debian 'apt-get install python3-venv') and run this again."
    if ! "$python" -m venv .venv; then
        rm -rf .venv # the next run must not take an incomplete environment for a complete one
        fail "'$python -m venv .venv' failed: the lines above say why."
    fi
fi
if ! .venv/bin/python -m uv --version >/dev/null 2>&1; then
    .venv/bin/python -m pip --version >/dev/null 2>&1 || .venv/bin/python -m ensurepip --upgrade >/dev/null
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r tools/bootstrap.lock
fi
export VIRTUAL_ENV="$PWD/.venv"
# Bytecode is compiled here, once: without it a pool of eight processes compiles every library at the same moment, and
# again at each start where PYTHONDONTWRITEBYTECODE is set.
.venv/bin/python -m uv pip sync --quiet --compile-bytecode --require-hashes requirements.lock tools/bootstrap.lock
members=()
for project in libs/*/pyproject.toml services/*/pyproject.toml tools/*/pyproject.toml clients/python/pyproject.toml; do
    members+=(-e "$(dirname "$project")")
done
.venv/bin/python -m uv pip install --quiet --no-deps --no-build-isolation "${members[@]}"
.venv/bin/python -m compileall -q libs/*/src services/*/src tools/*/src clients/python/src
touch .venv/.installed
