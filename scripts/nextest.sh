#!/usr/bin/env bash
# Runs the tests with cargo-nextest as CI does: nextest.sh [ARGUMENT...]     the arguments go to `cargo nextest run`
# Each test is a process with a time limit (.config/nextest.toml). The results are kept as JUnit XML in
# target/nextest/ci/junit.xml. scripts/cargo-tools.sh installs cargo-nextest.
set -euo pipefail
cd "$(dirname "$0")/.."
PATH=$(scripts/cargo-tools.sh):$PATH
export PATH
cargo nextest run --locked --profile ci "$@"
