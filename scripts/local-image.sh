#!/usr/bin/env bash
# Builds the static binary and the Dockerfile's final stage around it, and loads the image into the local Docker engine:
#   local-image.sh RUNNER_TOOLS_DIR IMAGE [OCI_ARCHIVE]
# RUNNER_TOOLS_DIR has build-image.sh and dockerd-up.sh; needs root, dockerd and BuildKit on PATH. If OCI_ARCHIVE is
# given, the image is written there too.
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# -ge 2 ] || { sed -n '2,5s/^# //p' "$0" >&2; exit 2; }
runner=$(realpath "$1") image=$2 archive=${3:-}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# What the build stage would have left in /out.
mkdir -p "$work/build/out/etc/ssl/certs"
cp "$(scripts/static-build.sh)" "$work/build/out/shipmark"
cp /etc/ssl/certs/ca-certificates.crt "$work/build/out/etc/ssl/certs/"
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
"$runner/dockerd-up.sh"
PROGRESS=quiet "$runner/build-image.sh" -s "build=$work/build" \
  -a "build-arg:VERSION=$version" -a "build-arg:REVISION=$(git rev-parse HEAD 2>/dev/null || echo unknown)" \
  ${archive:+-o "type=oci,dest=$archive"} -o "type=docker,name=$image,dest=$work/image.docker.tar" .
docker load --quiet --input "$work/image.docker.tar"
