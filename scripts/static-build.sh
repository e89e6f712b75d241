#!/usr/bin/env bash
# Builds the static release binary for the platform of this machine and prints only its path to stdout.
# The target is named even though it is the host: without it the flag would reach build scripts and proc macros too.
set -euo pipefail
cd "$(dirname "$0")/.."
target=$(rustc -vV | sed -n 's/^host: //p')
# The kernel's randomness alone seeds that of aws-lc. Gathering more from the jitter of the CPU, as it would, takes 35 ms of
# CPU in each process that signs or speaks TLS, half of all that signing takes.
export AWS_LC_SYS_NO_JITTER_ENTROPY=1
RUSTFLAGS='-C target-feature=+crt-static' cargo build --release --locked --target "$target" >&2
echo "${CARGO_TARGET_DIR:-target}/$target/release/shipmark"
