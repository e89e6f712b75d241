#!/usr/bin/env bash
# Runs the demonstration, shows it, and writes its promotion into README.md; --check compares instead of writing.
#   readme-demo.sh [--check]
# SHIPMARK=FILE uses that binary, as demo.sh does.
set -euo pipefail
cd "$(dirname "$0")/.."
begin='<!-- demonstration: written by scripts/readme-demo.sh -->' end='<!-- end -->'
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

scripts/demo.sh | tee "$work/output"
{
  printf '%s\n```\n' "$begin"
  # The report of the promotion up to its signature, whose digest differs each time.
  awk '/^\$ shipmark promote / { on = 1 } on && /^  signed / { exit } on' "$work/output"
  printf '```\n%s\n' "$end"
} >"$work/excerpt"
grep -q 'created' "$work/excerpt" || { echo "readme-demo.sh: the promotion is not in the output of the demonstration" >&2; exit 1; }
awk -v begin="$begin" -v end="$end" -v excerpt="$work/excerpt" '
  $0 == begin { while ((getline line < excerpt) > 0) print line; skip = 1; found = 1 }
  !skip
  skip && $0 == end { skip = 0 }
  END { exit !found || skip }
' README.md >"$work/README.md" || { echo "readme-demo.sh: README.md has no lines \"$begin\" and \"$end\"" >&2; exit 1; }
if [ "${1:-}" = --check ]; then
  diff README.md "$work/README.md" || { echo "readme-demo.sh: README.md shows another output: run scripts/readme-demo.sh" >&2; exit 1; }
  echo "README.md shows this output"
else
  cp "$work/README.md" README.md
fi
