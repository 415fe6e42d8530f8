#define _GNU_SOURCE
#include "CGlobalPoolHooks.h"

#include <dlfcn.h>
#include <stdatomic.h>

// The runtime's hooks take the job, its deadline where there is one, and the original function, in that order and
// by Swift's calling convention.
#define SWIFTCALL __attribute__((swiftcall))
typedef SWIFTCALL void (*enqueue_original)(void *job);
typedef SWIFTCALL void (*delay_original)(unsigned long long delay, void *job);
typedef SWIFTCALL void (*deadline_original)(
    long long seconds, long long nanoseconds, long long tolerance_seconds, long long tolerance_nanoseconds, int clock,
    void *job);

static atomic_llong count;

static SWIFTCALL void on_enqueue(void *job, enqueue_original original) {
  atomic_fetch_add(&count, 1);
  original(job);
}
static SWIFTCALL void on_delay(unsigned long long delay, void *job, delay_original original) {
  atomic_fetch_add(&count, 1);
  original(delay, job);
}
static SWIFTCALL void on_deadline(
    long long seconds, long long nanoseconds, long long tolerance_seconds, long long tolerance_nanoseconds, int clock,
    void *job, deadline_original original) {
  atomic_fetch_add(&count, 1);
  original(seconds, nanoseconds, tolerance_seconds, tolerance_nanoseconds, clock, job);
}

int global_pool_hooks_install(void) {
  void **enqueue = dlsym(RTLD_DEFAULT, "swift_task_enqueueGlobal_hook");
  void **delay = dlsym(RTLD_DEFAULT, "swift_task_enqueueGlobalWithDelay_hook");
  void **deadline = dlsym(RTLD_DEFAULT, "swift_task_enqueueGlobalWithDeadline_hook");
  if (!enqueue || !delay || !deadline) return -1;
  *enqueue = (void *)on_enqueue;
  *delay = (void *)on_delay;
  *deadline = (void *)on_deadline;
  return 0;
}

int64_t global_pool_hooks_count(void) { return atomic_load(&count); }
