#!/usr/bin/env bash
# Runs the tests against other programs: the distribution registry, crane, regctl, skopeo, oras, cosign, refregistry (a registry
# with the referrers API), zsh, fish, zot if there is one, and a complete Sigstore with sigstore-python.
#   interop.sh [--install] [FILTER...]
# The script looks for them on PATH and in ~/.cache/shipmark/peers; --install installs all but skopeo, zsh and fish (Debian packages), zot
# and the Sigstore there. zot takes part if SHIPMARK_TEST_ZOT is the host:port of one that answers plain HTTP. The Sigstore is
# in ../shared/sigstore-stack (or $SHARED), with its servers in ~/.cache/shipmark/sigstore, where its install.sh puts them;
# without it, the tests that need it are left out and listed.
# A FILTER is a part of a test's name, as cargo test takes it. All servers are on loopback and are stopped at the end.
set -euo pipefail
cd "$(dirname "$0")/.."
cache=${XDG_CACHE_HOME:-$HOME/.cache}/shipmark
stack=${SHARED:-../shared}/sigstore-stack
export PATH="$PATH:$cache/peers:$cache/sigstore"

case ${1:-} in
  --install)
    shift
    scripts/install-peers.sh registry crane regctl oras cosign refregistry sigstore-python
    ;;
  -*) sed -n '2,9s/^# //p' "$0" >&2; exit 2 ;;
esac
missing=
for need in registry crane regctl oras cosign refregistry; do
  command -v "$need" >/dev/null || missing+=$'\n  '"$need: scripts/install-peers.sh $need"
done
for need in skopeo zsh fish; do
  command -v "$need" >/dev/null || missing+=$'\n  '"$need: the Debian package of that name"
done
[ -z "$missing" ] || { printf 'interop.sh: missing on this machine:%s\n' "$missing" >&2; exit 1; }

# The modules of tests that need a Sigstore are all but these.
without_sigstore=(command_line:: interop:: interop_copies:: interop_cosign:: interop_keys::
  interop_records::air_gap:: interop_records::attestations:: interop_records::story:: interop_records::summaries::
  interop_records::untouched:: prune::peer_clients::)
stack_lacks=
if [ ! -d "$stack" ]; then
  stack_lacks="there is no $stack"
else
  for need in fulcio ct_server memtrillian rekor-server rekor-server-posix timestamp-server; do
    [ -x "$cache/sigstore/$need" ] || stack_lacks="$need is not installed: $stack/install.sh $cache/sigstore"
  done
  command -v sigstore-python >/dev/null || stack_lacks="sigstore-python is not installed: scripts/install-peers.sh sigstore-python"
fi

registry_dir=$(mktemp -d)
. scripts/local-registry.sh
refregistry_pid=
clean_up() {
  [ -z "$refregistry_pid" ] || kill "$refregistry_pid"
  stop_registries
  [ -n "$stack_lacks" ] || "$stack/down.sh" "$registry_dir/sigstore" || true
  rm -rf "$registry_dir"
}
trap clean_up EXIT

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

[ -n "${SHIPMARK_TEST_ZOT:-}" ] || echo "LEFT OUT: copies from and to zot, and deletions there, since SHIPMARK_TEST_ZOT names none"

# A Docker engine is asked for an image that it has, where one answers.
skip=()
if docker info >/dev/null 2>&1; then
  SHIPMARK_TEST_DOCKER_IMAGE=$(docker load --quiet --input tests/data/images/docker20-save-single.tar | sed 's/^Loaded image: //')
  export SHIPMARK_TEST_DOCKER_IMAGE
else
  skip=(--skip daemon::)
  echo "LEFT OUT: daemon::a_real_engine_saves_its_images, since no Docker engine answers"
fi

# Names of the tests that take part, one per line.
names() { cargo test --quiet --locked --test it -- --ignored --list --format terse "$@" | sed -n 's/: test$//p'; }

if [ -z "$stack_lacks" ]; then
  "$stack/up.sh" "$cache/sigstore" "$registry_dir/sigstore"
  . "$registry_dir/sigstore/env"
  cargo test --locked --test it -- --ignored "${skip[@]}" "$@"
else
  filters=("$@")
  [ $# -gt 0 ] || filters=("${without_sigstore[@]}")
  cargo test --locked --test it -- --ignored "${skip[@]}" "${filters[@]}"
  left_out=$(comm -23 <(names | sort) <(names "${filters[@]}" | sort))
  if [ -n "$left_out" ]; then
    printf '\nLEFT OUT: %s tests, since %s:\n%s\n' "$(wc -l <<<"$left_out")" "$stack_lacks" "$left_out"
  fi
fi
