#!/bin/sh
# Builds and runs the probe behind ADR-0002: one word for claiming and scheduling, beside the other ways.
set -eu
cd "$(dirname "$0")"
swift build -c release --quiet
echo "$(uname -sr), $(nproc) cores, load $(cut -d' ' -f1-3 /proc/loadavg), $(swift --version 2>/dev/null | head -1)"
exec "$(swift build -c release --show-bin-path)/mailbox-word"
