#!/bin/sh
# Builds the fuzzer for requests and answers and runs it: run.sh [RUNS], 1,000,000 by default.
# SEED chooses libFuzzer's seed; BUILD is the folder for the program and its corpus.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
runs=${1:-1000000}
build=${BUILD:-"$here/../.build/fuzz"}
mkdir -p "$build/corpus" "$build/modules"
cd "$build"
platform="$here/../../Platform/Sources"
printf 'module CSkeinPlatform {\n  header "%s"\n  export *\n}\n' \
  "$platform/CSkeinPlatform/include/CSkeinPlatform.h" > modules/module.modulemap
clang -O -g -fsanitize=address -I "$platform/CSkeinPlatform/include" -c "$platform/CSkeinPlatform/CSkeinPlatform.c" \
  -o CSkeinPlatform.o
common="-O -wmo -g -swift-version 6 -strict-memory-safety -parse-as-library -I modules -I ."
# Of the platform layer, its clock and its error.
swiftc $common -sanitize=address -module-name SkeinPlatform -emit-module -emit-module-path SkeinPlatform.swiftmodule \
  -c -o SkeinPlatform.o "$platform/SkeinPlatform/MonotonicInstant.swift" "$platform/SkeinPlatform/SystemCallError.swift"
sources="$here/../Sources/SkeinCluster"
swiftc $common -sanitize=fuzzer,address -module-name FuzzCluster -o fuzz-cluster \
  "$sources"/Wire/*.swift "$sources"/Internal/*.swift "$sources"/Link/*.swift "$sources"/Acceptor/*.swift \
  "$here/FuzzCluster.swift" SkeinPlatform.o CSkeinPlatform.o
# Nearly every allocation of a run is freed within it: a small quarantine, and short stacks, double the rate.
export ASAN_OPTIONS="quarantine_size_mb=8:thread_local_quarantine_size_kb=256:malloc_context_size=3"
exec ./fuzz-cluster -runs="$runs" -seed="${SEED:-1}" -max_len=300 -dict="$here/cluster.dict" -artifact_prefix=./ \
  -print_final_stats=1 corpus
