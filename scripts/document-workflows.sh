#!/usr/bin/env bash
# Writes every complete workflow of README.md and docs/ into a directory, each under the name of its workflow:
#   document-workflows.sh DIRECTORY     "Signed release" becomes signed-release.yml
# A block of YAML that begins with `name:` is complete; each name occurs once.
set -euo pipefail
cd "$(dirname "$0")/.."
directory=${1:?usage: document-workflows.sh DIRECTORY}
mkdir -p "$directory"
find README.md docs -name '*.md' -print0 | sort -z | xargs -0 awk -v to="$directory" '
  FNR == 1 { open = 0; file = "" }
  /^```yaml$/ { open = 1; next }
  /^```$/ { open = 0; file = "" }
  open == 1 {
    open = 2
    if ($0 !~ /^name: /) next
    name = tolower(substr($0, 7)); gsub(/ /, "-", name); file = to "/" name ".yml"
    if (file in seen) { print "document-workflows.sh: " FILENAME ": " name " is in " seen[file] " too" >"/dev/stderr"; exit 1 }
    seen[file] = FILENAME
    print "# " FILENAME ", line " FNR >file
  }
  open == 2 && file != "" { print >file }
'
