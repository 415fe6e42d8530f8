# Shared by every script here: where the clone is, progress lines, packages of the system, timed steps.
# Sourced, never run:  source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck shell=bash

set -euo pipefail

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)"
LOGS="$ROOT/.build-logs"
cd "$ROOT"

# What failed, line by line, of all steps; a script that another one of these started adds to the same list.
if [ -z "${SKEIN_FAILURES:-}" ]; then
  export SKEIN_FAILURES="$LOGS/failures"
  mkdir -p "$LOGS"
  : >"$SKEIN_FAILURES"
fi

# MARK: Progress

# note TEXT…: one line of progress, with the time of day and the seconds since this script began.
note() {
  printf '[%(%H:%M:%S)T +%4ds] %s\n' -1 "$SECONDS" "$*"
}

# die TEXT…: one line on standard error, and the end.
die() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# MARK: The system

# apt_needs PACKAGE…: installs what is missing, and says so.
apt_needs() {
  local package missing=()
  for package in "$@"; do
    dpkg-query --show --showformat '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed ||
      missing+=("$package")
  done
  if [ "${#missing[@]}" -eq 0 ]; then return 0; fi
  local sudo=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || die "not root and no sudo; please run: apt-get install ${missing[*]}"
    sudo=(sudo)
  fi
  note "installing with apt-get: ${missing[*]}"
  "${sudo[@]}" apt-get update -qq
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" \
    >/dev/null
}

# needs_swift: the toolchain is the one thing that nobody installs for you.
needs_swift() {
  command -v swift >/dev/null ||
    die "no swift in PATH; install the Swift 6.3 toolchain first: https://www.swift.org/install/linux/"
}

# layers_with FILE: the folders Packages/* that hold FILE, lowest layer first.
layers_with() {
  local layer known=(Platform ModelCheck Mailbox Timer Scheduler SocketIO Serialization Cluster Runtime)
  for layer in "${known[@]}"; do
    if [ -e "Packages/$layer/$1" ]; then printf '%s\n' "$layer"; fi
  done
  for layer in Packages/*/; do
    layer="${layer#Packages/}"
    layer="${layer%/}"
    if [[ " ${known[*]} " != *" $layer "* && -e "Packages/$layer/$1" ]]; then printf '%s\n' "$layer"; fi
  done
}

# MARK: Steps
#
# A step runs in a session of its own, so that a step that hangs is ended with everything it started (`swift test`
# leaves its test process behind when it is killed), and only that.

STEPS_PASSED=0
STEPS_FAILED=0
STEPS_REPORT=()
STEP_SESSION=

# end_session ID: kills every process of the session ID.
end_session() {
  local stat line rest pids=()
  for stat in /proc/[0-9]*/stat; do
    { read -r line <"$stat"; } 2>/dev/null || continue
    rest="${line##*) }" # after the command's name: state, parent, group, session …
    read -r _ _ _ rest _ <<<"$rest"
    if [ "$rest" = "$1" ]; then pids+=("${line%% *}"); fi
  done
  if [ "${#pids[@]}" -gt 0 ]; then kill -KILL "${pids[@]}" 2>/dev/null || true; fi
}

# interrupted: ends the step in progress with the script.
interrupted() {
  trap - INT TERM
  if [ -n "$STEP_SESSION" ]; then end_session "$STEP_SESSION"; fi
  note "interrupted"
  exit 130
}

