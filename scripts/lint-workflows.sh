#!/usr/bin/env bash
# Checks the workflows (those in README.md, docs and tests/act too), action.yml and dependabot.yml with actionlint and zizmor,
# and the scripts with shellcheck if it is installed. Installs the first two, once per version, in ~/.cache/shipmark: needs Go and Python with venv.
set -euo pipefail
cd "$(dirname "$0")/.."
actionlint=v1.7.12
zizmor=$(sed -n 's/^zizmor==\([^ ]*\).*/\1/p' scripts/requirements/zizmor.txt)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/shipmark

for need in go python3; do
  command -v "$need" >/dev/null || { echo "lint-workflows.sh: $need is missing" >&2; exit 1; }
done
if [ ! -x "$cache/actionlint-$actionlint/actionlint" ]; then
  GOBIN="$cache/actionlint-$actionlint" go install "github.com/rhysd/actionlint/cmd/actionlint@$actionlint"
fi
if [ ! -x "$cache/zizmor-$zizmor/bin/zizmor" ]; then
  rm -rf "$cache/zizmor-$zizmor"
  python3 -m venv "$cache/zizmor-$zizmor"
  "$cache/zizmor-$zizmor/bin/pip" install --quiet --require-hashes --requirement scripts/requirements/zizmor.txt
fi

"$cache/actionlint-$actionlint/actionlint" -color=false
"$cache/actionlint-$actionlint/actionlint" -color=false tests/act/*.yml
scripts/lint-documents.sh "$cache/actionlint-$actionlint/actionlint" "$cache/zizmor-$zizmor/bin/zizmor"
echo "actionlint $actionlint: clean"
"$cache/zizmor-$zizmor/bin/zizmor" --offline --persona=pedantic --strict-collection --no-progress .
if command -v shellcheck >/dev/null; then
  shellcheck --severity=warning --external-sources --source-path=scripts scripts/*.sh .ci/run
  echo "shellcheck: clean"
else
  echo "shellcheck is not installed: the scripts were not checked"
fi
