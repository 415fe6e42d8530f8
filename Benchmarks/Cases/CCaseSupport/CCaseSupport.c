#define _GNU_SOURCE
#include "CCaseSupport.h"
#include <errno.h>
#include <malloc.h>
#include <sched.h>

size_t skein_heap_bytes(void) {
  struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

int skein_pin_thread(int core) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(core, &set);
  return sched_setaffinity(0, sizeof set, &set) ? errno : 0;
}