# step NAME SECONDS COMMAND…: runs COMMAND with its output in .build-logs/NAME.log and a hard limit on its time.
# Never fails itself: failures are counted, shown with the end of their log, and reported by `summary`.
step() {
  local name="$1" limit="$2" status=0 began="$SECONDS" detail log
  shift 2
  log="$LOGS/${name//[^A-Za-z0-9_.-]/-}.log"
  mkdir -p "$LOGS"
  note "$name …"
  trap interrupted INT TERM
  # A background job of a script leads no process group, so setsid does not fork and its id is the session's.
  setsid timeout --signal=KILL "$limit" "$@" >"$log" 2>&1 </dev/null &
  STEP_SESSION=$!
  { wait "$STEP_SESSION" || status=$?; } 2>/dev/null # without the shell's own line about a kill
  end_session "$STEP_SESSION"
  STEP_SESSION=
  trap - INT TERM
  local took=$((SECONDS - began))
  detail="$(step_detail "$log")"
  if [ "$status" -eq 0 ]; then
    STEPS_PASSED=$((STEPS_PASSED + 1))
    STEPS_REPORT+=("passed  $(printf '%5ds  %-34s %s' "$took" "$name" "$detail")")
    note "$name: passed in ${took}s${detail:+; $detail}"
    return 0
  fi
  detail="status $status${detail:+, though: $detail}"
  if [ "$status" -eq 137 ] && [ "$took" -ge "$limit" ]; then detail="ended after its limit of ${limit}s, in: $(unfinished "$log")"; fi
  STEPS_FAILED=$((STEPS_FAILED + 1))
  STEPS_REPORT+=("FAILED  $(printf '%5ds  %-34s %s' "$took" "$name" "$detail")")
  failing "$log" | sed "s|^|$name: |" >>"$SKEIN_FAILURES"
  note "$name: FAILED with status $status in ${took}s; the end of ${log#"$ROOT"/}:"
  tail -n 60 "$log" | sed 's/^/    | /'
}

# step_shown NAME COMMAND…: a step that shows its own progress and bounds its own time.
step_shown() {
  local name="$1" status=0 began="$SECONDS"
  shift
  note "$name …"
  "$@" || status=$?
  local took=$((SECONDS - began))
  if [ "$status" -eq 0 ]; then
    STEPS_PASSED=$((STEPS_PASSED + 1))
    STEPS_REPORT+=("passed  $(printf '%5ds  %s' "$took" "$name")")
    note "$name: passed in ${took}s"
  else
    STEPS_FAILED=$((STEPS_FAILED + 1))
    STEPS_REPORT+=("FAILED  $(printf '%5ds  %s' "$took" "$name")")
    note "$name: FAILED with status $status in ${took}s"
  fi
}

# step_detail LOG: what the log itself says about counts, in one line.
step_detail() {
  local counts
  counts="$(grep -aoE 'Test run with [0-9]+ tests? in [0-9]+ suites? (passed|failed)' "$1" | tail -n 1)" || true
  if [ -z "$counts" ]; then counts="$(grep -aE '^[0-9]+ passed, [0-9]+ failed$' "$1" | tail -n 1)" || true; fi
  printf '%s' "${counts#Test run with }"
}

# unfinished LOG: the tests that began and did not end.
unfinished() {
  comm -23 <(grep -aoP '^◇ Test \K.*(?= started\.$)' "$1" | grep -av '^run$\|^case passing ' | sort) \
    <(grep -aoP '^[✔✘] Test \K.*?(?=( with \d+ test cases?)? (passed|failed) after )' "$1" | sort) | paste -sd ';'
}

# failing LOG: the issues that tests recorded, or the compiler's errors; the first twenty.
failing() {
  { grep -aE '^✘ Test .* recorded an issue|(^|: )error: ' "$1" || tail -n 3 "$1"; } | cut -c 1-400 | head -n 20
}

# summary: the closing report; its last line is 'N passed, N failed', and its status is 0 if nothing failed.
summary() {
  local line
  printf '\n%s: %ds in all; logs in .build-logs/\n' "${0##*/}" "$SECONDS"
  for line in "${STEPS_REPORT[@]}"; do printf '  %s\n' "$line"; done
  cat "$SKEIN_FAILURES"
  printf '%d passed, %d failed\n' "$STEPS_PASSED" "$STEPS_FAILED"
  [ "$STEPS_FAILED" -eq 0 ] && [ "$STEPS_PASSED" -gt 0 ]
}
