#!/usr/bin/env bash
# Rewrites requirements.lock from every member's pyproject.toml, and tools/*.lock from tools/*.in: exact versions with
# hashes, no registry named.
set -euo pipefail
cd "$(dirname "$0")/.."
export UV_CUSTOM_COMPILE_COMMAND="make lock"
members=$(sed -n 's/^name = "\(workerpool-[a-z-]*\)"/--no-emit-package \1/p' libs/*/pyproject.toml services/*/pyproject.toml tools/*/pyproject.toml clients/python/pyproject.toml)
# shellcheck disable=SC2086  # one word per flag is wanted
uv pip compile pyproject.toml --group dev --generate-hashes --universal --quiet \
    --no-emit-package workerpool $members -o requirements.lock "$@"
# What a user of the Python client gets beside it, in the versions of this repository.
uv pip compile clients/python/pyproject.toml --generate-hashes --universal --quiet --python-version 3.11 \
    --constraints requirements.lock --no-emit-package workerpool-protocol -o clients/python/requirements.lock "$@"
for tool in tools/*.in; do
    uv pip compile "$tool" --generate-hashes --universal --quiet --python-version 3.11 -o "${tool%.in}.lock" "$@"
done
