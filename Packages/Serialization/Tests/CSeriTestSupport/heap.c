// The allocator's entry points, counted for each thread. The test program's symbols come before libc's.
#define _GNU_SOURCE
#include "CSeriTestSupport.h"

#include <errno.h>
#include <malloc.h>

#if defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif

static __thread int64_t held, start, peak, allocations;

int seri_heap_is_counted(void) {
#ifdef SANITIZED
    return 0;
#else
    return 1;
#endif
}

void seri_heap_begin(void) {
    start = peak = held;
    allocations = 0;
}

int64_t seri_heap_peak(void) { return peak - start; }
int64_t seri_heap_held(void) { return held - start; }
int64_t seri_heap_allocations(void) { return allocations; }

#ifndef SANITIZED
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

static void *count(void *made) {
    if (made) {
        allocations++;
        held += (int64_t)malloc_usable_size(made) + 8;
        if (held > peak) peak = held;
    }
    return made;
}

static void forget(void *old) {
    if (old) held -= (int64_t)malloc_usable_size(old) + 8;
}

void *malloc(size_t size) { return count(__libc_malloc(size)); }
void *calloc(size_t number, size_t size) { return count(__libc_calloc(number, size)); }
void *memalign(size_t alignment, size_t size) { return count(__libc_memalign(alignment, size)); }
void *aligned_alloc(size_t alignment, size_t size) { return count(__libc_memalign(alignment, size)); }

int posix_memalign(void **place, size_t alignment, size_t size) {
    void *made = count(__libc_memalign(alignment, size));
    if (!made) return ENOMEM;
    *place = made;
    return 0;
}

void *realloc(void *old, size_t size) {
    int64_t before = old ? (int64_t)malloc_usable_size(old) + 8 : 0;
    void *made = __libc_realloc(old, size);
    if (made || !size) held -= before;
    return count(made);
}

void free(void *old) {
    forget(old);
    __libc_free(old);
}
#endif
