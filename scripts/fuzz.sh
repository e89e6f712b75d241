#!/usr/bin/env bash
# Runs every fuzz target for a limited time, from its corpus if it has one: fuzz.sh [SECONDS]     default: 30 each
# Needs a nightly Rust; the script installs cargo-fuzz, once per version, in ~/.cache/shipmark. If a target crashes,
# the script fails and prints the input.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-30}
version=0.13.1
tool=${XDG_CACHE_HOME:-$HOME/.cache}/shipmark/cargo-fuzz-$version

rustup run nightly rustc --version >/dev/null 2>&1 || { echo "fuzz.sh: a nightly Rust is missing: rustup toolchain install nightly" >&2; exit 1; }
[ -x "$tool/bin/cargo-fuzz" ] || cargo install --quiet --locked --root "$tool" "cargo-fuzz@$version"
export PATH="$tool/bin:$PATH"

fuzz/corpus.sh
for source in fuzz/fuzz_targets/*.rs; do
  target=$(basename "$source" .rs)
  echo "fuzz target $target, $seconds s"
  cargo +nightly fuzz run "$target" -- -max_total_time="$seconds" -timeout=10 -verbosity=0 -print_final_stats=1
done
