#!/usr/bin/env bash
# Signs the checksums of a release as the job that runs, into a bundle that is published with them:
#   release-sums.sh SHIPMARK SUMS [FLAG...]
# The bundle is SUMS.sigstore.json. The FLAGs go to `shipmark sign-bundle`. Every file that SUMS names is held against it
# first: what is signed here is what users will get.
set -euo pipefail
[ $# -ge 2 ] || { sed -n '2,5s/^# //p' "$0" >&2; exit 2; }
shipmark=$1 sums=$2
shift 2
(cd "$(dirname "$sums")" && sha256sum --check --strict --quiet "$(basename "$sums")")
exec "$shipmark" sign-bundle --artifact "$sums" --bundle "$sums.sigstore.json" --sign keyless "$@"
