#!/usr/bin/env bash
# Runs the tests against other people's programs: the distribution registry, crane and skopeo.
#   interop.sh [--install]
# The three are looked for on PATH, and the first two in ~/.cache/shipmark/peers, where --install puts them (needs Go).
# Starts three registries on loopback (two open, one with a password) and stops them at the end.
set -euo pipefail
cd "$(dirname "$0")/.."
registry_module=github.com/distribution/distribution/v3/cmd/registry@v3.1.2
crane_module=github.com/google/go-containerregistry/cmd/crane@v0.22.1
peers=${XDG_CACHE_HOME:-$HOME/.cache}/shipmark/peers
export PATH="$PATH:$peers"

install=
case ${1:-} in
  "") ;;
  --install) install=1 ;;
  *) sed -n '2,5s/^# //p' "$0" >&2; exit 2 ;;
esac
if [ -n "$install" ]; then
  command -v go >/dev/null || { echo "interop.sh: --install needs Go" >&2; exit 1; }
  command -v registry >/dev/null || GOBIN=$peers CGO_ENABLED=0 go install "$registry_module"
  command -v crane >/dev/null || GOBIN=$peers CGO_ENABLED=0 go install "$crane_module"
fi
missing=
command -v registry >/dev/null || missing+=$'\n  registry: go install '"$registry_module"
command -v crane >/dev/null || missing+=$'\n  crane: go install '"$crane_module"
command -v skopeo >/dev/null || missing+=$'\n  skopeo: the Debian package of that name'
[ -z "$missing" ] || { printf 'interop.sh: missing on this machine:%s\nWith --install the Go ones are fetched.\n' "$missing" >&2; exit 1; }

registry_dir=$(mktemp -d)
. scripts/local-registry.sh
trap 'stop_registries; rm -rf "$registry_dir"' EXIT

start_registry first
export SHIPMARK_TEST_REGISTRY=$registry_address
start_registry second
export SHIPMARK_TEST_REGISTRY_2=$registry_address
# The bcrypt line below is of this password; both are good for nothing but this registry.
export SHIPMARK_TEST_REGISTRY_BASIC_USER=shipmark SHIPMARK_TEST_REGISTRY_BASIC_PASSWORD='pass:word with spaces'
start_registry basic 'shipmark:$2y$05$Xwvo3Qs8D907yvbyaansnOaGlgbBVlioKaYQJMrSlCxifszZdHIqa'
export SHIPMARK_TEST_REGISTRY_BASIC=$registry_address
echo "registries: $SHIPMARK_TEST_REGISTRY, $SHIPMARK_TEST_REGISTRY_2, with a password $SHIPMARK_TEST_REGISTRY_BASIC"

cargo test --locked --test it -- --ignored
