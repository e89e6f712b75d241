#!/usr/bin/env bash
# Moves the tag of a major version, such as v0, to the commit of a release, if no higher release of that major version exists:
#   release-major.sh VERSION [REMOTE]
# Run last: until then, users of the major version stay at the release before. Versions and their commits are read from
# the remote, and the tag is moved only from where it was when it was read.
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# -ge 1 ] || { sed -n '2,5s/^# //p' "$0" >&2; exit 2; }
version=$1 remote=${2:-origin}
fail() { echo "release-major.sh: $*" >&2; exit 1; }

[[ $version =~ ^([0-9]+)\.[0-9]+\.[0-9]+$ ]] || fail "expected a version such as 1.4.0, got $version"
major=v${BASH_REMATCH[1]}
tags=$(git ls-remote --tags "$remote" "$major" "$major^{}" "$major.*")
# An annotated tag is listed twice; the line with ^{} has its commit.
commit_of() { awk -v tag="refs/tags/$1" '$2 == tag { plain = $1 } $2 == tag "^{}" { peeled = $1 } END { print peeled ? peeled : plain }' <<<"$tags"; }
commit=$(commit_of "v$version")
[ -n "$commit" ] || fail "$remote has no tag v$version"
highest=$(sed -nE "s#^[0-9a-f]+\s+refs/tags/v([0-9]+\.[0-9]+\.[0-9]+)\$#\1#p" <<<"$tags" | sort --version-sort | tail -n 1)
if [ "$highest" != "$version" ]; then
  echo "$major stays: v$highest is higher than v$version"
  exit
fi
before=$(awk -v tag="refs/tags/$major" '$2 == tag { print $1 }' <<<"$tags")
if [ "$(commit_of "$major")" = "$commit" ]; then
  echo "$major is at v$version already"
  exit
fi
git fetch --quiet --no-tags "$remote" "refs/tags/v$version"
git push --quiet --force-with-lease="refs/tags/$major:$before" "$remote" "$commit:refs/tags/$major"
echo "$major moved from ${before:-nothing} to $commit (v$version)"
