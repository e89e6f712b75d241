#!/usr/bin/env bash
# Tests release-check.sh, release-action.sh and release-pin.sh, each on a copy of what they look at.
set -euo pipefail
cd "$(dirname "$0")/.."
# The binaries that the copies are held against are made here.
unset SHIPMARK
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "release-test.sh: $*" >&2; exit 1; }
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
digest=sha256:daabd5f7f76713e866644bcb64579ce61c6f41845cdebdd0f6f17c905ad5d60a

afresh() {
  rm -rf "$work/copy"
  mkdir -p "$work/copy/scripts"
  cp -r Cargo.toml Cargo.lock README.md CHANGELOG.md action.yml docs examples "$work/copy/"
  cp scripts/release-check.sh scripts/release-action.sh scripts/release-pin.sh "$work/copy/scripts/"
  cd "$work/copy"
}
succeeds() { "$@" >"$work/out" 2>"$work/log" || { cat "$work/log" >&2; fail "it fails: $*"; }; }
refuses() { # WORDS COMMAND...
  local words=$1
  shift
  if "$@" >"$work/out" 2>"$work/log"; then fail "it does not fail: $*"; fi
  grep -qF "$words" "$work/log" || { cat "$work/log" >&2; fail "it does not say \"$words\": $*"; }
}
binary() { printf '#!/bin/sh\necho "shipmark %s"\n' "$1" >"$work/binary"; chmod +x "$work/binary"; }

root=$PWD
afresh
succeeds scripts/release-check.sh
for file in examples/fleet/build.yml examples/fleet/promote.yml docs/signing.md; do
  sed -i.before 's#\(uses: shipmark/shipmark@\)[^ ]*#\1v9.9.8#' "$file"
  refuses "$file uses v9.9.8" scripts/release-check.sh
  mv "$file.before" "$file"
done
binary "$version"
succeeds env SHIPMARK="$work/binary" scripts/release-check.sh
binary 9.9.9
refuses "says \"shipmark 9.9.9\"" env SHIPMARK="$work/binary" scripts/release-check.sh
refuses "the release is 9.9.9" scripts/release-check.sh 9.9.9
refuses "no section" scripts/release-check.sh 9.9.9
sed -i "s/^## \[Unreleased\]$/## [Unreleased]\n\n## [$version] - 2026-11-20/" CHANGELOG.md
succeeds scripts/release-check.sh "$version"
head -n 1 "$work/out" | grep -q '^### ' || fail "the notes do not begin with the first heading of the section"
sed -i "s/^version = \"$version\"/version = \"9.9.9\"/" Cargo.toml
refuses "Cargo.lock $version" scripts/release-check.sh
refuses "README.md uses v$version" scripts/release-check.sh

cd "$root"
afresh
succeeds scripts/release-action.sh "ghcr.io/shipmark/shipmark@$digest"
diff action.yml "$root/action.yml" >"$work/diff" || true
[ "$(grep -c '^[<>]' "$work/diff")" = 2 ] || fail "another line was changed too"
grep -qxF "  image: docker://ghcr.io/shipmark/shipmark@$digest" action.yml || fail "action.yml does not name the image"
refuses "no line of its own" scripts/release-action.sh "ghcr.io/shipmark/shipmark@$digest"
for bad in ghcr.io/shipmark/shipmark:1.0.0 "ghcr.io/shipmark/shipmark@${digest%0a}" "shipmark@$digest" \
  "ghcr.io/a/b@$digest"$'\n  args: x' "ghcr.io/a#b/c@$digest"; do
  refuses "is not of the form" scripts/release-action.sh "$bad"
done

cd "$root"
afresh
commit=9f3c2a1e4b5d6c7f8091a2b3c4d5e6f708192a3b
succeeds scripts/release-pin.sh "$commit" "$version"
[ "$(grep -rE 'uses: shipmark/shipmark@' README.md docs examples | grep -cv "@$commit # v$version\$")" = 0 ] ||
  fail "a document does not use the commit"
refuses "the commit of v$version, of which CHANGELOG.md tells no release" scripts/release-check.sh
sed -i "s/^## \[Unreleased\]$/## [Unreleased]\n\n## [$version] - 2026-11-20/" CHANGELOG.md
succeeds scripts/release-check.sh
# The next version's release: the documents stay at what is there to be used.
sed -i "s/^version = \"$version\"/version = \"9.9.9\"/" Cargo.toml
sed -i "/^name = \"shipmark\"$/{n;s/$version/9.9.9/}" Cargo.lock
succeeds scripts/release-check.sh
succeeds scripts/release-pin.sh "${commit//9/8}" 9.9.9
[ "$(grep -rcE "uses: shipmark/shipmark@${commit//9/8} # v9.9.9$" README.md | head -n 1)" -gt 0 ] || fail "it is not moved on"
for bad in "$commit 1.4" "${commit%b} 1.4.0" "v1.4.0 1.4.0" "$commit"; do
  # shellcheck disable=SC2086 # two words
  refuses release-pin.sh scripts/release-pin.sh $bad
done
echo "release-check.sh, release-action.sh and release-pin.sh do what they should"
