#!/usr/bin/env bash
# Checks the crates that the program is made of against deny.toml: deny.sh [CHECK...]     all but advisories, if not said
# Advisories need RustSec's database, which is a git repository on GitHub: `deny.sh advisories` where that can be had.
# scripts/cargo-tools.sh installs cargo-deny.
set -euo pipefail
cd "$(dirname "$0")/.."
PATH=$(scripts/cargo-tools.sh):$PATH
export PATH
[ $# -gt 0 ] || set -- bans licenses sources
cargo deny --locked check --hide-inclusion-graph "$@"
