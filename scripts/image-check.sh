#!/usr/bin/env bash
# Builds the static binary and the Dockerfile's final stage around it, checks both against their size limits, and runs
# the image as GitHub's runner would: a `push` of the example image to a registry on loopback and to the workspace, and
# errors that occur only in a container. Stops the image as docker does.
#   image-check.sh RUNNER_TOOLS_DIR     a directory with build-image.sh, runner-run.sh, dockerd-up.sh, dockerd-down.sh
# Needs root, dockerd, BuildKit, registry and crane on PATH. Uses a dockerd that already runs, and stops what it starts.
set -euo pipefail
cd "$(dirname "$0")/.."
runner=$(realpath "${1:?usage: image-check.sh RUNNER_TOOLS_DIR}")
binary_limit=18000000
image_limit=8700000
start_limit=5000 # microseconds
stop_limit=2000000 # microseconds
image=shipmark:check
fail() { echo "image-check.sh: $*" >&2; exit 1; }

work=$(mktemp -d)
registry_dir=$work/registry
# A state of our own: dockerd-down.sh then stops only what was started from here.
export RUNNER_STATE=${RUNNER_STATE:-$work/state}
mkdir -p "$RUNNER_STATE"
. scripts/local-registry.sh
clean_up() {
  docker image rm --force "$image" >/dev/null 2>&1 || true
  stop_registries
  [ "$RUNNER_STATE" != "$work/state" ] || "$runner/dockerd-down.sh" || true
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

scripts/local-image.sh "$runner" "$image" "$work/image.oci.tar"
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
step() { # RUNNER_RUN_ARGUMENT...: with what it wrote in $work/run.log
  GITHUB_REPOSITORY=example/web GITHUB_REPOSITORY_OWNER=example "$runner/runner-run.sh" \
    -e push -p "$work/event.json" -r refs/heads/main -s "$revision" -w "$work/workspace" "$@" 2>&1 | tee "$work/run.log"
}
written() { sed -n "/^--- $1/,/^--- /p" "$work/run.log" | sed '1d;$d'; }
all_owned() {
  local left
  left=$(sed -n '/^--- exit /,$p' "$work/run.log" | sed 1d)
  [ -z "$left" ] || fail "files of root are left in the workspace: $left"
}
says() { grep -qF "$1" "$work/run.log" || fail "the log does not say: $1"; }

step -n host -i command=push -i source=oci-archive:web.oci.tar -i "images=$repository" "$image"
for tag in "git-${revision:0:7}" main; do
  found=$(crane digest --insecure "$repository:$tag") || fail "$repository:$tag is not there"
  [ "$found" = "$digest" ] || fail "$repository:$tag is $found, not $digest"
done
written set_output | grep -A1 '^digest<<' | grep -qx "$digest" || fail "the output digest is not $digest"
[ -n "$(written step_summary)" ] || fail "no job summary was written"
all_owned
echo "pushed by the image: $repository:git-${revision:0:7}, $repository:main, both $digest"

# The machine's paths, as a workflow has them from github.workspace and runner.temp; what comes into the workspace is
# its owner's.
work_path=/home/runner/work/web
step -E "RUNNER_WORKSPACE=$work_path" -i command=push -i "source=oci-archive:$work_path/web/web.oci.tar" \
  -i "images=oci:out/dev"$'\n'"oci:$work_path/web/out/other"$'\n'"oci:/home/runner/work/_temp/third" "$image"
for layout in dev other; do
  [ -f "$work/workspace/out/$layout/index.json" ] || fail "out/$layout is no layout"
  [ "$(stat -c %u "$work/workspace/out/$layout/index.json")" = 1001 ] || fail "out/$layout is not the workspace owner's"
done
all_owned

# What fails says why, in the container where it does.
if step -i command=push -i source=oci-archive:/tmp/web.oci.tar -i images=oci:out/dev "$image"; then
  fail "the machine's /tmp is there"
fi
says 'source: "oci-archive:/tmp/web.oci.tar" is not in this container'
if step -i command=push -i source=oci-archive:web.oci.tar -i "images=localhost:${registry_address##*:}/team/web" "$image"; then
  fail "the container reaches the machine's localhost"
fi
says 'is this container itself: what listens on every address of the machine is at 172.17.0.1:'
start_registry closed 'shipmark:$2y$05$Xwvo3Qs8D907yvbyaansnOaGlgbBVlioKaYQJMrSlCxifszZdHIqa'
if step -n host -i command=push -i source=oci-archive:web.oci.tar -i "images=$registry_address/team/web" "$image"; then
  fail "a registry with a password takes an image without one"
fi
says 'echo "DOCKER_CONFIG=$RUNNER_TEMP/docker" >> "$GITHUB_ENV"'
all_owned

# As the first process of its container, at a registry that takes connections and says nothing.
python3 -c '
import socket, sys, time
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
taken = listener.accept()
print("taken", flush=True)
time.sleep(60)' >"$work/silent" &
silent=$!
for _ in $(seq 50); do [ -s "$work/silent" ] && break; sleep 0.1; done
container=$(docker run --detach --network host --volume "$work/workspace:/work:ro" --workdir /work "$image" \
  push --source oci-archive:web.oci.tar --images "127.0.0.1:$(head -n 1 "$work/silent")/team/web" --tags a)
for _ in $(seq 100); do grep -q taken "$work/silent" && break; sleep 0.1; done
began=${EPOCHREALTIME/[.,]/}
docker stop --time 10 "$container" >/dev/null
took=$((${EPOCHREALTIME/[.,]/} - began))
status=$(docker inspect --format '{{.State.ExitCode}}' "$container")
docker rm "$container" >/dev/null
kill "$silent" 2>/dev/null || true
echo "docker stop: $took microseconds (limit $stop_limit), exit status $status"
[ "$status" = 130 ] || fail "docker stop ends it with $status, not 130"
[ "$took" -le "$stop_limit" ] || fail "docker stop takes more than $stop_limit microseconds"
