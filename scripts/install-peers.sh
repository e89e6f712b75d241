#!/usr/bin/env bash
# Installs the programs that tests and benchmarks compare with, at the versions below:
#   install-peers.sh [NAME...]     all programs, or the named ones
# They go to ~/.cache/shipmark/peers; a program already there at its version is kept. Needs Go, and Python 3 with venv.
set -euo pipefail
cd "$(dirname "$0")/.."
peers=${XDG_CACHE_HOME:-$HOME/.cache}/shipmark/peers

# name | where it is from | what is built of it | version
pins='
cosign           github.com/sigstore/cosign/v3              cmd/cosign              v3.1.3
crane            github.com/google/go-containerregistry     cmd/crane               v0.22.1
oras             oras.land/oras                             cmd/oras                v1.3.2
refregistry      github.com/google/go-containerregistry     scripts/refregistry.go  v0.22.1
regctl           github.com/regclient/regclient             cmd/regctl              v0.11.7
registry         github.com/distribution/distribution/v3    cmd/registry            v3.1.2
regsync          github.com/regclient/regclient             cmd/regsync             v0.11.7
sigstore-python  pypi                                       sigstore                4.5.1
'

go_version() { # NAME MODULE: of what is installed
  go version -m "$peers/$1" 2>/dev/null | awk -v module="$2" '($1 == "mod" || $1 == "dep") && $2 == module { print $3 }' || true
}
# In a module that requires it: `go install MODULE@VERSION` also asks for the list of all versions, which a proxy that
# has the version need not have.
install_go() { # NAME MODULE PACKAGE VERSION
  local package=$2/$3
  rm -rf "${scratch:?}"/*
  case $3 in
    *.go) cp "$3" "$scratch/" && package=. ;;
  esac
  printf 'module scratch\n\ngo 1.26\n\nrequire %s %s\n' "$2" "$4" >"$scratch/go.mod"
  (cd "$scratch" && CGO_ENABLED=0 go build -mod=mod -buildvcs=false -ldflags='-s -w' -o "$peers/$1" "$package")
}

python_version() { # PACKAGE
  "$peers/python/bin/pip" show "$1" 2>/dev/null | sed -n 's/^Version: //p' || true
}
install_python() { # NAME PACKAGE VERSION
  python3 -m venv "$peers/python"
  # By the hashes of what it needs too: a version alone says nothing of what the registry gives for it.
  grep -q "^$2==$3 " "scripts/requirements/$2.txt" ||
    { echo "install-peers.sh: scripts/requirements/$2.txt has another version than $3" >&2; exit 1; }
  "$peers/python/bin/pip" install --quiet --require-hashes --requirement "scripts/requirements/$2.txt"
  ln -sf "python/bin/$2" "$peers/$1"
}

for name; do
  grep -q "^$name " <<<"$pins" || { echo "install-peers.sh: no such program here: $name" >&2; exit 2; }
done
for need in go python3; do
  command -v "$need" >/dev/null || { echo "install-peers.sh: $need is missing on this machine" >&2; exit 1; }
done
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$peers"
while read -r name from what version; do
  [ -n "$name" ] || continue
  [ $# = 0 ] || [[ " $* " = *" $name "* ]] || continue
  began=$SECONDS
  case $from in
    pypi) there=$(python_version "$what") ;;
    *) there=$(go_version "$name" "$from") ;;
  esac
  if [ "$there" = "$version" ]; then
    echo "$name $version: there"
    continue
  fi
  case $from in
    pypi) install_python "$name" "$what" "$version" ;;
    *) install_go "$name" "$from" "$what" "$version" ;;
  esac
  echo "$name $version: installed in $((SECONDS - began)) s"
done <<<"$pins"
