# What the scripts share. Sourced, not run: `source "$(dirname "$0")/common.sh"` also changes to the project's folder.

# Where every script works: the project's top folder, wherever it was called from.
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if [[ -t 1 && -z "${NO_COLOR:-}" ]]; then
  bold=$'\e[1m' plain=$'\e[0m'
else
  bold='' plain=''
fi

# One heading per stage, so that a reader of a log finds the place.
say() { printf '%s==> %s%s\n' "$bold" "$*" "$plain"; }

# fail CODE TEXT: one line on standard error, and out.
fail() {
  local code=$1
  shift
  printf 'error: %s\n' "$*" >&2
  exit "$code"
}

# quietly COMMAND…: shows the command's output only if it fails.
quietly() {
  local log status=0
  log=$(mktemp)
  "$@" >"$log" 2>&1 </dev/null || status=$?
  if ((status)); then
    tail -n 40 "$log" >&2
    rm -f "$log"
    fail 1 "'$*' ended with $status; its last lines are above"
  fi
  rm -f "$log"
}

require_swift() {
  command -v swift >/dev/null ||
    fail 1 "swift is not on the PATH; install Swift 6.2 or later from https://www.swift.org/install/linux/"
}

# Builds the release program and sets `convoy` to its path.
build_release() {
  require_swift
  swift build -c release --product convoy
  convoy="$(swift build -c release --show-bin-path)/convoy"
}
