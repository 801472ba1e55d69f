#!/usr/bin/env bash
# Rewrites requirements.lock from every member's pyproject.toml: exact versions with hashes, no registry named.
set -euo pipefail
cd "$(dirname "$0")/.."
members=$(sed -n 's/^name = "\(workerpool-[a-z-]*\)"/--no-emit-package \1/p' libs/*/pyproject.toml services/*/pyproject.toml tools/*/pyproject.toml)
# shellcheck disable=SC2086  # one word per flag is wanted
UV_CUSTOM_COMPILE_COMMAND="make lock" uv pip compile pyproject.toml --group dev --generate-hashes --universal --quiet \
    --no-emit-package workerpool $members -o requirements.lock "$@"
