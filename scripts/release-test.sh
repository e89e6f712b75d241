#!/usr/bin/env bash
# Tests the scripts of a release, each on a copy of what it looks at: release-check.sh, release-action.sh, release-pin.sh,
# release-tag.sh and release-major.sh (with a git repository as the remote), release-archives.sh and release-notes.sh.
# release-name.sh and release-sums.sh need a Sigstore: release-rehearsal.sh runs all of them.
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
sed -i '/^- \*\*Not released yet\./d' README.md
succeeds scripts/release-check.sh "$version"
sed -i '$a - **Not released yet.** Wait.' README.md
refuses "README.md says that no version is released" scripts/release-check.sh "$version"
sed -i '$d' README.md
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

# A remote, and clones of it, each as fresh as that of a job.
cd "$root"
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null
origin=$work/origin.git image=ghcr.io/shipmark/shipmark@$digest other=ghcr.io/shipmark/shipmark@${digest%0a}1b
git init --quiet --bare "$origin"
clone() {
  cd "$work"
  rm -rf "$work/clone"
  git clone --quiet --depth 1 "file://$origin" "$work/clone" 2>/dev/null
  cd "$work/clone"
}
at() { git --git-dir "$origin" rev-parse --verify --quiet "refs/tags/$1^{commit}" || true; }
clone
mkdir scripts
cp "$root"/scripts/release-{tag,major,action}.sh scripts/
cp "$root/action.yml" .
git add .
git -c user.name=a -c user.email=a@example.com commit --quiet --message x
git push --quiet origin HEAD:refs/heads/main
git --git-dir "$origin" symbolic-ref HEAD refs/heads/main

clone
succeeds scripts/release-tag.sh 0.9.0 "$image"
[ "$(git --git-dir "$origin" cat-file -t v0.9.0)" = tag ] || fail "v0.9.0 is not an annotated tag"
git --git-dir "$origin" show v0.9.0:action.yml | grep -qxF "  image: docker://$image" || fail "v0.9.0 does not name the image"
[ "$(git --git-dir "$origin" rev-parse v0.9.0~)" = "$(git --git-dir "$origin" rev-parse main)" ] || fail "v0.9.0 is not on top of main"
succeeds scripts/release-major.sh 0.9.0
[ "$(at v0)" = "$(at v0.9.0)" ] || fail "v0 is not at v0.9.0"
first=$(at v0.9.0)
clone
succeeds scripts/release-tag.sh 0.9.0 "$image"
if [ "$(at v0.9.0)" != "$first" ] || [ "$(git rev-parse HEAD)" != "$first" ]; then fail "a repeated job made another commit"; fi
clone
refuses "has a tag v0.9.0 with other contents" scripts/release-tag.sh 0.9.0 "$other"
clone
echo >>action.yml
refuses "the checkout has changes" scripts/release-tag.sh 0.9.1 "$image"
for bad in 0.9 v0.9.0 0.9.0-rc.1; do
  refuses "expected a version" scripts/release-tag.sh "$bad" "$image"
  refuses "expected a version" scripts/release-major.sh "$bad"
done
refuses "has no tag v0.9.7" scripts/release-major.sh 0.9.7
# Versions are compared as numbers, a backport moves nothing, and each major version has a tag of its own.
for version in 0.10.0 0.9.1 1.0.0; do
  clone
  succeeds scripts/release-tag.sh "$version" "$other"
  succeeds scripts/release-major.sh "$version"
done
[ "$(at v0)" = "$(at v0.10.0)" ] || fail "v0 is not at v0.10.0"
[ "$(at v1)" = "$(at v1.0.0)" ] || fail "v1 is not at v1.0.0"
succeeds scripts/release-major.sh 1.0.0
grep -q "v1 is at v1.0.0 already" "$work/out" || fail "a repeated move is not told"
# Somebody else moves v1 between the read and the push.
clone
succeeds scripts/release-tag.sh 1.1.0 "$image"
mkdir "$work/racing"
cat >"$work/racing/git" <<RACING
#!/bin/sh
[ "\$1" != push ] || $(command -v git) --git-dir "$origin" update-ref refs/tags/v1 refs/tags/v0.9.0
exec $(command -v git) "\$@"
RACING
chmod +x "$work/racing/git"
refuses "stale info" env PATH="$work/racing:$PATH" scripts/release-major.sh 1.1.0
[ "$(at v1)" = "$first" ] || fail "a tag that was moved meanwhile is overwritten"

# Archives of what prints its own pages.
cd "$root"
mkdir "$work/assets"
cat >"$work/assets/shipmark-linux-amd64" <<'BINARY'
#!/bin/sh
echo "$*"
BINARY
cp "$work/assets/shipmark-linux-amd64" "$work/assets/shipmark-linux-arm64"
echo '{}' >"$work/assets/sbom-linux-amd64.spdx.json"
succeeds scripts/release-archives.sh "$work/assets/shipmark-linux-amd64" "$work/assets"
(cd "$work/assets" && sha256sum --check --strict --quiet SHA256SUMS) || fail "SHA256SUMS does not hold"
[ "$(wc -l <"$work/assets/SHA256SUMS")" = 5 ] || fail "SHA256SUMS does not name five files"
tar -xzf "$work/assets/shipmark-linux-arm64.tar.gz" -C "$work"
for file in shipmark LICENSE CHANGELOG.md completions/shipmark.bash completions/_shipmark completions/shipmark.fish man/man1/shipmark.1; do
  [ -s "$work/shipmark-linux-arm64/$file" ] || fail "the archive has no $file"
done
[ "$(cat "$work/shipmark-linux-arm64/completions/_shipmark")" = "completions zsh" ] || fail "the completions are of another shell"
cp "$work/assets/SHA256SUMS" "$work/sums"
sleep 1 # a second later the same archives come out
succeeds scripts/release-archives.sh "$work/assets/shipmark-linux-amd64" "$work/assets"
cmp "$work/assets/SHA256SUMS" "$work/sums" || fail "the same files give other archives"
mkdir "$work/none"
refuses "has no shipmark-linux-PLATFORM" scripts/release-archives.sh "$work/assets/shipmark-linux-amd64" "$work/none"

identity=https://github.com/shipmark/shipmark/.github/workflows/release.yml@refs/tags/build-v$version
succeeds scripts/release-notes.sh "$version" "$commit" "$image" shipmark/shipmark "$identity"
for words in "uses: shipmark/shipmark@$commit # v$version" "certificate-identity $identity" "  $image" "--rev $commit shipmark"; do
  grep -qF -- "$words" "$work/out" || fail "the notes do not say \"$words\""
done
echo "the scripts of a release do what they should"
