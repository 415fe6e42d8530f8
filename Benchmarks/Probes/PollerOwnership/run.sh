#!/bin/sh
# Builds and runs the probe behind ADR-0001's choice of who looks after a busy worker's poller. Needs 2 cores.
#   run.sh [PACKETS]
set -eu
cd "$(dirname "$0")"
packets=${1:-1000}
binary=$(mktemp)
trap 'rm -f "$binary"' EXIT
cc -O2 -Wall -Wextra -D_GNU_SOURCE -o "$binary" ownership.c -lpthread
echo "$(uname -sr), $(nproc) cores, load $(cut -d' ' -f1-3 /proc/loadavg)"
for way in watcher monitor nested dedicated; do "$binary" stuck "$way" "$packets"; done
for way in watcher monitor nested dedicated; do "$binary" idle "$way" "$packets"; done
"$binary" costs
