#!/usr/bin/env bash
# Which lines the tests run, as a report and not as a limit: coverage.sh [ARGUMENT...]
# The ARGUMENTs go to `cargo llvm-cov`, as --html. Needs LLVM's tools of the major version that `rustc -vV` names: the
# component llvm-tools of rustup, or Debian's package llvm-VERSION, which is looked for.
# scripts/cargo-tools.sh installs cargo-llvm-cov.
set -euo pipefail
cd "$(dirname "$0")/.."
llvm=$(rustc -vV | sed -n 's/^LLVM version: \([0-9]*\).*/\1/p')
if [ ! -x "$(rustc --print target-libdir)/../bin/llvm-profdata" ]; then
  export LLVM_COV=${LLVM_COV:-llvm-cov-$llvm} LLVM_PROFDATA=${LLVM_PROFDATA:-llvm-profdata-$llvm}
  for need in "$LLVM_COV" "$LLVM_PROFDATA"; do
    command -v "$need" >/dev/null || {
      echo "coverage.sh: $need is missing: rustup component add llvm-tools, or apt-get install llvm-$llvm" >&2
      exit 1
    }
  done
  LLVM_COV=$(command -v "$LLVM_COV") LLVM_PROFDATA=$(command -v "$LLVM_PROFDATA")
fi
PATH=$(scripts/cargo-tools.sh):$PATH
export PATH
[ $# -gt 0 ] || set -- --summary-only
cargo llvm-cov --locked --ignore-filename-regex '/tests(/|\.rs)' "$@"
