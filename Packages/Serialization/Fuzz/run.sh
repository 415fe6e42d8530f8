#!/bin/sh
# Builds the fuzzer for the reader of messages and runs it: run.sh [RUNS], 1,000,000 by default.
# SEED chooses libFuzzer's seed; BUILD is the folder for the programs and their corpus. Nine tenths of the runs are with
# AddressSanitizer, and the rest without it, counting the heap.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
runs=${1:-1000000}
build=${BUILD:-"$here/../.build/fuzz"}
mkdir -p "$build/corpus"
cd "$build"
# One module of all sources: the JSON's own import of the other is left out.
sources="$here/../Sources/SkeinSerialization"
mkdir -p json
for file in "$here"/../Sources/SkeinTaggedJSON/*.swift; do
  sed '/^\(public\|internal\) import SkeinSerialization$/d' "$file" >"json/$(basename "$file")"
done
compile() { # OUTPUT OPTIONS…
  output=$1
  shift
  swiftc -O -wmo -g -swift-version 6 -strict-memory-safety -enable-upcoming-feature NonisolatedNonsendingByDefault \
    -parse-as-library -module-name FuzzSeri -o "$output" "$@" \
    "$sources"/*.swift "$sources"/*/*.swift json/*.swift "$here/FuzzSeri.swift"
}
support="$here/../Tests/CSeriTestSupport"
clang -O2 -c -o heap.o -I "$support/include" "$support/heap.c"
compile fuzz-seri -sanitize=fuzzer,address
compile fuzz-seri-plain -sanitize=fuzzer -D PLAIN -import-objc-header "$support/include/CSeriTestSupport.h" heap.o
# Nearly every allocation of a run is freed within it: a small quarantine, and short stacks, double the rate.
export ASAN_OPTIONS="quarantine_size_mb=8:thread_local_quarantine_size_kb=256:malloc_context_size=3"
fuzz() { # PROGRAM RUNS
  "./$1" -runs="$2" -seed="${SEED:-1}" -max_len=400 -len_control=20 -dict="$here/seri.dict" -artifact_prefix=./ -print_final_stats=1 corpus
}
fuzz fuzz-seri $((runs - runs / 10))
fuzz fuzz-seri-plain $((runs / 10))
