# Sourced by the scripts beside it: the folders, a Java compiler and Maven. Packages come from Maven's ordinary registry into
# a repository below .cache, with exact versions and checked sums. Everything goes to standard error but a program's output.
client=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$client/../.." && pwd)
cache=$root/.cache/clients/java
mkdir -p "$cache"
# shellcheck source=tools/debian.sh
. "$root/tools/debian.sh"

# java_release: the major version of the compiler that is found first; 0 without one.
java_release() { (javac -version 2>&1 || echo "javac 0") | sed -n 's/^javac \([0-9]*\).*/\1/p'; }

if [ "$(java_release)" -lt 17 ]; then
    (cd "$root" && debian_install default-jdk-headless "The Java client needs a JDK of version 17 or newer: install one (on Debian 'apt-get install default-jdk-headless').")
    [ "$(java_release)" -ge 17 ] || fail "The Java client needs a JDK of version 17 or newer, this machine has version $(java_release)."
fi
command -v mvn >/dev/null ||
    (cd "$root" && debian_install maven "The Java client is built with Maven: install it (on Debian 'apt-get install maven').")

# maven GOAL…: run Maven on this project, or on another with -f FILE.
maven() {
    mvn -B -ntp -C -f "$client/pom.xml" -Dmaven.repo.local="$cache/repository" -Dbuild.folder="$cache/target" "$@" >&2
}

# java_program ARGUMENT…: run a Java source file that may use the client, with text as UTF-8 in every locale. The first two
# options halve the processor time of a short program.
java_program() {
    exec java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -cp "$cache/lib/*" \
        -Dfile.encoding=UTF-8 -Dsun.stdout.encoding=UTF-8 -Dsun.stderr.encoding=UTF-8 \
        -Dstdout.encoding=UTF-8 -Dstderr.encoding=UTF-8 --source 17 "$@"
}
