#!/usr/bin/env bash
# Runs the workflow of examples/retention under act, with jobs on this machine and the action in its container: the plan goes
# into one issue, a second run updates it, what the plan has is deleted, and a run without a plan leaves no issue open.
#   act-retention.sh RUNNER_TOOLS_DIR ACTION_YML IMAGE SHIPMARK
# ACTION_YML is that of a release and names IMAGE, which the engine has; SHIPMARK is a binary of it. Needs what act-check.sh needs, which calls it, and
# jq. Artifacts and gh have replacements; the reviewers of the environment do not exist here.
set -euo pipefail
cd "$(dirname "$0")/.."
usage='usage: act-retention.sh RUNNER_TOOLS_DIR ACTION_YML IMAGE SHIPMARK'
runner=$(realpath "${1:?$usage}") action=${2:?$usage} image=${3:?$usage} shipmark=$(realpath "${4:?$usage}")
fail() { echo "act-retention.sh: $*" >&2; exit 1; }
docker image inspect "$image" >/dev/null || fail "the engine does not have $image"

work=$(mktemp -d)
registry_dir=$work/registry
. scripts/local-registry.sh
clean_up() {
  stop_registries
  rm -rf "$work"
}
trap clean_up EXIT

# The bcrypt line is of this password; both are good for nothing but this registry.
user=shipmark password='pass:word with spaces'
hash='$2y$05$Xwvo3Qs8D907yvbyaansnOaGlgbBVlioKaYQJMrSlCxifszZdHIqa'
start_registry images "$user:$hash"
registry=$registry_address
export DOCKER_CONFIG=$work/docker
docker login "$registry" --username "$user" --password-stdin <<<"$password" >/dev/null 2>&1

# Images of the last year: four under versions, of which the last has another tag, and one of a pull request. They have one
# layer list and differ in a label.
mkdir "$work/layout"
tar -xf examples/web.oci.tar -C "$work/layout"
dev=$registry/acme/web/dev
crane push "$work/layout" "$dev:1.4.0" >/dev/null 2>&1
for tag in 1.4.1 1.4.2 1.4.3 pr-7; do
  crane mutate --set-platform linux/amd64 --label "made-up=$tag" --tag "$dev:$tag" "$dev:1.4.0" >/dev/null 2>&1 ||
    fail "crane made no image $tag"
done
crane tag "$dev:pr-7" pr-8 2>/dev/null
crane tag "$dev:1.4.3" pr-9 2>/dev/null

mkdir -p "$work/act" "$work/temp" "$work/shipmark" "$work/bin"
cp "$action" "$work/shipmark/action.yml"
# Issues are files: number, then their text; closed ones are renamed.
cat >"$work/bin/gh" <<'GH'
#!/usr/bin/env bash
set -euo pipefail
folder=$STAND_IN_FOLDER/issues
mkdir -p "$folder"
echo "$*" >>"$STAND_IN_FOLDER/gh.log"
[ "$1" = issue ] || exit 2
case $2 in
  list) find "$folder" -name '*.open' -printf '%f\n' | sed 's/\.open//' | head -n 1 ;;
  create) cp "${@: -1}" "$folder/$(($(find "$folder" -type f | wc -l) + 1)).open" ;;
  edit) cp "${@: -1}" "$folder/$3.open" ;;
  comment) ;;
  close) mv "$folder/$3.open" "$folder/$3.closed" ;;
  *) exit 2 ;;
esac
GH
chmod +x "$work/bin/gh"
export PATH=$work/bin:$PATH

tree=$work/tree
mkdir -p "$tree/.github"
cp -a examples/retention/workflows "$tree/.github/workflows"
sed "s#ghcr\.io#$registry#g" examples/retention/shipmark.yml >"$tree/.github/shipmark.yml"
# act's schema of workflows does not know the key yet, with which GitHub makes no deployment of its own.
sed -i -E -e "s#ghcr\.io#$registry#g" -e '/^ +deployment: false$/d' "$tree"/.github/workflows/*.yml
# A release that a record keeps.
(cd "$tree" && "$shipmark" promote --policy .github/shipmark.yml --environment production --version 1.4.0 --source "$dev:1.4.0") \
  >"$work/log" 2>&1 || { cat "$work/log" >&2; fail 'the image is not released'; }
run() { # JOB
  local began=$SECONDS uses folder
  local actions=()
  while read -r uses; do
    case $uses in
      actions/checkout@*) continue ;;
      shipmark/shipmark@*) folder=$work/shipmark ;;
      *) folder=tests/act/actions/${uses%@*} ;;
    esac
    [ -d "$folder" ] || fail "$uses has no replacement in tests/act/actions"
    actions+=(--local-repository "$uses=$(realpath "$folder")")
  done < <(grep -rhoE 'uses: [^ .][^ ]+@[^ ]+' "$tree/.github/workflows" | sed 's/^uses: //' | sort -u)
  TMPDIR=$work/act "$runner/act-run.sh" -m host -e workflow_dispatch -W .github/workflows/retention.yml "$tree" -- \
    -j "$1" --container-options "--network host -v $work:$work" --env "RUNNER_TEMP=$work/temp" --actor "$user" \
    -s "GITHUB_TOKEN=$password" --env "STAND_IN_FOLDER=$work" --env "PATH=$PATH" "${actions[@]}" >"$work/log" 2>&1 ||
    { cat "$work/log" >&2; fail "the job $1 failed"; }
  echo "retention, up to $1: passed in $((SECONDS - began)) s"
}
issues() { find "$work/issues" -name "*.$1" | wc -l; }
has() { crane digest "$dev:$1" >/dev/null 2>&1; }

run issue
[ "$(issues open)" = 1 ] || fail 'expected one open issue'
grep -q 'the rule tags: pr-\*' "$work"/issues/*.open || { cat "$work"/issues/*.open >&2; fail 'the issue does not show the plan'; }
has pr-7 || fail 'a plan deleted an image'
run issue
[ "$(issues open)" = 1 ] || fail 'a second plan opened another issue'
run close
if has pr-7 || has pr-8 || has pr-9; then fail 'the tags of pull requests are still there'; fi
for tag in 1.4.0 1.4.1 1.4.2 1.4.3; do
  crane validate --fast --remote "$dev:$tag" >/dev/null 2>&1 || fail "the image $tag is not whole"
done
[ "$(issues open)" = 0 ] || fail 'the issue is open after the deletions'
run issue
[ "$(issues open)" = 0 ] || fail 'an issue is open without a plan'
echo "act: examples/retention does what it says"
