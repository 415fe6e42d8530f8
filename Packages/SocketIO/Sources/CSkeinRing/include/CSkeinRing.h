// What liburing keeps in inline functions and unions: a ring with one group of provided
// buffers, requests and completions as plain structures. No policy.
// Every function that can fail returns -errno. None is thread-safe, save where it says so.
// Without SKEIN_IOURING nothing is defined and liburing is not needed.
#ifndef CSKEINRING_H
#define CSKEINRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct skein_ring skein_ring;

typedef struct {
  uint32_t submission_entries; // each a power of two
  uint32_t completion_entries;
  uint32_t buffer_count;
  uint32_t buffer_size;
} skein_ring_options;

// MARK: Life
int skein_ring_create(skein_ring_options options, skein_ring *_Nullable *_Nonnull ring);
void skein_ring_destroy(skein_ring *_Nonnull ring); // ends all requests before it returns

// MARK: Requests
typedef enum {
  SKEIN_RING_ACCEPT = 0,      // multishot; non-blocking, close-on-exec
  SKEIN_RING_RECEIVE = 1,     // multishot, into provided buffers
  SKEIN_RING_SEND = 2,        // MSG_NOSIGNAL; `address` is the bytes
  SKEIN_RING_SEND_PIECES = 3, // MSG_NOSIGNAL; `address` is a msghdr
  SKEIN_RING_POLL = 4,        // `argument` is the poll mask; once
  SKEIN_RING_POLL_EDGES = 5,  // the same at every edge, until cancelled
  SKEIN_RING_CONNECT = 6,     // `address` is a sockaddr, `length` its length
  SKEIN_RING_CANCEL = 7,      // the request whose token is `argument`
  SKEIN_RING_CANCEL_FD = 8,   // every request on `fd`
} skein_ring_kind;

typedef struct {
  uint64_t token; // comes back with each completion
  uint64_t argument;
  const void *_Nullable address;
  uint32_t length;
  int32_t fd;
  skein_ring_kind kind;
} skein_ring_request;

bool skein_ring_push(skein_ring *_Nonnull ring, skein_ring_request request); // false: the queue is full
uint32_t skein_ring_unsubmitted(const skein_ring *_Nonnull ring);
int skein_ring_submit(skein_ring *_Nonnull ring);
// Every submitted request on `fd`, so that none touches memory after this; their completions follow.
int skein_ring_cancel_now(skein_ring *_Nonnull ring, int fd);

// MARK: Completions
typedef struct {
  uint64_t token;
  int32_t result;
  int32_t buffer; // the buffer that was filled, else -1
  bool more;      // the request goes on
} skein_ring_completion;

// Takes up to `capacity` completions from the queue in memory.
uint32_t skein_ring_take(skein_ring *_Nonnull ring, skein_ring_completion *_Nonnull completions, uint32_t capacity);
bool skein_ring_ready(const skein_ring *_Nonnull ring);     // a completion can be taken
bool skein_ring_overflown(const skein_ring *_Nonnull ring); // the kernel keeps more than fit
// A thread that submitted has work of this ring to do when it next passes through the kernel.
bool skein_ring_work_pends(const skein_ring *_Nonnull ring);
// Does the calling thread's own such work, and brings what did not fit.
int skein_ring_do_own_work(skein_ring *_Nonnull ring);

// Waits for a completion; < 0: for ever. Touches neither queue: other threads may submit and take meanwhile.
int skein_ring_wait(const skein_ring *_Nonnull ring, int64_t timeout_ns);

// MARK: Nudging
int skein_ring_nudge_prepare(void); // once before the first nudge
// Interrupts every running thread of the process once, so that each does such work. Any thread.
int skein_ring_nudge(void);

// A number for the calling thread that no other living thread has.
uintptr_t skein_ring_thread(void);

// MARK: Provided buffers
const void *_Nonnull skein_ring_buffer(const skein_ring *_Nonnull ring, int32_t buffer);
void skein_ring_recycle(skein_ring *_Nonnull ring, int32_t buffer); // at once at the kernel's disposal

// MARK: Probe
// Whether the kernel knows all requests and modes that are used here: 0, else -errno of what failed,
// with the name of the call in `call`.
int skein_ring_probe(const char *_Nullable *_Nonnull call);

#endif
