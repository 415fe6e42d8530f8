// Swift's Glibc module leaves malloc.h out.
#ifndef CHEAP_H
#define CHEAP_H

#include <stddef.h>

/// Bytes allocated and not freed, with the allocator's own overhead.
size_t skein_heap_bytes(void);

#endif
