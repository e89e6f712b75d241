#!/usr/bin/env bash
# Rehearses .github/workflows/release.yml for the platform of this machine, with the real programs on loopback: builds the
# image and pushes it; with the binary out of it signs and tags the image, makes the archives, and signs the checksums;
# cosign and the binary verify both; tags a git repository, and moves its v0.
#   release-rehearsal.sh RUNNER_TOOLS_DIR [DIR REGISTRY]
# RUNNER_TOOLS_DIR has build-image.sh, dockerd-up.sh, dockerd-down.sh. It signs if that directory has a sibling
# sigstore-stack, with its servers in ~/.cache/shipmark/sigstore. DIR, if given, gets the file `released` with the image,
# REPOSITORY@sha256:DIGEST, which is then in the registry REGISTRY; otherwise it starts a registry and deletes everything.
# Needs root, dockerd, BuildKit, registry and crane on PATH. Left out is what needs GitHub: the other platform, SBOM and
# provenance of BuildKit, `gh release create`.
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# = 1 ] || [ $# = 3 ] || { sed -n '2,11s/^# //p' "$0" >&2; exit 2; }
runner=$(realpath "$1") dir=${2:-}
sigstore=${XDG_CACHE_HOME:-$HOME/.cache}/shipmark/sigstore
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
tag=shipmark:rehearsal-$$ released='' signs=() verifies=()
fail() { echo "release-rehearsal.sh: $*" >&2; exit 1; }

work=$(mktemp -d)
# A state of our own: dockerd-down.sh then stops only what was started from here.
export RUNNER_STATE=${RUNNER_STATE:-$work/state}
mkdir -p "$RUNNER_STATE"
registry_dir=$work/registry
. scripts/local-registry.sh
registry_address=${3:-} # after that file, which unsets it
clean_up() {
  docker image rm --force "$tag" ${released:+"$released"} >/dev/null 2>&1 || true
  stop_registries
  [ ! -e "$work/sigstore" ] || "$runner/../sigstore-stack/down.sh" "$work/sigstore" || true
  [ "$RUNNER_STATE" != "$work/state" ] || "$runner/dockerd-down.sh" || true
  rm -rf "$work"
}
trap clean_up EXIT

push_image() {
  local shipmark
  scripts/local-image.sh "$runner" "$tag" "$work/image.oci.tar"
  shipmark=$(scripts/static-build.sh)
  [ -n "$registry_address" ] || start_registry releases
  "$shipmark" push --source "oci-archive:$work/image.oci.tar" --images "$registry_address/shipmark/shipmark" --tags build
  released=$registry_address/shipmark/shipmark@$(crane digest --insecure "$registry_address/shipmark/shipmark:build")
  docker pull --quiet "$released"
}

copy_binary() {
  local container
  container=$(docker create "$released")
  docker cp "$container:/shipmark" "$work/shipmark"
  docker rm "$container" >/dev/null
  SHIPMARK=$work/shipmark scripts/release-check.sh
}

start_sigstore() {
  "$runner/../sigstore-stack/up.sh" "$sigstore" "$work/sigstore"
  . "$work/sigstore/env"
  signs=(--signing-config "$SIGSTACK_SIGNING_CONFIG" --trusted-root "$SIGSTACK_TRUSTED_ROOT")
  verifies=(--certificate-identity "$SIGSTACK_IDENTITY" --certificate-oidc-issuer "$SIGSTACK_OIDC_ISSUER"
    --trusted-root "$SIGSTACK_TRUSTED_ROOT")
}

# The binary that is released signs and names its own image; cosign has the last word.
name_image() {
  local repository=${released%@*}
  scripts/release-name.sh "$work/shipmark" "$released" "$version" "${signs[@]}"
  "$sigstore/cosign" verify "${verifies[@]}" "$repository:$version" >/dev/null
  "$work/shipmark" verify --source "$repository:$version" "${verifies[@]}" --recursive
  [ "$(crane digest --insecure "$repository:$version")" = "${released#*@}" ] || fail "$version does not name what was built"
  echo "the image is signed by its own binary; cosign and shipmark verify it"
}

sign_files() {
  local assets=$work/assets platform
  case $(uname -m) in
    x86_64) platform=amd64 ;;
    aarch64) platform=arm64 ;;
    *) fail "no release is made for $(uname -m)" ;;
  esac
  mkdir "$assets"
  cp "$work/shipmark" "$assets/shipmark-linux-$platform"
  scripts/release-archives.sh "$work/shipmark" "$assets"
  scripts/release-sums.sh "$work/shipmark" "$assets/SHA256SUMS" "${signs[@]}"
  (
    cd "$assets"
    "$sigstore/cosign" verify-blob --bundle SHA256SUMS.sigstore.json "${verifies[@]}" SHA256SUMS
    "$work/shipmark" verify-bundle --bundle SHA256SUMS.sigstore.json --artifact SHA256SUMS "${verifies[@]}"
    sha256sum --check --strict --ignore-missing SHA256SUMS
    tar -xzf "shipmark-linux-$platform.tar.gz" -C "$work"
    sed -i 's/^./0/' SHA256SUMS
    if "$work/shipmark" verify-bundle --bundle SHA256SUMS.sigstore.json --artifact SHA256SUMS "${verifies[@]}" 2>/dev/null; then
      fail "checksums that were changed are taken for signed"
    fi
  )
  [ "$("$work/shipmark-linux-$platform/shipmark" --version)" = "shipmark $version" ] || fail "the archive has another binary"
  echo "the checksums are signed; cosign and shipmark verify them, and the archive holds what they name"
}

# A repository in the place of GitHub's, and a clone of it as a job has it.
tag_versions() {
  local origin=$work/origin.git clone=$work/clone
  git clone --quiet --bare . "$origin"
  git --git-dir "$origin" tag --list 'v*' | xargs --no-run-if-empty git --git-dir "$origin" tag --delete >/dev/null
  git clone --quiet --depth 1 "file://$origin" "$clone"
  "$clone/scripts/release-tag.sh" "$version" "$released"
  "$clone/scripts/release-major.sh" "$version"
  git --git-dir "$origin" show "v${version%%.*}:action.yml" | grep -qxF "  image: docker://$released" ||
    fail "the action of v${version%%.*} does not use the released image"
  scripts/release-notes.sh "$version" "$(git -C "$clone" rev-parse HEAD)" "$released" shipmark/shipmark \
    https://github.com/shipmark/shipmark/.github/workflows/release.yml@refs/tags/build-v"$version" >"$work/notes.md"
  echo "v$version and v${version%%.*} name the action with the released image"
}

push_image
copy_binary
if [ -d "$runner/../sigstore-stack" ] && [ -x "$sigstore/fulcio" ]; then
  start_sigstore
  name_image
  sign_files
else
  echo "LEFT OUT: signing the release and its checksums, since there is no Sigstore here; the image only gets its tags"
  docker run --rm --network host "$released" \
    promote --source "$released" --images "${released%@*}" --ref "refs/tags/v$version"
fi
tag_versions
[ -z "$dir" ] || echo "$released" >"$dir/released"
