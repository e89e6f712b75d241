#!/usr/bin/env bash
# Makes the documents use a released version by its commit, as users should:
#   release-pin.sh COMMIT VERSION
# COMMIT is that which the tag vVERSION names; it exists only after the release, so this is done on the branch after it.
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# = 2 ] || { sed -n '2,4s/^# //p' "$0" >&2; exit 2; }
commit=$1 version=$2
fail() { echo "release-pin.sh: $*" >&2; exit 1; }

[[ $commit =~ ^[0-9a-f]{40}$ ]] || fail "expected a commit of 40 hexadecimal digits, got $commit"
[[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]] || fail "expected a version such as 1.4.0, got $version"
mapfile -t files < <(grep -rlE 'uses: shipmark/shipmark@' README.md docs examples)
[ ${#files[@]} -gt 0 ] || fail "README.md, docs and examples do not use shipmark"
sed -i -E "s|(uses: shipmark/shipmark@)[^ ]+( # .*)?\$|\1$commit # v$version|" "${files[@]}"
echo "$version by its commit: ${files[*]}"
