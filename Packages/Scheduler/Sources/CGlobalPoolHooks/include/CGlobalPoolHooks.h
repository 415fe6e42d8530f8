// Counts the jobs that Swift's runtime hands to its global pool.
#ifndef CGLOBALPOOLHOOKS_H
#define CGLOBALPOOLHOOKS_H

#include <stdint.h>

/// Installs hooks that count and pass on. 0, or -1 when the runtime has no such hooks.
int global_pool_hooks_install(void);
/// Jobs that reached the global pool since the hooks were installed.
int64_t global_pool_hooks_count(void);
/// Writes the call stack of the first such job's enqueueing to a descriptor; nothing if there was none.
void global_pool_hooks_write_first(int descriptor);

#endif
