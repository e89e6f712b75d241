#!/usr/bin/env bash
# Pushes the example image to `dev`, promotes it to `prod` with a signature of a key made on the spot, verifies it, shows
# what is said of an image that would take an immutable tag, and rolls another release back: on one disk, without a server or
# an account.
# Writes everything to target/demo, which it empties first. SHIPMARK=FILE uses that binary instead of building one.
set -euo pipefail
cd "$(dirname "$0")/.."
missing() { echo "demo.sh: $1 is missing: $2" >&2; exit 1; }

# Shows a command and its report. The log says the same in other words: it is shown of a run that fails.
show() { # STATUS COMMAND...
  local expected=$1 status=0
  shift
  printf '\n$'; printf ' %s' "$@"; printf '\n'
  "$@" 2>log || status=$?
  [ "$status" = 0 ] || cat log
  [ "$status" = "$expected" ] || { echo "demo.sh: expected exit status $expected, got $status" >&2; exit 1; }
}

command -v openssl >/dev/null || missing openssl "it makes the signing key (Debian: openssl)"
if [ -z "${SHIPMARK:-}" ]; then
  command -v cargo >/dev/null || missing cargo "Rust 1.95 or later"
  command -v "${CC:-cc}" >/dev/null || missing "${CC:-cc}" "a C compiler (Debian: build-essential)"
  cargo build --release --locked
  SHIPMARK=${CARGO_TARGET_DIR:-target}/release/shipmark
fi
binary=$(realpath "$SHIPMARK")
rm -rf target/demo
mkdir -p target/demo/bin
ln -s "$binary" target/demo/bin/shipmark
ln -s "$PWD/examples" target/demo/examples
export PATH="$PWD/target/demo/bin:$PATH"
# In a workflow the demo gives the same result: it ignores the run that it is part of.
for name in $(compgen -e | grep -E '^(GITHUB|INPUT|RUNNER|ACTIONS|SHIPMARK|COSIGN)_' || true); do unset "$name"; done

cd target/demo
printf '$ cd target/demo\n$ openssl ecparam -name prime256v1 -genkey -noout -out demo.key\n'
openssl ecparam -name prime256v1 -genkey -noout -out demo.key
openssl ec -in demo.key -pubout -out demo.pub 2>/dev/null

show 0 shipmark push --source oci-archive:examples/web.oci.tar --images oci:dev --event push=examples/image/push.json
built=$(grep -o '"git-[0-9a-f]\{7,40\}"' dev/index.json | head -n 1 | tr -d '"')
show 0 shipmark promote --source "oci:dev:$built" --images oci:prod --environment prod --ref refs/tags/v1.4.0 \
  --sign key --signing-key demo.key --signature-format bundle
show 0 shipmark verify --source oci:prod:1.4.0 --key demo.pub

printf '\nAnother image, here one platform of it, may not take the name 1.4.0: exit status 1, and nothing is written.\n'
show 1 shipmark push --source oci-archive:examples/web.oci.tar --platforms linux/amd64 --images oci:prod --ref refs/tags/v1.4.0

printf '\nAs 1.4.1 it may, and goes back again. The records in prod say so.\n'
show 0 shipmark promote --source oci:dev:"$built" --platforms linux/amd64 --images oci:prod --environment prod \
  --ref refs/tags/v1.4.1 --tags 1.4.1 --tags type=env
show 0 shipmark rollback --images oci:prod --environment prod --reason regression
show 0 shipmark history --images oci:prod --environment prod

cat <<'E'

All of it is in target/demo: the key, and the OCI layouts dev and prod, whose tags name the same digest:
  skopeo inspect --raw oci:target/demo/prod:1.4.0 | sha256sum
Next: README.md for the workflow, docs/index.md for the other pages, and target/demo/bin/shipmark --help.
E
