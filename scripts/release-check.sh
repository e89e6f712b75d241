#!/usr/bin/env bash
# Checks that all files state the same version; with the version of a release, also that it is this version and that the
# changelog has a section for it. Then prints only the release notes to stdout.
#   release-check.sh [VERSION]
# SHIPMARK=FILE names a binary whose --version is checked too.
set -euo pipefail
cd "$(dirname "$0")/.."
release=${1:-}
wrong=0
differs() { echo "release-check.sh: $*" >&2; wrong=1; }

version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
locked=$(sed -n '/^name = "shipmark"$/{n;s/^version = "\(.*\)"/\1/p}' Cargo.lock)
[ "$locked" = "$version" ] || differs "Cargo.toml says $version, Cargo.lock $locked"
if [ -n "${SHIPMARK:-}" ]; then
  said=$("$SHIPMARK" --version)
  [ "$said" = "shipmark $version" ] || differs "Cargo.toml says $version, $SHIPMARK says \"$said\""
fi
# The documents use the next version by its tag, or a released version by its commit with the version in a comment.
while read -r file used; do
  if [[ $used =~ ^[0-9a-f]{40}\ #\ v([0-9]+\.[0-9]+\.[0-9]+)$ ]]; then
    grep -q "^## \[${BASH_REMATCH[1]}\] - " CHANGELOG.md ||
      differs "$file uses the commit of v${BASH_REMATCH[1]}, of which CHANGELOG.md tells no release"
  elif [ "${used%% *}" != "v$version" ]; then
    differs "Cargo.toml says $version, $file uses ${used%% *}"
  fi
done < <(grep -rEo 'uses: shipmark/shipmark@[^ ]+( # [^ ]+)?' README.md docs examples | sed 's/:uses: [^@]*@/ /')

# The newest section is the one to come, or the version's own.
newest=$(sed -n 's/^## \[\([^]]*\)\].*/\1/p' CHANGELOG.md | head -n 1)
case $newest in
  Unreleased | "$version") ;;
  *) differs "CHANGELOG.md begins with $newest, neither Unreleased nor $version" ;;
esac
if [ -n "$release" ]; then
  [ "$release" = "$version" ] || differs "the release is $release, Cargo.toml says $version"
  ! grep -q '^- \*\*Not released yet\.' README.md || differs "README.md says that no version is released"
  heading=$(grep -F "## [$release]" CHANGELOG.md || true)
  [[ $heading =~ ^"## [$release] - "[0-9]{4}-[0-9]{2}-[0-9]{2}$ ]] ||
    differs "CHANGELOG.md has no section \"## [$release] - YYYY-MM-DD\""
  awk -v heading="$heading" '$0 == heading { on = 1; next } /^## \[/ { on = 0 } on' CHANGELOG.md | sed '/./,$!d'
else
  echo "all say $version"
fi
exit "$wrong"
