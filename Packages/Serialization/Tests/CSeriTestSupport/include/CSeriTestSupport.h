// What the tests need and Swift has not: the greatest heap of a stretch of code, and SHA-256.
#pragma once
#include <stddef.h>
#include <stdint.h>

// Whether allocations are counted; a sanitizer has an allocator of its own.
int seri_heap_is_counted(void);
// From here on the calling thread's greatest heap is measured anew.
void seri_heap_begin(void);
// How many bytes the calling thread held at most since then, beyond what it held at the beginning.
int64_t seri_heap_peak(void);
// How many bytes it holds now, beyond what it held at the beginning.
int64_t seri_heap_held(void);
// How many allocations it made since then.
int64_t seri_heap_allocations(void);

void seri_sha256(const uint8_t *bytes, size_t count, uint8_t digest[32]);
