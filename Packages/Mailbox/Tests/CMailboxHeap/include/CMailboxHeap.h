// CMailboxHeap: what the allocator says of itself, for tests.
#ifndef C_MAILBOX_HEAP_H
#define C_MAILBOX_HEAP_H
#include <stddef.h>

// Bytes that the process has allocated and not freed.
size_t mailbox_heap_bytes(void);
// Bytes of the piece of memory that was given out for an object.
size_t mailbox_heap_bytes_of(const void *object);

#endif
