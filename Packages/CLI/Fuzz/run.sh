#!/bin/sh
# Builds the fuzzer for the RESP parser and runs it: run.sh [RUNS], 1,000,000 by default.
# SEED chooses libFuzzer's seed; BUILD is the folder for the program and its corpus.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
runs=${1:-1000000}
build=${BUILD:-"$here/../.build/fuzz"}
mkdir -p "$build/corpus"
cd "$build"
sources="$here/../Sources/SkeinRESP"
swiftc -O -wmo -g -swift-version 6 -strict-memory-safety -parse-as-library -sanitize=fuzzer,address \
  -module-name FuzzRESP -o fuzz-resp "$sources"/*.swift "$sources"/*/*.swift "$here/FuzzRESP.swift"
# Nearly every allocation of a run is freed within it: a small quarantine, and short stacks, double the rate.
export ASAN_OPTIONS="quarantine_size_mb=8:thread_local_quarantine_size_kb=256:malloc_context_size=3"
exec ./fuzz-resp -runs="$runs" -seed="${SEED:-1}" -max_len=300 -dict="$here/resp.dict" -artifact_prefix=./ \
  -print_final_stats=1 corpus
