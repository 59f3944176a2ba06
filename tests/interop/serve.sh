# shellcheck shell=bash
# Sourced by scripts that need servers: starts them, waits for them, stops only them.

servers=()
trap 'stop_servers' EXIT

# serve LOG COMMAND...: starts a server and sets `url` to the first address that it prints.
serve() {
  local log=$1
  shift
  # The address of an earlier run must not be taken for this one's.
  : >"$log"
  "$@" >>"$log" 2>&1 </dev/null &
  servers+=($!)
  for _ in $(seq 100); do
    url=$(grep -om1 'http://127\.0\.0\.1:[0-9]*' "$log" || true)
    [ -n "$url" ] && return
    sleep 0.1
  done
  echo "no server after 10 s: $*" >&2
  cat "$log" >&2
  return 1
}

stop_servers() {
  [ ${#servers[@]} -eq 0 ] || kill "${servers[@]}" 2>/dev/null || true
}
