#!/usr/bin/env bash
# plugins.sh: installs the code generators that buf.gen.yaml runs into .cache/clients/java/bin: protoc from Maven's registry,
# protoc-gen-grpc-java from Debian's, where it is unpacked, not installed: Maven's has no file of it for Linux.
set -euo pipefail
. "$(dirname "$0")/environment.sh"
protoc=3.25.9
stubs=1.41.3
[ "$(cat "$cache/bin/.versions" 2>/dev/null)" != "$protoc $stubs" ] || exit 0
rm -rf "$cache/bin" "$cache/debian"
mkdir -p "$cache/bin" "$cache/debian"

maven -q org.apache.maven.plugins:maven-dependency-plugin:copy -Dartifact="com.google.protobuf:protoc:$protoc:exe:linux-x86_64" \
    -DoutputDirectory="$cache/bin" -Dmdep.stripVersion=true
mv "$cache/bin/protoc-linux-x86_64.exe" "$cache/bin/protoc"
chmod +x "$cache/bin/protoc"

sentence="The stubs are generated with Debian's package protobuf-compiler-grpc-java-plugin $stubs; generate them on Debian."
package=protobuf-compiler-grpc-java-plugin
command -v apt-get >/dev/null || fail "$sentence"
cd "$cache/debian"
# Its libraries have other names in other releases of Debian.
wanted() { apt-cache depends --no-recommends --no-suggests "$package" 2>/dev/null | sed -n 's/^ *Depends: \(libproto[a-z0-9]*\)$/\1/p'; }
[ -n "$(wanted)" ] || apt-get update -qq >apt.log 2>&1 || true
# shellcheck disable=SC2046
apt-get download -qq "$package" $(wanted) >>apt.log 2>&1 || fail "apt-get cannot download $package; see $cache/debian/apt.log"
ls "$package"_"$stubs"+*.deb >/dev/null 2>&1 || fail "$sentence"
for each in *.deb; do
    dpkg-deb -x "$each" .
done
rm -f ./*.deb
# The launcher finds the libraries beside it, wherever the repository lies.
cat >"$cache/bin/protoc-gen-grpc-java" <<'LAUNCHER'
#!/bin/sh
here=$(cd "$(dirname "$0")/../debian" && pwd)
LD_LIBRARY_PATH=$here/usr/lib/x86_64-linux-gnu exec "$here/usr/bin/grpc_java_plugin" "$@"
LAUNCHER
chmod +x "$cache/bin/protoc-gen-grpc-java"
echo "$protoc $stubs" >"$cache/bin/.versions"
