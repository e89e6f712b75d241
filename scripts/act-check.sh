#!/usr/bin/env bash
# Releases the image of the Dockerfile's final stage to a registry on loopback, as .github/workflows/release.yml does, and
# runs tests/act/release.yml under act with the action.yml of that release, once with jobs in containers and once with
# jobs on this machine; then checks the registry and the log. act-documents.sh does the same with the workflows of README.md
# and docs/, act-retention.sh with that of examples/retention, and act-gitflow.sh with those of examples/gitflow, in the
# second mode alone.
#   act-check.sh RUNNER_TOOLS_DIR     a directory with act-run.sh, build-image.sh, dockerd-up.sh, dockerd-down.sh
# The release is signed if that directory has a sibling sigstore-stack, with its servers in ~/.cache/shipmark/sigstore.
# Needs root, dockerd, BuildKit, act, registry and crane on PATH. It uses a dockerd that already runs, and stops every
# program that it starts. If docker buildx is installed with them, it builds the archive that is pushed; otherwise the
# archive in examples/ is pushed, which BuildKit made.
set -euo pipefail
cd "$(dirname "$0")/.."
runner=$(realpath "${1:?usage: act-check.sh RUNNER_TOOLS_DIR}")
released='' built=''
fail() { echo "act-check.sh: $*" >&2; exit 1; }

work=$(mktemp -d)
registry_dir=$work/registry
# A state of our own: dockerd-down.sh then stops only what was started from here.
export RUNNER_STATE=${RUNNER_STATE:-$work/state}
mkdir -p "$RUNNER_STATE"
. scripts/local-registry.sh
clean_up() {
  [ -z "$released" ] || docker image rm --force "$released@$built" >/dev/null 2>&1 || true
  stop_registries
  [ "$RUNNER_STATE" != "$work/state" ] || "$runner/dockerd-down.sh" || true
  rm -rf "$work"
}
trap clean_up EXIT

buildx() { DOCKER_CONFIG=${RUNNER_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/runner-tools}/docker-config docker buildx "$@"; }
# The example image made anew, in the place of the one in the tree. Its platforms come out with the same digests.
build_with_buildx() {
  local builder=shipmark-act-$$ rc=0
  buildx create --name "$builder" --driver remote "$("$runner/buildkitd-up.sh")" >/dev/null
  buildx build --quiet --builder "$builder" --platform linux/amd64,linux/arm64 --provenance=mode=max \
    --build-arg REVISION=9f3c2a1ca84d1343b96baa8137c943ed1860e522 --build-arg VERSION=1.4.0 \
    --build-arg SOURCE_DATE_EPOCH=1760000000 \
    --output "type=oci,name=registry.example.com/team/web:1.4.0,rewrite-timestamp=true,dest=$work/tree/examples/web.oci.tar" \
    examples/image || rc=$?
  buildx rm "$builder" >/dev/null
  return "$rc"
}

# The way of a release: the image is pushed by its digest, signs itself, gives itself the tags of its version, and action.yml
# comes to name it.
start_registry releases
scripts/release-rehearsal.sh "$runner" "$work" "$registry_address"
released=$(cat "$work/released")
built=${released#*@}
released=${released%@*}
docker pull --quiet "$released@$built"
shipmark=$(scripts/static-build.sh)
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
[ "$(crane digest --insecure "$released:$version")" = "$built" ] || fail "$version does not name what was built"
mkdir "$work/tree"
git ls-files -z | tar --null -T - -cf - | tar -xf - -C "$work/tree"
scripts/release-action.sh "$released@$built" "$work/tree/action.yml"
if [ -x "${RUNNER_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/runner-tools}/docker-config/cli-plugins/docker-buildx" ]; then
  build_with_buildx
  echo "the archive that is pushed: just made by $(buildx version)"
else
  echo "the archive that is pushed: the one in examples/; docker buildx is not installed (install.sh buildx)"
fi
digest=$(tar -xOf "$work/tree/examples/web.oci.tar" index.json | grep -o 'sha256:[0-9a-f]\{64\}' | head -n 1)
word=made-up-and-masked

in_mode() { # MODE
  local mode=$1 log=$work/$1.log found secret
  start_registry "$mode"
  "$runner/act-run.sh" -m "$mode" -e push -W tests/act/release.yml "$work/tree" -- \
    --var "REGISTRY=$registry_address" --var "DIGEST=$digest" -s "WORD=$word" 2>&1 | tee "$log" ||
    fail "the workflow failed in $mode mode"
  for name in dev/web:git-9f3c2a1 dev/web:main dev/web:frozen prod/web:1.4.0 prod/web:1.4 prod/web:latest prod/web:prod; do
    found=$(crane digest --insecure "$registry_address/$name") || fail "$name is not there in $mode mode"
    [ "$found" = "$digest" ] || fail "$name is $found in $mode mode"
  done
  for secret in "$word" said-in-the-workflow "$(printf 'robot:%s' "$word" | base64)" \
    "$(printf 'robot:said-in-the-workflow' | base64)"; do
    # act shows the command that masks, with what it masks; GitHub does not.
    if grep -v '::add-mask::' "$log" | grep -qF "$secret"; then fail "a secret is in the log of $mode mode"; fi
  done
  [ "$(grep -c 'seen: \*\*\*' "$log")" = 3 ] || fail "what was printed on purpose is not masked in $mode mode"
  grep -q 'refused: tag frozen' "$log" || fail "the refusal is not in the log of $mode mode"
  echo "act, $mode mode: pushed, promoted and refused as it should be"
}

in_mode job
in_mode host
scripts/act-documents.sh "$runner" "$work/tree/action.yml" "$released@$built" "$shipmark"
scripts/act-retention.sh "$runner" "$work/tree/action.yml" "$released@$built" "$shipmark"
if [ -d "$runner/../sigstore-stack" ] && [ -x "${XDG_CACHE_HOME:-$HOME/.cache}/shipmark/sigstore/fulcio" ]; then
  scripts/act-gitflow.sh "$runner" "$work/tree/action.yml" "$released@$built" "$shipmark"
else
  echo "LEFT OUT: examples/gitflow, since there is no Sigstore here"
fi
