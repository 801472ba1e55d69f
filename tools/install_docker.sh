#!/usr/bin/env bash
# Makes sure that a Docker engine answers and that MongoDB's library, the demo image's static
# busybox and nft are there.
# Installs and starts what is missing when it may (root on Debian); otherwise says in one sentence what to do.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=tools/debian.sh
. tools/debian.sh
PATH="$PATH:/usr/sbin:/sbin" # Debian keeps ldconfig and dockerd there, which a plain user's PATH lacks

# Connects as the pool does: without the docker command and its contexts.
# A busy engine may take long to answer; where none is, the connection fails at once.
engine_answers() { .venv/bin/python -c 'import docker; docker.from_env(timeout=60).ping()' 2>/dev/null; }

if [ -z "${MONGO_URI:-}" ] && ! command -v mongod >/dev/null && ! ldconfig -p | grep 'libcurl\.so\.4' >/dev/null; then
    debian_install libcurl4 "The bundled MongoDB needs libcurl4: install it (on Debian 'apt-get install libcurl4'), or set MONGO_URI to your own replica set."
fi
command -v busybox >/dev/null && ! ldd "$(command -v busybox)" >/dev/null 2>&1 ||
    debian_install busybox-static "The demo's image needs a static busybox: install it (on Debian 'apt-get install busybox-static') and run this again."

# A worker that runs as root closes its host to apps with firewall rules; a plain user's apps get no network.
[ "$(id -u)" != 0 ] || command -v nft >/dev/null ||
    debian_install nftables "Workers set firewall rules with nft: install it (on Debian 'apt-get install nftables'), then run this again."

engine_answers && exit 0
command -v dockerd >/dev/null || debian_install docker.io "Apps run in a Docker engine: install and start one (on Debian 'apt-get install docker.io'), then run this again."
[ "$(id -u)" = 0 ] || fail "The Docker engine does not answer: start it (such as 'sudo systemctl start docker'), allow '$(id -un)' to use it, set DOCKER_HOST if it listens elsewhere, then run this again."
echo "starting dockerd (log: .cache/dockerd.log) …" >&2
mkdir -p .cache
setsid nohup dockerd >.cache/dockerd.log 2>&1 </dev/null &
for _ in $(seq 40); do
    engine_answers && exit 0
    sleep 0.2
done
tail -3 .cache/dockerd.log >&2
fail "The Docker engine was started but does not answer: read .cache/dockerd.log."
