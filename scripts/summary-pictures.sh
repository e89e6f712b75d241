#!/usr/bin/env bash
# Draws the job summaries of tests/data/summaries as GitHub shows them, into docs/pictures.
#   summary-pictures.sh [--dark] [NAME...]     all of them without a name
# A Mermaid diagram, which GitHub draws, is shown as its text.
# Needs Node and npm, which fetch Chromium and GitHub's stylesheet.
set -euo pipefail
cd "$(dirname "$0")/.."
dark=()
if [ "${1:-}" = --dark ]; then
  dark=(--dark)
  shift
fi
if [ $# -eq 0 ]; then
  set -- tests/data/summaries/*.md
else
  set -- "${@/#/tests/data/summaries/}"
  set -- "${@/%/.md}"
fi
npm ci --silent --prefix scripts/summary-pictures
mkdir -p docs/pictures
node scripts/summary-pictures/draw.mjs docs/pictures "${dark[@]}" "$@"
