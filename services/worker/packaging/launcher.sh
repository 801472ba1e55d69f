#!/bin/sh
# Starts the worker. On a system whose C library is too old for it, one sentence says so.
here=$(dirname -- "$(readlink -f -- "$0")")
needed=@GLIBC@
loader=@LOADER@

refuse() {
    echo "poolworker: it needs glibc $needed or newer and $1; use a newer system, or install the worker's wheel with pip" >&2
    exit 1
}

[ -e "$loader" ] || refuse "does not find $loader here"
# Prints such as "glibc 2.36". A system without getconf is left to the loader, which is less clear.
have=$(getconf GNU_LIBC_VERSION 2>/dev/null)
have=${have#glibc }
case $have in
[0-9]*.[0-9]*)
    major=${have%%.*} minor=${have#*.}
    minor=${minor%%[!0-9]*}
    needed_minor=${needed#*.}
    if [ "$major" -lt "${needed%%.*}" ] || { [ "$major" -eq "${needed%%.*}" ] && [ "$minor" -lt "${needed_minor%%.*}" ]; }; then
        refuse "this system has $have"
    fi
    ;;
esac
exec "$here/@PROGRAM@" "$@"
