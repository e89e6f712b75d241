#!/usr/bin/env bash
# Commits an action.yml that names the published image, and pushes that commit as the tag of the version:
#   release-tag.sh VERSION REPOSITORY@sha256:DIGEST [REMOTE]
# The commit is on no branch. The tag is pushed without force, so an existing one stays; one with the same content is taken,
# so that a job that failed after this step can be repeated. Leaves the checkout at the commit of the tag.
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# -ge 2 ] || { sed -n '2,5s/^# //p' "$0" >&2; exit 2; }
version=$1 image=$2 remote=${3:-origin}
fail() { echo "release-tag.sh: $*" >&2; exit 1; }

[[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]] || fail "expected a version such as 1.4.0, got $version"
[ -z "$(git status --porcelain --untracked-files=no)" ] || fail "the checkout has changes, which would be released"
scripts/release-action.sh "$image"
author=(-c "user.name=github-actions[bot]" -c "user.email=41898282+github-actions[bot]@users.noreply.github.com")
git "${author[@]}" commit --quiet --all --message "Use the image of $version"
if git fetch --quiet --no-tags "$remote" "refs/tags/v$version" 2>/dev/null; then
  contents() { git show --no-patch --format='%T %P' "$1^{commit}"; }
  [ "$(contents FETCH_HEAD)" = "$(contents HEAD)" ] || fail "$remote has a tag v$version with other contents"
  git checkout --quiet --detach FETCH_HEAD
  echo "v$version is $(git rev-parse HEAD) already, with $image"
  exit
fi
git "${author[@]}" tag --annotate "v$version" --message "shipmark $version"
git push --quiet "$remote" "refs/tags/v$version"
echo "v$version is $(git rev-parse HEAD), with $image"
