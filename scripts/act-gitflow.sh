#!/usr/bin/env bash
# Runs the workflows of examples/gitflow under act, with jobs on this machine and the action in its container: what was there
# before is adopted, a commit goes from develop to production, a hotfix follows and is rolled back. Then compares tags and
# release records with what the flow must leave behind. Each workflow signs as itself at the Sigstore of this machine.
#   act-gitflow.sh RUNNER_TOOLS_DIR ACTION_YML IMAGE SHIPMARK
# ACTION_YML is that of a release and names IMAGE, which the engine has; SHIPMARK is a binary of it. RUNNER_TOOLS_DIR has a
# sibling sigstore-stack, with its servers in ~/.cache/shipmark/sigstore. Needs what act-check.sh needs, which calls it, and
# curl and jq. Left out is what needs GitHub: the build of pull-request.yml, the issue of rescan.yml, and the jobs that deploy.
set -euo pipefail
cd "$(dirname "$0")/.."
usage='usage: act-gitflow.sh RUNNER_TOOLS_DIR ACTION_YML IMAGE SHIPMARK'
runner=$(realpath "${1:?$usage}") action=${2:?$usage} image=${3:?$usage} shipmark=$(realpath "${4:?$usage}")
sigstore=${XDG_CACHE_HOME:-$HOME/.cache}/shipmark/sigstore
fail() { echo "act-gitflow.sh: $*" >&2; exit 1; }
docker image inspect "$image" >/dev/null || fail "the engine does not have $image"

work=$(mktemp -d)
registry_dir=$work/registry
. scripts/local-registry.sh
clean_up() {
  stop_registries
  [ ! -e "$work/sigstore" ] || "$runner/../sigstore-stack/down.sh" "$work/sigstore" || true
  rm -rf "$work"
}
trap clean_up EXIT

# The bcrypt line is of this password; both are good for nothing but this registry.
user=shipmark password='pass:word with spaces'
hash='$2y$05$Xwvo3Qs8D907yvbyaansnOaGlgbBVlioKaYQJMrSlCxifszZdHIqa'
start_registry ghcr "$user:$hash"
ghcr=$registry_address
export DOCKER_CONFIG=$work/docker
docker login "$ghcr" --username "$user" --password-stdin <<<"$password" >/dev/null 2>&1
"$runner/../sigstore-stack/up.sh" "$sigstore" "$work/sigstore" >/dev/null
. "$work/sigstore/env"
buildkit=$("$runner/buildkitd-up.sh")
mkdir -p "$work/act" "$work/temp" "$work/build" "$work/shipmark"
cp "${RUNNER_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/runner-tools}/bin/bash-static" "$work/build/web"
cp "$action" "$work/shipmark/action.yml"

# The repository of a user, as README.md of the example says, with the registry and the Sigstore of this machine. Without the
# two gates that ask GitHub's API, which is not here.
tree=$work/tree
mkdir -p "$tree/.github"
cp -a examples/gitflow/workflows "$tree/.github/workflows"
cp -a examples/gitflow/{Dockerfile,container-structure-test.yaml,src} "$tree/"
cp "$SIGSTACK_TRUSTED_ROOT" "$tree/.github/trusted_root.json"
sed -E -e "s#ghcr\.io/acme/#$ghcr/example/#" -e 's#acme/web#example/project#' -e 's#^  web: \{#  project: {#' \
  -e "s#(\{identity: '[^']+')#\1, issuer: '$SIGSTACK_OIDC_ISSUER'#" \
  -e '/^      (checks|approvals): /d' -e "s#^    production: true#&\n    adopt-until: $(date -u +%F)#" examples/gitflow/shipmark.yml >"$tree/.github/shipmark.yml"
