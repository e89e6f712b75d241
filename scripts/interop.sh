#!/usr/bin/env bash
# Runs the tests against other people's programs: the distribution registry, crane, skopeo, cosign and refregistry.
#   interop.sh [--install]
# They are looked for on PATH, registry and crane in ~/.cache/shipmark/peers too, where --install puts them (needs Go), and
# cosign and refregistry (a registry with the referrers API) in ~/.cache/shipmark/sigstore, where install.sh of
# ../shared/sigstore-stack puts them.
# Starts four registries on loopback (three open, one with a password) and stops them at the end.
set -euo pipefail
cd "$(dirname "$0")/.."
registry_module=github.com/distribution/distribution/v3/cmd/registry@v3.1.2
crane_module=github.com/google/go-containerregistry/cmd/crane@v0.22.1
peers=${XDG_CACHE_HOME:-$HOME/.cache}/shipmark/peers
sigstore=${XDG_CACHE_HOME:-$HOME/.cache}/shipmark/sigstore
export PATH="$PATH:$peers:$sigstore"

install=
case ${1:-} in
  "") ;;
  --install) install=1 ;;
  *) sed -n '2,7s/^# //p' "$0" >&2; exit 2 ;;
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
for need in cosign refregistry; do
  command -v "$need" >/dev/null || missing+=$'\n  '"$need: ../shared/sigstore-stack/install.sh $sigstore cosign refregistry"
done
[ -z "$missing" ] || { printf 'interop.sh: missing on this machine:%s\nWith --install the Go ones are fetched.\n' "$missing" >&2; exit 1; }

registry_dir=$(mktemp -d)
. scripts/local-registry.sh
refregistry_pid=
trap '[ -z "$refregistry_pid" ] || kill "$refregistry_pid"; stop_registries; rm -rf "$registry_dir"' EXIT

start_registry first
export SHIPMARK_TEST_REGISTRY=$registry_address
start_registry second
export SHIPMARK_TEST_REGISTRY_2=$registry_address
# The bcrypt line below is of this password; both are good for nothing but this registry.
export SHIPMARK_TEST_REGISTRY_BASIC_USER=shipmark SHIPMARK_TEST_REGISTRY_BASIC_PASSWORD='pass:word with spaces'
start_registry basic 'shipmark:$2y$05$Xwvo3Qs8D907yvbyaansnOaGlgbBVlioKaYQJMrSlCxifszZdHIqa'
export SHIPMARK_TEST_REGISTRY_BASIC=$registry_address
: >"$registry_dir/refregistry.log"
refregistry >"$registry_dir/refregistry.log" 2>&1 &
refregistry_pid=$!
SHIPMARK_TEST_REFREGISTRY=
for _ in $(seq 100); do
  SHIPMARK_TEST_REFREGISTRY=$(sed -n 's/.*listening on \(127\.0\.0\.1:[0-9]*\).*/\1/p' "$registry_dir/refregistry.log")
  [ -z "$SHIPMARK_TEST_REFREGISTRY" ] || break
  sleep 0.1
done
[ -n "$SHIPMARK_TEST_REFREGISTRY" ] || { echo "refregistry did not come up; its log:" >&2; cat "$registry_dir/refregistry.log" >&2; exit 1; }
export SHIPMARK_TEST_REFREGISTRY
echo "registry with the referrers API: $SHIPMARK_TEST_REFREGISTRY"
echo "registries: $SHIPMARK_TEST_REGISTRY, $SHIPMARK_TEST_REGISTRY_2, with a password $SHIPMARK_TEST_REGISTRY_BASIC"

cargo test --locked --test it -- --ignored
