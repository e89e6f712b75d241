#!/usr/bin/env bash
# Runs all tests that need only Rust and a C compiler, then lists the tests that it left out and how to run them.
set -euo pipefail
cd "$(dirname "$0")/.."

missing=
command -v cargo >/dev/null || missing+=$'\n  cargo: Rust 1.95 or later'
command -v "${CC:-cc}" >/dev/null || missing+=$'\n  '"${CC:-cc}: a C compiler (Debian: build-essential), for the TLS library and libgit2"
[ -z "$missing" ] || { echo "scripts/test.sh: missing on this machine:$missing" >&2; exit 1; }

# CI sets this: each test gets a time limit, and the results are kept as JUnit XML.
if [ "${SHIPMARK_TEST_RUNNER:-}" = nextest ]; then
  scripts/nextest.sh
  cargo test --locked --doc
else
  cargo test --locked
fi

left_out=$(cargo test --quiet --locked --test it -- --ignored --list --format terse | sed -n 's/: test$//p')
count=$(grep -c . <<<"$left_out" || true)
echo
if [ "$count" = 0 ]; then
  echo "No test was left out."
else
  echo "LEFT OUT: $count tests against other programs:"
  while read -r name; do echo "  $name"; done <<<"$left_out"
  echo "scripts/interop.sh runs them; --install installs most of the programs first (needs Go and Python; skopeo is a Debian package)."
fi