echo 'trusted-root: .github/trusted_root.json' >>"$tree/.github/shipmark.yml"
sed -i -E -e "s#ghcr\.io#$ghcr#g" \
  -e "s#^( +)command: (push|promote|rollback|mark|adopt)\$#&\n\1signing-config: $SIGSTACK_SIGNING_CONFIG\n\1trusted-root: .github/trusted_root.json#" "$tree"/.github/workflows/*.yml
# act's schema of workflows does not know the key yet, with which GitHub makes no deployment of its own.
sed -i -E -e 's#, deployment: false\}#}#' -e '/^ +deployment: false$/d' "$tree"/.github/workflows/*.yml
actions=()
while read -r uses; do
  case $uses in
    # actions/checkout is act's own; what the pull request alone uses does not run.
    actions/* | hadolint/*) continue ;;
    shipmark/shipmark@*) folder=$work/shipmark ;;
    *) folder=tests/act/actions/${uses%@*} ;;
  esac
  [ -d "$folder" ] || fail "$uses has no replacement in tests/act/actions"
  actions+=(--local-repository "$uses=$(realpath "$folder")")
done < <(grep -rhoE 'uses: [^ .][^ ]+@[^ ]+' "$tree/.github/workflows" | sed 's/^uses: //' | sort -u)

# With these dates act makes the same commit of the same tree for each run.
export GIT_AUTHOR_DATE=2026-01-02T03:04:05Z GIT_COMMITTER_DATE=2026-01-02T03:04:05Z
tree_commit() {
  rm -rf "$work/commit"
  cp -a "$tree" "$work/commit"
  git -C "$work/commit" -c init.defaultBranch=main init -q
  git -C "$work/commit" add -Af
  git -C "$work/commit" -c user.name=act -c user.email=act@example.invalid commit -qm act
  git -C "$work/commit" rev-parse HEAD
}
repository='"repository":{"id":1,"name":"project","full_name":"example/project","private":false,"visibility":"public",
  "html_url":"https://github.com/example/project","license":null,"default_branch":"main"}'
pull_request=null
run() { # WORKFLOW JOB EVENT REF [INPUTS]: the job, and those that it needs
  local name=$1 wanted=$2 event=$3 ref=$4 inputs=${5:-null} began=$SECONDS job
  job=$(curl -fsS -d "{\"claims\":{\"repository\":\"example/project\",\"ref\":\"$ref\",
    \"job_workflow_ref\":\"example/project/.github/workflows/$name.yml@$ref\"}}" "$SIGSTACK_OIDC_ISSUER/jobs")
  printf '{"ref":"%s","inputs":%s,"action":"opened","number":7,"pull_request":%s,%s}' \
    "$ref" "$inputs" "$pull_request" "$repository" >"$work/event.json"
  # All folders of the run are below $work, which the action's container has too.
  TMPDIR=$work/act "$runner/act-run.sh" -m host -e "$event" -p "$work/event.json" -W ".github/workflows/$name.yml" "$tree" -- \
    -j "$wanted" --container-options "--network host -v $work:$work" --env "RUNNER_TEMP=$work/temp" --actor "$user" \
    -s "GITHUB_TOKEN=$password" --env "STAND_IN_FOLDER=$work" --env "STAND_IN_BUILDKIT=$buildkit" \
    --env "ACTIONS_ID_TOKEN_REQUEST_URL=$(jq -r .url <<<"$job")" \
    --env "ACTIONS_ID_TOKEN_REQUEST_TOKEN=$(jq -r .token <<<"$job")" "${actions[@]}" >"$work/log" 2>&1 || return 1
  echo "$name on $ref: passed in $((SECONDS - began)) s"
}
passes() { run "$@" || { cat "$work/log" >&2; fail "$1 failed"; }; }
refuses() { # TEXT RUN...
  local text=$1
  shift
  if run "$@"; then fail "$1 on $4 passes"; fi
  grep -qF "$text" "$work/log" || { cat "$work/log" >&2; fail "$1: the log does not say: $text"; }
  echo "$1 on $4: refused, as it must be"
}
named() { # ENVIRONMENT DIGEST TAG...
  local at=$ghcr/example/project/$1 digest=$2 tag found
  shift 2
  for tag in "$@"; do
    found=$(crane digest "$at:$tag") || fail "$at has no tag $tag"
    [ "$found" = "$digest" ] || fail "$at:$tag is $found, expected $digest"
  done
}
# The records of an environment, the oldest first, against the lines that are given: action, version, digest, and of a
# rollback the digest that it puts back.
recorded() { # ENVIRONMENT LINE...
  local environment=$1 found expected
  shift
  found=$(cd "$tree" && "$shipmark" history --environment "$environment" --all --output json |
    jq -r '.timelines[0].entries | reverse[] | [.action, .version, .digest, .restores // empty] | join(" ")') ||
    fail "the history of $environment cannot be read"
  expected=$(printf '%s\n' "$@")
  [ "$found" = "$expected" ] || fail "the records of $environment are
$found
expected
$expected"
}
dispatch=workflow_dispatch main=refs/heads/main

# What was there before.
old=$ghcr/example/project/production:1.1.0
tar -C "$work/build" -cf "$work/layer.tar" web
crane append --oci-empty-base --new_layer "$work/layer.tar" --new_tag "$old" >/dev/null 2>&1
crane mutate --set-platform linux/amd64 --entrypoint /web --tag "$old" "$old" >/dev/null 2>&1
crane tag "$old" production 2>/dev/null
before=$(crane digest "$old")
passes adopt adopt $dispatch $main '{"environment":"production","dry-run":"false"}'

# From develop to production.
commit=$(tree_commit)
refuses 'refs/heads/feature' build build push refs/heads/feature
passes build build push refs/heads/develop
built=$(crane digest "$ghcr/example/project/dev:latest")
named dev "$built" "sha-${commit:0:7}"
touch "$work/vulnerable"
branch=refs/heads/release/v1.2.0-sha-${commit:0:7}
refuses CVE-2026-0001 promote-stage promote push "$branch"
rm "$work/vulnerable"
passes promote-stage promote push "$branch"
named stage "$built" 1.2.0 1.2 1 latest stage "sha-${commit:0:7}"
pull_request=$(printf '{"number":7,"merged":false,"head":{"ref":"%s","sha":"%s","repo":{"full_name":"example/project"}},
  "base":{"ref":"main","sha":"%s","repo":{"full_name":"example/project"}}}' "${branch#refs/heads/}" "$commit" "$commit")
passes pull-request check pull_request refs/pull/7/merge
grep -qF 'a promotion to production would be released' "$work/log" || fail "the pull request does not show the promotion"
pull_request=null
passes promote-prod promote push $main
named production "$built" 1.2.0 1.2 1 latest production "sha-${commit:0:7}"
passes mark mark $dispatch $main "{\"environment\":\"production\",\"release\":\"$built\",\"state\":\"deployed\"}"

# A hotfix, which goes the same way.
cp "$tree/src/main.rs" "$work/main.rs"
echo '// fixed' >>"$tree/src/main.rs"
commit=$(tree_commit)
passes hotfix promote $dispatch refs/heads/hotfix/login '{"version":"1.2.1"}'
fixed=$(crane digest "$ghcr/example/project/stage:1.2.1")
[ "$fixed" != "$built" ] || fail "the hotfix is the image that it fixes"
named dev "$fixed" "sha-${commit:0:7}" latest
named stage "$fixed" 1.2 1 latest stage
# Main at the commit of 1.2.0, while stage is on 1.2.1: what is scanned there is not what would be promoted.
mv "$work/main.rs" "$tree/src/main.rs"
refuses 'is about another image' promote-prod check push $main
echo '// fixed' >>"$tree/src/main.rs"
passes promote-prod promote push $main
named production "$fixed" 1.2.1 1.2 1 latest production

# It is bad. Nobody signs a rollback on another branch.
back='{"environment":"production","release":"","reason":"errors"}'
refuses 'does not accept the record of this run' rollback rollback $dispatch refs/heads/develop "$back"
passes rollback rollback $dispatch $main "$back"
named production "$built" 1.2.0 1.2 1 latest production
named production "$fixed" 1.2.1
# It is marked already: nothing is recorded twice.
passes mark mark $dispatch $main "{\"environment\":\"production\",\"release\":\"$built\",\"state\":\"deployed\"}"
passes rescan rescan schedule $main

recorded dev "push latest $built" "push latest $fixed"
recorded stage "promote 1.2.0 $built" "promote 1.2.1 $fixed"
recorded production "adopt 1.1.0 $before" "promote 1.2.0 $built" "deployed 1.2.0 $built" "promote 1.2.1 $fixed" \
  "rollback 1.2.1 $fixed $built"
echo "act: examples/gitflow does what it says"
