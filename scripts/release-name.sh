#!/usr/bin/env bash
# Signs the image of a release, which was pushed by digest, and each of its manifests, with the identity of the running job;
# then writes the tags of its version. It uses shipmark itself, so shipmark's guarantees hold for its own release: a version
# that names another image is refused, and no tag names an unsigned image.
#   release-name.sh SHIPMARK REPOSITORY@sha256:DIGEST VERSION [FLAG...]
# SHIPMARK is the binary from that image; the FLAGs go to `shipmark promote`.
set -euo pipefail
[ $# -ge 3 ] || { sed -n '2,6s/^# //p' "$0" >&2; exit 2; }
shipmark=$1 image=$2 version=$3
shift 3
exec "$shipmark" promote --source "$image" --images "${image%@*}" --ref "refs/tags/v$version" --sign keyless --recursive "$@"
