#!/usr/bin/env bash
# Signs the image of a release, which was pushed by its digest, and each manifest of it, as the job that runs; then gives it
# the tags of its version. With shipmark itself, so what it promises to others holds for it: a version that names another
# image is refused, and no tag names what is not signed.
#   release-name.sh SHIPMARK REPOSITORY@sha256:DIGEST VERSION [FLAG...]
# SHIPMARK is the binary of that image; the FLAGs go to `shipmark promote`.
set -euo pipefail
[ $# -ge 3 ] || { sed -n '2,6s/^# //p' "$0" >&2; exit 2; }
shipmark=$1 image=$2 version=$3
shift 3
exec "$shipmark" promote --source "$image" --images "${image%@*}" --ref "refs/tags/v$version" --sign keyless --recursive "$@"
