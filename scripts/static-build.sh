#!/usr/bin/env bash
# Builds the static release binary for the platform of this machine and prints only its path to stdout.
# The target is named even though it is the host: without it the flag would reach build scripts and proc macros too.
set -euo pipefail
cd "$(dirname "$0")/.."
target=$(rustc -vV | sed -n 's/^host: //p')
RUSTFLAGS='-C target-feature=+crt-static' cargo build --release --locked --target "$target" >&2
echo "${CARGO_TARGET_DIR:-target}/$target/release/shipmark"
