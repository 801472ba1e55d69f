#!/usr/bin/env bash
# Makes sure that a Docker engine answers and that a static busybox is at hand for the demo's image.
# Installs and starts what is missing when it may (root on Debian); otherwise says in one sentence what to do.
set -euo pipefail
cd "$(dirname "$0")/.."
PATH="$PATH:/usr/sbin:/sbin" # where Debian keeps ldconfig and dockerd, out of a plain user's sight

fail() { echo "$1" >&2; exit 1; }

# Asked as the pool asks, which neither needs the docker command nor follows its contexts.
engine_answers() { .venv/bin/python -c 'import docker; docker.from_env(timeout=5).ping()' 2>/dev/null; }

apt_install() {
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || fail "$2"
    echo "installing $1 …" >&2
    if ! DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$1" >.cache/apt.log 2>&1; then
        apt-get update -qq >.cache/apt.log 2>&1 || true
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$1" >>.cache/apt.log 2>&1 || { tail -3 .cache/apt.log >&2; fail "$2"; }
    fi
}

mkdir -p .cache
if [ -z "${MONGO_URI:-}" ] && ! command -v mongod >/dev/null && ! ldconfig -p | grep 'libcurl\.so\.4' >/dev/null; then
    apt_install libcurl4 "The bundled MongoDB needs libcurl4: install it (on Debian 'apt-get install libcurl4'), or set MONGO_URI to a replica set of yours."
fi
command -v busybox >/dev/null && ! ldd "$(command -v busybox)" >/dev/null 2>&1 ||
    apt_install busybox-static "The demo's image is made of a static busybox: install it (on Debian 'apt-get install busybox-static') and run this again."

engine_answers && exit 0
command -v dockerd >/dev/null || apt_install docker.io "A Docker engine is needed to run apps: install and start one (on Debian 'apt-get install docker.io'), then run this again."
[ "$(id -u)" = 0 ] || fail "The Docker engine does not answer: start it (such as 'sudo systemctl start docker'), make sure that '$(id -un)' may use it and that DOCKER_HOST names it if it is not at its usual place, then run this again."
echo "starting dockerd (log: .cache/dockerd.log) …" >&2
setsid nohup dockerd >.cache/dockerd.log 2>&1 </dev/null &
for _ in $(seq 40); do
    engine_answers && exit 0
    sleep 0.2
done
tail -3 .cache/dockerd.log >&2
fail "The Docker engine was started but does not answer: .cache/dockerd.log says why."
