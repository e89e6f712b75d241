# shellcheck shell=bash
# Sourced: starts real distribution registries on loopback, each on its own port, with storage that is deleted at the end.
# The caller sets registry_dir (a fresh directory) and calls stop_registries from its EXIT trap.
: "${registry_dir:?is to be set before local-registry.sh is sourced}"
registry_pids=()
registry_address=

# start_registry NAME [HTPASSWD_LINE]: starts one and leaves its host:port in registry_address.
start_registry() {
  local dir=$registry_dir/$1 pid
  mkdir -p "$dir/storage"
  {
    printf 'version: 0.1\nlog: {level: info}\nhttp: {addr: "127.0.0.1:0"}\n'
    printf 'storage: {filesystem: {rootdirectory: "%s"}, delete: {enabled: true}}\n' "$dir/storage"
    if [ $# -gt 1 ]; then
      printf '%s\n' "$2" >"$dir/htpasswd"
      printf 'auth: {htpasswd: {realm: shipmark, path: "%s"}}\n' "$dir/htpasswd"
    fi
  } >"$dir/config.yml"
  : >"$dir/log"
  OTEL_TRACES_EXPORTER=none registry serve "$dir/config.yml" >"$dir/log" 2>&1 &
  pid=$!
  registry_pids+=("$pid")
  # The kernel chose the port; the log says which.
  for _ in $(seq 100); do
    registry_address=$(sed -n 's/.*listening on \(127\.0\.0\.1:[0-9]*\).*/\1/p' "$dir/log")
    [ -z "$registry_address" ] || return 0
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.1
  done
  echo "the registry $1 did not come up; its log:" >&2
  cat "$dir/log" >&2
  return 1
}

stop_registries() {
  local pid
  for pid in "${registry_pids[@]}"; do
    kill "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  registry_pids=()
}
