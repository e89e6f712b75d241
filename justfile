# What there is to run. Each recipe is a script that works by itself; `just --list` shows them.

set positional-arguments

[private]
default:
    @just --list --unsorted

# All tests that need nothing but this repository
test *arguments:
    scripts/test.sh "$@"

# The same by cargo-nextest as CI runs them: a time limit for each, JUnit output
nextest *arguments:
    scripts/nextest.sh "$@"

# Formatting, clippy and the documentation, warnings as errors
lint:
    scripts/lint.sh

# Workflows and scripts: actionlint, zizmor, shellcheck
lint-workflows:
    scripts/lint-workflows.sh

# Licences, banned crates and sources of the dependencies; advisories where their database can be had
deny *arguments:
    scripts/deny.sh "$@"

# Which lines the tests run, as a report
coverage *arguments:
    scripts/coverage.sh "$@"

# The programs of others that tests run against
install-peers *names:
    scripts/install-peers.sh "$@"

# Tests against other people's programs
interop *arguments:
    scripts/interop.sh "$@"

# Every fuzz target, for so many seconds
fuzz *seconds:
    scripts/fuzz.sh "$@"

# The memory that a layer of 2 GiB takes
large-sources binary:
    scripts/large-sources.py "$@"

# The demonstration
demo:
    scripts/demo.sh

# The demonstration, and its promotion in README.md
readme-demo *arguments:
    scripts/readme-demo.sh "$@"

# Pictures of the job summaries, for docs/
summary-pictures *names:
    scripts/summary-pictures.sh "$@"

# The static binary that goes into the image
static-build:
    scripts/static-build.sh

# The image with the runner's mounts and environment
image-check folder:
    scripts/image-check.sh "$@"

# A workflow of several jobs under act
act-check folder:
    scripts/act-check.sh "$@"

# A release on loopback, up to what needs GitHub
release-rehearsal folder:
    scripts/release-rehearsal.sh "$@"

# The scripts of a release, and that all places say one version
release-check:
    scripts/release-test.sh
    scripts/release-check.sh

# Everything that has to pass
ci:
    .ci/run
