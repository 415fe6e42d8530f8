// Shared by the C references: clock, histogram, pinning and error exit.
#ifndef ANCHOR_H
#define ANCHOR_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static inline uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static inline void die(const char *what) {
    perror(what);
    exit(1);
}

// Pins the calling thread to one core; -1 leaves it where it is.
static inline void pin(int cpu) {
    if (cpu < 0) return;
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    if (sched_setaffinity(0, sizeof set, &set)) die("sched_setaffinity");
}

// Raises the open file limit to the hard limit.
static inline void raise_nofile(void) {
    struct rlimit r;
    getrlimit(RLIMIT_NOFILE, &r);
    r.rlim_cur = r.rlim_max;
    setrlimit(RLIMIT_NOFILE, &r);
}

// Log-linear histogram in the manner of HdrHistogram: 64 steps to each power of
// two, so a value is known to within 1.6 %. Covers the whole uint64_t range.
#define HIST_BUCKETS (60 * 64)
typedef struct {
    uint64_t count, max, min, sum;
    uint64_t bucket[HIST_BUCKETS];
} hist;

static inline void hist_reset(hist *h) {
    memset(h, 0, sizeof *h);
    h->min = UINT64_MAX;
}

static inline void hist_add_n(hist *h, uint64_t v, uint64_t n) {
    unsigned i;
    if (v < 128) {
        i = (unsigned)v;
    } else {
        unsigned shift = 63u - (unsigned)__builtin_clzll(v) - 6u;
        i = (shift << 6) + (unsigned)(v >> shift);
    }
    h->bucket[i] += n;
    h->count += n;
    h->sum += v * n;
    if (v > h->max) h->max = v;
    if (v < h->min) h->min = v;
}

static inline void hist_add(hist *h, uint64_t v) { hist_add_n(h, v, 1); }

// The value at quantile q (0..1), as the middle of its bucket.
static inline uint64_t hist_at(const hist *h, double q) {
    if (!h->count) return 0;
    uint64_t want = (uint64_t)(q * (double)h->count), seen = 0;
    if (want >= h->count) want = h->count - 1;
    for (unsigned i = 0; i < HIST_BUCKETS; i++) {
        seen += h->bucket[i];
        if (seen > want) {
            if (i < 128) return i;
            unsigned shift = (i >> 6) - 1;
            uint64_t low = (uint64_t)((i & 63) + 64) << shift;
            uint64_t mid = low + ((1ull << shift) >> 1);
            return mid < h->max ? mid : h->max;
        }
    }
    return h->max;
}

#endif
