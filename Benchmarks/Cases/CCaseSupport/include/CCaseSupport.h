// What Swift's Glibc module leaves out.
#ifndef CCASESUPPORT_H
#define CCASESUPPORT_H

#include <stddef.h>

/// Bytes allocated and not freed, with the allocator's own overhead.
size_t skein_heap_bytes(void);

/// Keeps the calling thread on one core; returns 0, or an errno.
int skein_pin_thread(int core);

#endif
