#!/usr/bin/env bash
# Adds to the binaries of a release what is published with them: for each DIR/shipmark-linux-PLATFORM an archive with the
# binary, its licence, its man page and its completions, and SHA256SUMS of all files in DIR.
#   release-archives.sh SHIPMARK DIR
# SHIPMARK is one of the binaries that this machine can run: all of them print the same pages. The same binaries and the
# same commit give the same archives.
set -euo pipefail
[ $# = 2 ] || { sed -n '2,6s/^# //p' "$0" >&2; exit 2; }
shipmark=$(realpath "$1") dir=$(realpath "$2")
cd "$(dirname "$0")/.."
fail() { echo "release-archives.sh: $*" >&2; exit 1; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
time=@$(git log -1 --format=%ct 2>/dev/null || echo 0)
count=0
for binary in "$dir"/shipmark-linux-*; do
  [[ $binary =~ /shipmark-linux-[a-z0-9]+$ ]] || continue
  chmod 755 "$binary"
  name=$(basename "$binary")
  mkdir -p "$work/$name/completions" "$work/$name/man/man1"
  cp LICENSE CHANGELOG.md "$work/$name/"
  cp "$binary" "$work/$name/shipmark"
  "$shipmark" completions bash >"$work/$name/completions/shipmark.bash"
  "$shipmark" completions zsh >"$work/$name/completions/_shipmark"
  "$shipmark" completions fish >"$work/$name/completions/shipmark.fish"
  "$shipmark" man >"$work/$name/man/man1/shipmark.1"
  chmod -R u=rwX,go=rX "$work/$name"
  tar --directory "$work" --sort=name --mtime="$time" --owner=0 --group=0 --numeric-owner --format=gnu -cf - "$name" |
    gzip --no-name >"$dir/$name.tar.gz"
  count=$((count + 1))
done
[ "$count" -gt 0 ] || fail "$dir has no shipmark-linux-PLATFORM"
cd "$dir"
rm -f SHA256SUMS
sha256sum -- * >"$work/SHA256SUMS"
mv "$work/SHA256SUMS" SHA256SUMS
echo "$count archives; SHA256SUMS of $(wc -l <SHA256SUMS) files"
