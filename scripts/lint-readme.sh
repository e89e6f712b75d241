#!/usr/bin/env bash
# Checks every YAML block of README.md as a workflow, and the workflows of examples/fleet, with actionlint, and the inputs
# that they pass to shipmark against action.yml.
#   lint-readme.sh ACTIONLINT
set -euo pipefail
cd "$(dirname "$0")/.."
actionlint=${1:?usage: lint-readme.sh ACTIONLINT}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# A project of its own, in which the action is a local one: actionlint knows the inputs and outputs of those alone.
mkdir -p "$work/.git" "$work/.github/workflows"
cp action.yml Dockerfile "$work/"
awk -v to="$work/.github/workflows" '
  /^```yaml$/ { on = 1; blocks++; file = sprintf("%s/readme-%d-line-%d.yml", to, blocks, NR + 1); next }
  /^```$/ { on = 0 }
  on { print > file }
' README.md
blocks=$(find "$work/.github/workflows" -type f | wc -l)
[ "$blocks" -gt 0 ] || { echo "lint-readme.sh: README.md has no YAML blocks" >&2; exit 1; }
cp examples/fleet/build.yml examples/fleet/promote.yml "$work/.github/workflows/"
sed -i 's#uses: shipmark/shipmark@[^ ]*#uses: ./#' "$work"/.github/workflows/*
grep -q 'uses: \./' "$work"/.github/workflows/* || { echo "lint-readme.sh: no block uses shipmark" >&2; exit 1; }
(cd "$work" && "$actionlint" -color=false)
echo "README.md: $blocks workflows, examples/fleet: 2, clean"
