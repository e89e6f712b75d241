#!/usr/bin/env bash
# Checks formatting, clippy and the documentation, each with warnings as errors.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo fmt --check
cargo clippy --all-targets --locked -- -D warnings
RUSTDOCFLAGS='-D warnings' cargo doc --no-deps --locked
