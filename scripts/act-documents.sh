#!/usr/bin/env bash
# Runs every complete workflow of README.md and docs/ under act as it stands, with its jobs on this machine and the action
# in its container. Registries on loopback, with passwords, are in the place of those that are named, and the actions of
# others are those of tests/act/actions. A workflow that has no run below is an error.
#   act-documents.sh RUNNER_TOOLS_DIR ACTION_YML IMAGE SHIPMARK
# ACTION_YML is that of a release and names IMAGE, which the engine has; SHIPMARK is a binary of it. If RUNNER_TOOLS_DIR has
# a sibling sigstore-stack, with its servers in ~/.cache/shipmark/sigstore, that Sigstore signs what is signed without a key;
# else those workflows are left out. Needs what act-check.sh needs, which calls it, and openssl, curl and jq.
set -euo pipefail
cd "$(dirname "$0")/.."
usage='usage: act-documents.sh RUNNER_TOOLS_DIR ACTION_YML IMAGE SHIPMARK'
runner=$(realpath "${1:?$usage}") action=${2:?$usage} image=${3:?$usage} shipmark=${4:?$usage}
sigstore=${XDG_CACHE_HOME:-$HOME/.cache}/shipmark/sigstore
fail() { echo "act-documents.sh: $*" >&2; exit 1; }

named_image=
work=$(mktemp -d)
registry_dir=$work/registry
. scripts/local-registry.sh
clean_up() {
  stop_registries
  [ -z "$named_image" ] || docker image rm --force "$named_image" >/dev/null 2>&1 || true
  [ ! -e "$work/sigstore" ] || "$runner/../sigstore-stack/down.sh" "$work/sigstore" || true
  rm -rf "$work"
}
trap clean_up EXIT

# The bcrypt line is of this password; both are good for nothing but these registries.
user=shipmark password='pass:word with spaces'
hash='$2y$05$Xwvo3Qs8D907yvbyaansnOaGlgbBVlioKaYQJMrSlCxifszZdHIqa'
start_registry scratch
scratch=$registry_address
start_registry ghcr "$user:$hash"
ghcr=$registry_address
start_registry ecr "AWS:$hash"
ecr=$registry_address
export DOCKER_CONFIG=$work/docker
docker login "$ghcr" --username "$user" --password-stdin <<<"$password" >/dev/null 2>&1
docker login "$ecr" --username AWS --password-stdin <<<"$password" >/dev/null 2>&1

