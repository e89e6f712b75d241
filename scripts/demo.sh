#!/usr/bin/env bash
# Pushes the example image to `dev` and promotes it to `prod`, on one disk, without a server or an account.
# Writes everything to target/demo, which it empties first. SHIPMARK=FILE uses that binary instead of building one.
set -euo pipefail
cd "$(dirname "$0")/.."

show() { printf '\n$'; printf ' %s' "$@"; printf '\n'; "$@"; }

if [ -z "${SHIPMARK:-}" ]; then
  command -v cargo >/dev/null || { echo "demo.sh: cargo is missing: Rust 1.95 or later" >&2; exit 1; }
  command -v "${CC:-cc}" >/dev/null || { echo "demo.sh: ${CC:-cc} is missing: a C compiler (Debian: build-essential)" >&2; exit 1; }
  show cargo build --release --locked
  SHIPMARK=${CARGO_TARGET_DIR:-target}/release/shipmark
fi
rm -rf target/demo
mkdir -p target/demo/bin
ln -s "$(realpath "$SHIPMARK")" target/demo/bin/shipmark
export PATH="$PWD/target/demo/bin:$PATH"
# In a workflow the demo gives the same result: it ignores the run that it is part of.
for name in $(compgen -e | grep -E '^(GITHUB|INPUT|RUNNER|ACTIONS)_' || true); do unset "$name"; done

show shipmark push --source oci-archive:examples/web.oci.tar --images oci:target/demo/dev --event push=examples/image/push.json
built=$(grep -o '"git-[0-9a-f]\{7,40\}"' target/demo/dev/index.json | head -n 1 | tr -d '"')
show shipmark promote --source "oci:target/demo/dev:$built" --images oci:target/demo/prod --ref refs/tags/v1.4.0 --environment prod

cat <<'E'

The same digest is now in target/demo/dev and target/demo/prod, two OCI layouts: see their index.json, or
  skopeo inspect --raw oci:target/demo/prod:1.4.0 | sha256sum
Next: `shipmark --help`, README.md for the workflow, examples/image/README.md for the image.
E
