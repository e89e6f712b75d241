#!/usr/bin/env bash
# Changes action.yml to use a published image instead of building the Dockerfile in every user's job:
#   release-action.sh REPOSITORY@sha256:DIGEST [ACTION_YML]
set -euo pipefail
cd "$(dirname "$0")/.."
image=${1:?usage: release-action.sh REPOSITORY@sha256:DIGEST [ACTION_YML]}
file=${2:-action.yml}
fail() { echo "release-action.sh: $*" >&2; exit 1; }

# A tag could come to name something else; the runner takes this line as it is.
[[ $image =~ ^[a-z0-9.-]+(:[0-9]+)?(/[a-z0-9._-]+)+@sha256:[0-9a-f]{64}$ ]] ||
  fail "$image is not of the form REPOSITORY@sha256:DIGEST"
[ "$(grep -c '^  image: Dockerfile$' "$file")" = 1 ] || fail "$file has no line of its own \"  image: Dockerfile\""
sed -i "s#^  image: Dockerfile\$#  image: docker://$image#" "$file"
echo "$file: docker://$image"
