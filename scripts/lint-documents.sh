#!/usr/bin/env bash
# Checks every complete workflow of README.md and docs/, and those of examples/fleet, with actionlint and zizmor, and the
# inputs that they pass to shipmark against action.yml.
#   lint-documents.sh ACTIONLINT ZIZMOR
set -euo pipefail
cd "$(dirname "$0")/.."
usage='usage: lint-documents.sh ACTIONLINT ZIZMOR'
actionlint=${1:?$usage} zizmor=${2:?$usage}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# A project of its own, in which the action is a local one: actionlint knows the inputs and outputs of those alone.
workflows=$work/.github/workflows
mkdir -p "$work/.git" "$workflows"
cp action.yml Dockerfile "$work/"
scripts/document-workflows.sh "$workflows"
blocks=$(find "$workflows" -type f | wc -l)
[ "$blocks" -gt 0 ] || { echo "lint-documents.sh: README.md and docs/ have no workflow" >&2; exit 1; }
for name in build promote; do cp "examples/fleet/$name.yml" "$workflows/fleet-$name.yml"; done
# By a commit for zizmor, as a release puts it in.
mkdir -p "$work/pinned/.github/workflows"
cp "$workflows"/* "$work/pinned/.github/workflows/"
sed -i -E 's#(uses: shipmark/shipmark@)v[0-9.]+#\1'"$(printf '0%.0s' {1..40})"'#' "$work"/pinned/.github/workflows/*
sed -i 's#uses: shipmark/shipmark@[^ ]*#uses: ./#' "$workflows"/*
grep -q 'uses: \./' "$workflows"/* || { echo "lint-documents.sh: no workflow uses shipmark" >&2; exit 1; }
(cd "$work" && "$actionlint" -color=false)
"$zizmor" --offline --strict-collection --no-progress --quiet "$work/pinned"
echo "README.md and docs/: $blocks workflows, examples/fleet: 2, clean"