# The workflows, under the names of their files.
mkdir "$work/act" "$work/temp"
workflows=$work/tree/.github/workflows
scripts/document-workflows.sh "$workflows"
sed -i -e "s#111122223333\.dkr\.ecr\.eu-central-1\.amazonaws\.com#$ecr#g" -e "s#ghcr\.io#$ghcr#g" \
  -e 's#docker run --rm#docker run --rm --network host#' "$workflows"/*

mkdir "$work/shipmark"
cp "$action" "$work/shipmark/action.yml"
actions=()
# By the next version's tag, or by the commit of a release.
while read -r uses; do
  actions+=(--local-repository "$uses=$work/shipmark")
done < <(grep -rhoE 'shipmark/shipmark@[^ ]+' "$workflows" | sort -u)
# actions/checkout is act's own.
while read -r uses; do
  folder=tests/act/actions/${uses%@*}
  [ -d "$folder" ] || fail "$uses has no replacement in tests/act/actions"
  actions+=(--local-repository "$uses=$(realpath "$folder")")
done < <(grep -rhoE 'uses: [^ ]+@[0-9a-f]{40}' "$workflows" | sed 's/^uses: //' | grep -vE '^(actions/checkout|shipmark/shipmark)@' | sort -u)

# The image that the builds give: its only content is a program that answers --version.
mkdir "$work/content"
cp "${RUNNER_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/runner-tools}/bin/bash-static" "$work/content/web"
tar -C "$work/content" -cf "$work/layer.tar" web
crane append --oci-empty-base --new_layer "$work/layer.tar" --new_tag "$scratch/web:one" >/dev/null
crane mutate --set-platform linux/amd64 --entrypoint /web --tag "$scratch/web:one" "$scratch/web:one" >/dev/null

# What is signed without a key is signed at the Sigstore of this machine, in the place of the public one.
if [ -d "$runner/../sigstore-stack" ] && [ -x "$sigstore/fulcio" ]; then
  "$runner/../sigstore-stack/up.sh" "$sigstore" "$work/sigstore" >/dev/null
  . "$work/sigstore/env"
  trusted="trusted-root: $SIGSTACK_TRUSTED_ROOT"
  sed -i -E -e "s#^( +)sign: keyless\$#&\n\1signing-config: $SIGSTACK_SIGNING_CONFIG\n\1$trusted#" \
    -e "s#^( +)certificate-identity: .*#&\n\1certificate-oidc-issuer: $SIGSTACK_OIDC_ISSUER\n\1$trusted#" "$workflows"/*
fi

# With these dates act makes the same commit for each run.
export GIT_AUTHOR_DATE=2026-01-02T03:04:05Z GIT_COMMITTER_DATE=2026-01-02T03:04:05Z
ran=
run() { # WORKFLOW EVENT PAYLOAD [ACT_ARGUMENT...]
  local name=$1 event=$2 began=$SECONDS
  printf '%s' "$3" >"$work/event.json"
  shift 3
  # All folders of the run are below $work, which the action's container has too.
  TMPDIR=$work/act "$runner/act-run.sh" -m host -e "$event" -p "$work/event.json" -W ".github/workflows/$name.yml" "$work/tree" -- \
    --container-options "--network host -v $work:$work" --env "RUNNER_TEMP=$work/temp" --actor "$user" -s "GITHUB_TOKEN=$password" --env "STAND_IN_PASSWORD=$password" --env "STAND_IN_IMAGE=$scratch/web:one" \
    --env "STAND_IN_FOLDER=$work" "${actions[@]}" "$@" >"$work/log" 2>&1 || { cat "$work/log" >&2; fail "$name failed"; }
  ran+="$name "
  echo "$name, $event: passed in $((SECONDS - began)) s"
}
# Runs a workflow for the tag v1.4.0 as a job that can sign.
run_signed() { # WORKFLOW
  local name=$1 job
  if [ ! -e "$work/sigstore" ]; then
    ran+="$name "
    echo "LEFT OUT: $name, since there is no Sigstore here"
    return 0
  fi
  job=$(curl -fsS -d "{\"claims\":{\"repository\":\"example/project\",\"ref\":\"refs/tags/v1.4.0\",
    \"job_workflow_ref\":\"example/project/.github/workflows/$name.yml@refs/tags/v1.4.0\"}}" "$SIGSTACK_OIDC_ISSUER/jobs")
  run "$name" push "$release" --env "ACTIONS_ID_TOKEN_REQUEST_URL=$(jq -r .url <<<"$job")" \
    --env "ACTIONS_ID_TOKEN_REQUEST_TOKEN=$(jq -r .token <<<"$job")"
}
named() { # REPOSITORY DIGEST TAG...
  local repository=$1 digest=$2 tag found
  shift 2
  for tag in "$@"; do
    found=$(crane digest "$repository:$tag") || fail "$repository has no tag $tag"
    [ "$found" = "$digest" ] || fail "$repository:$tag is $found, expected $digest"
  done
}
logged() { grep -qF "$1" "$work/log" || { cat "$work/log" >&2; fail "the log does not say: $1"; }; }
repository='"repository":{"id":1,"name":"project","full_name":"example/project","private":false,"visibility":"public",
  "html_url":"https://github.com/example/project","description":"A page","license":null,"default_branch":"main"}'
pushed() { printf '{"ref":"%s",%s}' "$1" "$repository"; }
dispatch() { printf '{"ref":"refs/heads/main","inputs":%s,%s}' "$1" "$repository"; }
main=$(pushed refs/heads/main) release=$(pushed refs/tags/v1.4.0)
project=$ghcr/example/project

run image push "$main"
digest=$(crane digest "$project:main")
run image push "$release"
named "$project" "$digest" 1.4.0 1.4 1 latest main
# A commit that nobody built.
sed -i '$a # another commit' "$workflows/image.yml"
if (run image push "$(pushed refs/tags/v1.5.0)") >"$work/refused" 2>&1; then fail "a commit that was not built is released"; fi
grep -q 'is not built' "$work/refused" || { cat "$work/refused" >&2; fail "it is not said that the commit was not built"; }
sed -i '$d' "$workflows/image.yml"

# What was released before records were kept has no record yet.
crane mutate --label earlier=yes --tag "$scratch/web:earlier" "$scratch/web:one" >/dev/null
crane copy "$scratch/web:earlier" "$project/prod:1.3.0" >/dev/null 2>&1
run adopt workflow_dispatch "$(dispatch '{"dry-run":"true"}')"
if crane ls "$project/prod" | grep -q '^shipmark\.'; then fail "a dry run records"; fi
run adopt workflow_dispatch "$(dispatch '{"dry-run":"false"}')"
crane ls "$project/prod" | grep -q '^shipmark\.prod\..*\.adopt\.' || fail "1.3.0 is not adopted"

run_signed signed-release
named "$project" "$digest" 1.4.0 prod

run build push "$main"
digest=$(crane digest "$project/dev:main")
named "$ecr/team/web" "$digest" main
logged 'GNU bash'
run release push "$release"
named "$project/prod" "$digest" 1.4.0 1.4 1 latest prod
# The version is known from the tag in dev alone.
crane tag "$project/dev@$digest" 1.4.0
run promote workflow_dispatch "$(dispatch "{\"digest\":\"$digest\",\"environment\":\"stage\"}")"
named "$project/stage" "$digest" 1.4.0 1.4 1 latest stage
# Through the gates of a policy, which no other workflow has.
mkdir -p "$work/tree/.github"
awk '/^```yaml$/ { getline; if ($0 == "environments:" && !done) { done = open = 1 } } /^```$/ { open = 0 } open' \
  <(sed -n '/^## Scan, then promote/,$p' docs/recipes.md) |
  sed "s#ghcr\.io/acme/web#$project#" >"$work/tree/.github/shipmark.yml"
gated=$(dispatch "{\"digest\":\"$digest\",\"override-freeze\":\"the script runs at any time\"}")
touch "$work/vulnerable"
if (run gated-promotion workflow_dispatch "$gated") >"$work/refused" 2>&1; then fail "an image with a critical finding passes the gates"; fi
grep -q 'CVE-2026-0001' "$work/refused" || { cat "$work/refused" >&2; fail "the refusal does not name the finding"; }
rm "$work/vulnerable"
run gated-promotion workflow_dispatch "$gated"
logged 'scan          passed'
rm "$work/tree/.github/shipmark.yml"
# Another image may not take the version that this one has.
crane mutate --label other=yes --tag "$scratch/web:other" "$scratch/web:one" >/dev/null
crane copy "$scratch/web:other" "$project/dev:other" >/dev/null 2>&1
other=$(crane digest "$project/dev:other")
run report-refusal workflow_dispatch "$(dispatch "{\"digest\":\"$other\",\"version\":\"1.4.0\"}")"
logged '| 1.4.0 is an immutable tag'
# A release that is bad, and good after all.
"$shipmark" promote --source "$project/dev@$other" --images "$project/prod" --environment prod --version 1.4.1 >"$work/log" 2>&1 ||
  { cat "$work/log" >&2; fail "1.4.1 is not released"; }
named "$project/prod" "$other" 1.4.1 1.4 1 latest prod
run rollback workflow_dispatch "$(dispatch '{"reason":"errors"}')"
named "$project/prod" "$digest" 1.4.0 1.4 1 latest prod
run roll-out workflow_dispatch "$(dispatch '{}')"
logged "deploy $project/prod@$digest"
crane ls "$project/prod" | grep -q '^shipmark\.prod\..*\.deployed\.' || fail "the deployment is not recorded"
run reinstate workflow_dispatch "$(dispatch "{\"digest\":\"$other\",\"reason\":\"the database was slow\"}")"
named "$project/prod" "$other" 1.4.1 1.4 1 latest prod
# The policy is there for this run alone: the other workflows have none.
printf 'environments:\n  prod: {repository: %s/prod, gates: {scan: {fail-on: high, max-age: 24h}}}\n' "$project" >"$work/tree/.github/shipmark.yml"
run rescan schedule "{$repository}"
logged "verified prod of $project/prod"
echo CRITICAL >"$work/severity"
if (run rescan schedule "{$repository}") >"$work/refused" 2>&1; then fail "a new critical is not found"; fi
grep -q 'gate scan (failed)' "$work/refused" || { cat "$work/refused" >&2; fail "it is not said that the scan gate failed"; }
rm "$work/tree/.github/shipmark.yml"
run mirror workflow_dispatch "$(dispatch "{\"digest\":\"$digest\"}")"
named "$ecr/team/web" "$digest" 1.4.0 1.4

# A policy for two workflows: the others have none.
write_policy() {
  mkdir -p "$work/tree/.github"
  printf 'environments:\n  stage: {repository: %s/checked/stage}\n  prod: {repository: %s/checked/prod, from: stage, refs: [main]}\n' \
    "$project" "$project" >"$work/tree/.github/shipmark.yml"
}
# The commit that act-run.sh makes of the tree.
tree_commit() {
  local copy=$work/commit
  rm -rf "$copy"
  cp -a "$work/tree" "$copy"
  git -C "$copy" -c init.defaultBranch=main init -q
  git -C "$copy" add -Af
  git -C "$copy" -c user.name=act -c user.email=act@example.invalid commit -qm act
  git -C "$copy" rev-parse HEAD
}
write_policy
base=$(tree_commit)
crane mutate --label "org.opencontainers.image.revision=$base" --tag "$scratch/web:checked" "$scratch/web:one" >/dev/null
crane copy "$scratch/web:checked" "$project/checked/stage:git-${base:0:7}" >/dev/null 2>&1
checked=$(crane digest "$project/checked/stage:git-${base:0:7}")
run promotion-check pull_request "$(printf '{"action":"opened","number":7,"pull_request":{"number":7,"merged":false,
  "head":{"ref":"feature","sha":"%s","repo":{"full_name":"example/project"}},
  "base":{"ref":"main","sha":"%s","repo":{"full_name":"example/project"}}},%s}' "$base" "$base" "$repository")"
logged 'a promotion to prod would be released'
if crane ls "$project/checked/prod" >/dev/null 2>&1; then fail "a check writes to prod"; fi
run approved-promotion workflow_dispatch "$(dispatch "{\"source\":\"$checked\"}")"
named "$project/checked/prod" "$checked" prod
rm "$work/tree/.github/shipmark.yml"

openssl ecparam -name prime256v1 -genkey -noout -out "$work/cosign.key"
openssl ec -in "$work/cosign.key" -pubout -out "$work/cosign.pub" 2>/dev/null
if (run deploy workflow_dispatch "$(dispatch '{"version":"1.4.0"}')" --var "COSIGN_PUBLIC_KEY=$(cat "$work/cosign.pub")") >"$work/refused" 2>&1
then fail "an image without a signature is deployed"; fi
"$shipmark" promote --source "$project:1.4.0" --images "$project" --tags 1.4.0 --sign key --signing-key "$work/cosign.key" >"$work/log" 2>&1 ||
  { cat "$work/log" >&2; fail "the image is not signed"; }
run deploy workflow_dispatch "$(dispatch '{"version":"1.4.0"}')" --var "COSIGN_PUBLIC_KEY=$(cat "$work/cosign.pub")"
logged "deploy $project@sha256:"

run before push "$main"
run before push "$release"
grep -q "^sign --yes $project/prod@sha256:" "$work/cosign.log" || fail "the workflow before shipmark does not sign"
run after push "$main"
run_signed after

named_image=$(grep -oE "$ghcr/shipmark/shipmark:[0-9.]+" "$workflows/script.yml")
docker tag "$image" "$named_image"
docker push --quiet "$named_image" >/dev/null
run script workflow_dispatch "$(dispatch '{}')"
logged "deploy $project/dev@sha256:"

for file in "$workflows"/*.yml; do
  name=$(basename "$file" .yml)
  [[ " $ran" == *" $name "* ]] || fail "$(head -n 1 "$file"): the workflow $name has no run in this script"
done
echo "act: $(find "$workflows" -name '*.yml' | wc -l) workflows of README.md and docs/ do what they say"
