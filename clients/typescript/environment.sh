# Sourced by the scripts beside it: where the cache is, Node.js, and the locked packages.
client=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=$(cd "$client/../.." && pwd)/.cache/clients/typescript
export PATH="$client/../../.cache/toolchain/bin:$PATH"
mkdir -p "$cache"

# install_packages: install what package-lock.json pins, unless it is there. Output goes to stderr.
install_packages() {
    if [ -d "$client/node_modules" ] && cmp -s "$client/package-lock.json" "$cache/installed.json"; then return; fi
    echo "installing the packages of the TypeScript client …" >&2
    npm ci --prefix "$client" --ignore-scripts --no-audit --no-fund >&2
    cp "$client/package-lock.json" "$cache/installed.json"
}
