# Functions that the installation scripts share; source it.

# Print a sentence and stop.
fail() { echo "$1" >&2; exit 1; }

# debian_install PACKAGE SENTENCE: install a Debian package when root, else stop with the sentence.
debian_install() {
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || fail "$2"
    echo "installing $1 …" >&2
    mkdir -p .cache
    if ! DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$1" >.cache/apt.log 2>&1; then
        apt-get update -qq >.cache/apt.log 2>&1 || true
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$1" >>.cache/apt.log 2>&1 || { tail -3 .cache/apt.log >&2; fail "$2"; }
    fi
}
