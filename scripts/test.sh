#!/usr/bin/env bash
# Runs all tests that need nothing but Rust and a C compiler, then says which were left out and how to run those.
set -euo pipefail
cd "$(dirname "$0")/.."

missing=
command -v cargo >/dev/null || missing+=$'\n  cargo: Rust 1.95 or later'
command -v "${CC:-cc}" >/dev/null || missing+=$'\n  '"${CC:-cc}: a C compiler (Debian: build-essential), for the TLS library and libgit2"
[ -z "$missing" ] || { echo "scripts/test.sh: missing on this machine:$missing" >&2; exit 1; }

cargo test --locked

left_out=$(cargo test --quiet --locked --test it -- --ignored --list --format terse | sed -n 's/: test$//p')
count=$(grep -c . <<<"$left_out" || true)
echo
if [ "$count" = 0 ]; then
  echo "No test was left out."
else
  echo "LEFT OUT: $count tests against other people's programs:"
  while read -r name; do echo "  $name"; done <<<"$left_out"
  echo "scripts/interop.sh runs them; with --install it fetches what it can first (needs Go and Python; skopeo is a Debian package)."
fi
