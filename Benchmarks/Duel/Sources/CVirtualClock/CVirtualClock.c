#define _GNU_SOURCE
#include "CVirtualClock.h"
#include <stdatomic.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { STEP_NS = 20 };

// 0 until the virtual clock is used.
static _Atomic int64_t nanoseconds;

// Takes the place of the C library's in this program. Hidden, so that the libraries keep the true clock: they wait for
// moments of it.
__attribute__((visibility("hidden"))) int clock_gettime(clockid_t clock, struct timespec *time) {
  // Relaxed: the number alone is read.
  if (clock != CLOCK_MONOTONIC || atomic_load_explicit(&nanoseconds, memory_order_relaxed) == 0)
    return (int)syscall(SYS_clock_gettime, clock, time);
  // Relaxed: two readers get two times, and nothing else depends on it.
  int64_t now = atomic_fetch_add_explicit(&nanoseconds, STEP_NS, memory_order_relaxed);
  time->tv_sec = now / 1000000000;
  time->tv_nsec = now % 1000000000;
  return 0;
}

void skein_use_virtual_clock(void) {
  struct timespec time;
  syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &time);
  // Relaxed: called before there are other threads.
  atomic_store_explicit(&nanoseconds, time.tv_sec * 1000000000 + time.tv_nsec, memory_order_relaxed);
}
