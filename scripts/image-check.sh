#!/usr/bin/env bash
# Builds the static binary and the Dockerfile's final stage around it, holds both against their size limits, and runs
# the image once as GitHub's runner would: a `push` of the example image to a registry on loopback.
#   image-check.sh RUNNER_TOOLS_DIR     a directory with build-image.sh, runner-run.sh, dockerd-up.sh, dockerd-down.sh
# Needs root, dockerd, BuildKit, registry and crane on PATH. What it starts it stops; a dockerd that runs already is used.
set -euo pipefail
cd "$(dirname "$0")/.."
runner=$(realpath "${1:?usage: image-check.sh RUNNER_TOOLS_DIR}")
binary_limit=12000000
image_limit=6000000
start_limit=5000 # microseconds
image=shipmark:check
fail() { echo "image-check.sh: $*" >&2; exit 1; }

work=$(mktemp -d)
registry_dir=$work/registry
# A state of our own: dockerd-down.sh then stops only what was started from here.
export RUNNER_STATE=$work/state
mkdir -p "$RUNNER_STATE"
. scripts/local-registry.sh
clean_up() {
  docker image rm --force "$image" >/dev/null 2>&1 || true
  stop_registries
  "$runner/dockerd-down.sh" || true
  rm -rf "$work"
}
trap clean_up EXIT

binary=$(scripts/static-build.sh)
if readelf --program-headers --dynamic "$binary" | grep -E 'INTERP|NEEDED'; then fail "$binary is not static"; fi
size=$(stat -c %s "$binary")
echo "static binary: $size bytes (limit $binary_limit)"
[ "$size" -le "$binary_limit" ] || fail "the binary is larger than $binary_limit bytes"

# The fastest of many: what the program takes, not what else the machine does meanwhile.
"$binary" --version
fastest=999999
for _ in $(seq 50); do
  began=${EPOCHREALTIME/[.,]/}
  "$binary" --version >/dev/null
  took=$((${EPOCHREALTIME/[.,]/} - began))
  [ "$took" -ge "$fastest" ] || fastest=$took
done
echo "--version: $fastest microseconds (limit $start_limit)"
[ "$fastest" -le "$start_limit" ] || fail "--version takes more than $start_limit microseconds"

# What the build stage would have left in /out.
mkdir -p "$work/build/out/etc/ssl/certs"
cp "$binary" "$work/build/out/shipmark"
cp /etc/ssl/certs/ca-certificates.crt "$work/build/out/etc/ssl/certs/"
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
"$runner/dockerd-up.sh"
PROGRESS=quiet "$runner/build-image.sh" -s "build=$work/build" \
  -a "build-arg:VERSION=$version" -a "build-arg:REVISION=$(git rev-parse HEAD 2>/dev/null || echo unknown)" \
  -o "type=oci,dest=$work/image.oci.tar" -o "type=docker,name=$image,dest=$work/image.docker.tar" .
docker load --quiet --input "$work/image.docker.tar"
size=$(tar -tvf "$work/image.oci.tar" | awk '$6 ~ /^blobs\/sha256\/./ { sum += $3 } END { print sum }')
echo "image, compressed: $size bytes (limit $image_limit)"
[ "$size" -le "$image_limit" ] || fail "the image is larger than $image_limit bytes"

# One push, with the mounts and the environment of the real runner. The workspace belongs to somebody else than root, as
# it does there, so that a file left behind by root shows.
start_registry plain
repository=$registry_address/team/web
digest=$(tar -xOf examples/web.oci.tar index.json | grep -o 'sha256:[0-9a-f]\{64\}' | head -n 1)
revision=$(sed -n 's/.*build-arg:REVISION=\([0-9a-f]\{40\}\).*/\1/p' examples/image/README.md)
mkdir "$work/workspace"
cp examples/web.oci.tar "$work/workspace/"
chown -R 1001:1001 "$work/workspace"
cat >"$work/event.json" <<E
{"ref": "refs/heads/main", "before": "0000000000000000000000000000000000000000", "after": "$revision",
 "created": false, "deleted": false, "forced": false, "base_ref": null,
 "repository": {"full_name": "example/web", "default_branch": "main", "private": false, "html_url": "https://github.com/example/web"}}
E
GITHUB_REPOSITORY=example/web GITHUB_REPOSITORY_OWNER=example "$runner/runner-run.sh" \
  -e push -p "$work/event.json" -r refs/heads/main -s "$revision" -n host -w "$work/workspace" \
  -i command=push -i source=oci-archive:web.oci.tar -i "images=$repository" "$image" | tee "$work/run.log"

written() { sed -n "/^--- $1/,/^--- /p" "$work/run.log" | sed '1d;$d'; }
for tag in "git-${revision:0:7}" main; do
  found=$(crane digest --insecure "$repository:$tag") || fail "$repository:$tag is not there"
  [ "$found" = "$digest" ] || fail "$repository:$tag is $found, not $digest"
done
written set_output | grep -A1 '^digest<<' | grep -qx "$digest" || fail "the output digest is not $digest"
[ -n "$(written step_summary)" ] || fail "no job summary was written"
left=$(sed -n '/^--- exit /,$p' "$work/run.log" | sed 1d)
[ -z "$left" ] || fail "files of root are left in the workspace: $left"
echo "pushed by the image: $repository:git-${revision:0:7}, $repository:main, both $digest"
