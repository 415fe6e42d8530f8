#include "CMailboxHeap.h"
#include <malloc.h>

size_t mailbox_heap_bytes(void) {
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

size_t mailbox_heap_bytes_of(const void *object) { return malloc_usable_size((void *)object); }
