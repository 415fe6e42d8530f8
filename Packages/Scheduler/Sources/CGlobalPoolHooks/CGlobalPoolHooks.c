#define _GNU_SOURCE
#include "CGlobalPoolHooks.h"

#include <dlfcn.h>
#include <execinfo.h>
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

// The first job's stack, written by its thread alone; `first_depth` publishes it.
static void *first_stack[64];
static atomic_int first_depth;

static void note_job(void) {
  // Relaxed: one thread gets 0 back.
  if (atomic_fetch_add_explicit(&count, 1, memory_order_relaxed) != 0) return;
  int depth = backtrace(first_stack, 64);
  // Release: publishes the stack; pairs with the acquire in `global_pool_hooks_write_first`.
  atomic_store_explicit(&first_depth, depth, memory_order_release);
}

static SWIFTCALL void on_enqueue(void *job, enqueue_original original) {
  note_job();
  original(job);
}
static SWIFTCALL void on_delay(unsigned long long delay, void *job, delay_original original) {
  note_job();
  original(delay, job);
}
static SWIFTCALL void on_deadline(
    long long seconds, long long nanoseconds, long long tolerance_seconds, long long tolerance_nanoseconds, int clock,
    void *job, deadline_original original) {
  note_job();
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

int64_t global_pool_hooks_count(void) {
  // Acquire: a count that somebody waits for through something else is only read.
  return atomic_load_explicit(&count, memory_order_acquire);
}

void global_pool_hooks_write_first(int descriptor) {
  // Acquire: pairs with the release in `note_job`.
  int depth = atomic_load_explicit(&first_depth, memory_order_acquire);
  if (depth > 0) backtrace_symbols_fd(first_stack, depth, descriptor);
}
