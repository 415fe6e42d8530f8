#!/bin/sh
# Builds and runs the probe behind ADR-0001's choice of io_uring flags. Needs 2 cores and liburing-dev.
#   run.sh [PACKETS]
set -eu
cd "$(dirname "$0")"
packets=${1:-500}
binary=$(mktemp)
trap 'rm -f "$binary"' EXIT
cc -O2 -Wall -Wextra -D_GNU_SOURCE -o "$binary" takeover.c -luring -lpthread
echo "$(uname -sr), $(nproc) cores, load $(cut -d' ' -f1-3 /proc/loadavg)"
for handler in spin sleep; do
  for way in epoll default coop flag default-enter coop-enter flag-enter default-armed coop-armed coop-poll flag-nudge; do
    "$binary" "$way" "$handler" "$packets"
  done
done
for way in default coop flag; do "$binary" "$way" other "$packets"; done
for round in 1 2 3; do
  for flags in default coop flag; do "$binary" echo "$flags" 200000; done
done
