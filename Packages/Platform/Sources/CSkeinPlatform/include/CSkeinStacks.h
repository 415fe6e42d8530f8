// The stack of another thread, the names of its functions, and a wait that another thread can end.
// Functions return 0 or -errno where nothing else is said.
#ifndef CSKEINSTACKS_H
#define CSKEINSTACKS_H

#include <stddef.h>
#include <stdint.h>

enum { SKEIN_STACK_DEPTH = 64, SKEIN_STACK_WORDS = 256 };
typedef struct {
  int32_t depth;
  int32_t word_count;
  uintptr_t addresses[SKEIN_STACK_DEPTH]; // innermost first: where it is, then return addresses
  uintptr_t words[SKEIN_STACK_WORDS];     // what lies on the stack below the first frame record
} skein_stack;

// Lets the calling thread's stack be taken; the first call in the process installs the signal's handler.
int skein_stack_prepare(void);
// Stops a prepared thread of this process and takes its stack. 0: it stands still until skein_stack_release.
// -ETIMEDOUT: it did not answer. One at a time; others wait here.
int skein_stack_take(int32_t thread, skein_stack *_Nonnull stack, int64_t timeout_ns);
void skein_stack_release(void);

// The function that contains an address, by the symbols of its file; 1 when found.
int skein_symbol_find(uintptr_t address, char *_Nonnull name, size_t size, uintptr_t *_Nonnull offset);
// Whether an address is code that a call instruction comes before.
int skein_is_return_address(uintptr_t address);
// A Swift name in readable form, to be freed; NULL when it is none.
char *_Nullable skein_symbol_demangle(const char *_Nonnull name);

// Orders this thread's writes before, and its reads after, against every other thread of the process.
int skein_process_barrier(void);

// Waits until `fd` (-1: none) has one of `events` (of poll), or `interrupt` is readable, or the deadline.
// The events of `fd` that are there, with bit 16 set when `interrupt` is readable; 0 at the deadline.
int skein_poll_interruptibly(int fd, int16_t events, int interrupt, int64_t deadline_ns); // < 0: none

#endif
