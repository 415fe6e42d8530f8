#!/bin/sh
# Builds and runs the probe behind ADR-0003: what each step of a call costs, in place, queued and suspended.
set -eu
cd "$(dirname "$0")"
swift build -c release --quiet
echo "$(uname -sr), $(nproc) cores, load $(cut -d' ' -f1-3 /proc/loadavg), $(swift --version 2>/dev/null | head -1)"
exec "$(swift build -c release --show-bin-path)/call-cost"
