#!/usr/bin/env bash
# Runs the README's two workflows under act: a build for the tag v1.4.0, then its promotion to production by digest. Their
# text is the README's, with a registry on loopback in the place of ghcr.io. The actions of docker are replaced: they
# leave an image whose labels name nothing, so production knows its version only from the registry.
#   act-readme.sh RUNNER_TOOLS_DIR ACTION_YML REGISTRY MODE     REGISTRY is host:port and empty, MODE is job or host
# Needs what act-check.sh needs, which calls it.
set -euo pipefail
cd "$(dirname "$0")/.."
usage='usage: act-readme.sh RUNNER_TOOLS_DIR ACTION_YML REGISTRY MODE'
runner=${1:?$usage} action=${2:?$usage} registry=${3:?$usage} mode=${4:?$usage}
fail() { echo "act-readme.sh: $*" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/tree" "$work"/actions/{shipmark,buildx,build}

awk -v to="$work/tree" '
  /^```yaml$/ { on = 1; blocks++; next }
  /^```$/ { on = 0 }
  on && blocks <= 2 { print > (to (blocks == 1 ? "/build.yml" : "/promote.yml")) }
' README.md
sed -i "s#ghcr\.io#$registry#g" "$work/tree/build.yml" "$work/tree/promote.yml"

# The image without labels.
echo made-up >"$work/file"
tar -C "$work" -cf "$work/layer.tar" file
crane append --oci-empty-base --new_layer "$work/layer.tar" --new_tag "$registry/unlabelled:one" >/dev/null
crane mutate --set-platform linux/amd64 --tag "$registry/unlabelled:one" "$registry/unlabelled:one" >/dev/null
crane pull --format=oci "$registry/unlabelled:one" "$work/layout"
tar -C "$work/layout" -cf "$work/actions/build/image.tar" .

cp "$action" "$work/actions/shipmark/action.yml"
replace_action() { # DIRECTORY COMMAND
  printf 'name: %s\nruns:\n  using: composite\n  steps:\n    - shell: bash\n      run: %s\n' "$1" "$2" \
    >"$work/actions/$1/action.yml"
}
replace_action buildx true
# shellcheck disable=SC2016 # act's shell fills it in.
replace_action build 'cp "$GITHUB_ACTION_PATH/image.tar" image.tar'
local_actions=(--local-repository "shipmark/shipmark@v0.1.0=$work/actions/shipmark")
replaced() { # REPOSITORY DIRECTORY
  local uses
  uses=$(grep -o "$1@[0-9a-f]\{40\}" "$work/tree/build.yml" | head -n 1)
  local_actions+=(--local-repository "$uses=$work/actions/$2")
}
replaced docker/setup-buildx-action buildx
replaced docker/build-push-action build

run_workflow() { # EVENT PAYLOAD WORKFLOW JOB [ACT_ARGUMENT...]
  local event=$1 workflow=$3 job=$4
  printf '%s' "$2" >"$work/event.json"
  shift 4
  "$runner/act-run.sh" -m "$mode" -e "$event" -p "$work/event.json" -W "$workflow" "$work/tree" -- \
    -j "$job" -s GITHUB_TOKEN=made-up "${local_actions[@]}" "$@" || fail "$workflow failed in $mode mode"
}
run_workflow push '{"ref":"refs/tags/v1.4.0"}' build.yml build
dev=$registry/example/project/dev
digest=$(crane digest "$dev:1.4.0") || fail "1.4.0 is not in dev in $mode mode"
run_workflow workflow_dispatch "{\"ref\":\"refs/heads/main\",\"inputs\":{\"digest\":\"$digest\",\"environment\":\"prod\"}}" \
  promote.yml promote
for tag in 1.4.0 1.4 1 latest prod; do
  found=$(crane digest "$registry/example/project/prod:$tag") || fail "$tag is not in production in $mode mode"
  [ "$found" = "$digest" ] || fail "$tag is $found in production in $mode mode"
done
echo "act, $mode mode: the README's workflows keep the version of an image without labels"
