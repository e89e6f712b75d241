#!/usr/bin/env bash
# Checks every complete workflow of README.md and docs/, and those of examples/, with actionlint and zizmor, and the inputs
# that they pass to shipmark against action.yml.
#   lint-documents.sh ACTIONLINT ZIZMOR
set -euo pipefail
cd "$(dirname "$0")/.."
usage='usage: lint-documents.sh ACTIONLINT ZIZMOR'
actionlint=${1:?$usage} zizmor=${2:?$usage}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# A project of its own for each set, in which the action is a local one: actionlint knows the inputs and outputs of those
# alone.
check_project() { # NAME, of a directory with .github/workflows
  local project=$work/$1 workflows=$work/$1/.github/workflows pinned=$work/pinned/$1/.github/workflows
  mkdir -p "$project/.git" "$pinned"
  cp action.yml Dockerfile "$project/"
  # By a commit for zizmor, as a release puts it in.
  cp "$workflows"/* "$pinned/"
  sed -i -E 's#(uses: shipmark/shipmark@)v[0-9.]+#\1'"$(printf '0%.0s' {1..40})"'#' "$pinned"/*
  sed -i 's#uses: shipmark/shipmark@[^ ]*#uses: ./#' "$workflows"/*
  grep -q 'uses: \./' "$workflows"/* || { echo "lint-documents.sh: $1: no workflow uses shipmark" >&2; exit 1; }
  (cd "$project" && "$actionlint" -color=false)
}

scripts/document-workflows.sh "$work/documents/.github/workflows"
blocks=$(find "$work/documents/.github/workflows" -type f | wc -l)
[ "$blocks" -gt 0 ] || { echo "lint-documents.sh: README.md and docs/ have no workflow" >&2; exit 1; }
check_project documents
for set in fleet gitflow/workflows gitflow/central retention/workflows; do
  name=${set//\//-}
  mkdir -p "$work/$name/.github/workflows"
  for file in "examples/$set"/*.yml; do
    [ "$(basename "$file")" = shipmark.yml ] || cp "$file" "$work/$name/.github/workflows/"
  done
  check_project "$name"
done
"$zizmor" --offline --strict-collection --no-progress --quiet "$work/pinned"
examples=$(find "$work/pinned" -name '*.yml' | wc -l)
echo "README.md and docs/: $blocks workflows, examples/: $((examples - blocks)), clean"
