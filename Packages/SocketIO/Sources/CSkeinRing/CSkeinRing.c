#include "CSkeinRing.h"

#ifdef SKEIN_IOURING

#include <errno.h>
#include <liburing.h>
#include <linux/membarrier.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

struct skein_ring {
  struct io_uring ring;
  skein_ring_options options;
  struct io_uring_buf_ring *group;
  char *memory;
};

enum { BUFFER_GROUP = 0 };

// MARK: Life

// liburing maps memory past libc, so ThreadSanitizer takes a ring at an address where another one was for the same.
#if __has_feature(thread_sanitizer)
void __tsan_acquire(void *address);
void __tsan_release(void *address);
static char rings;
static void ring_begins(void) { __tsan_acquire(&rings); }
static void ring_ends(void) { __tsan_release(&rings); }
#else
static void ring_begins(void) {}
static void ring_ends(void) {}
#endif

static size_t group_bytes(const skein_ring *ring) { return ring->options.buffer_count * sizeof(struct io_uring_buf); }

// One line more than a buffer: the beginnings of buffers then do not compete for the same lines of the cache.
static size_t stride(const skein_ring *ring) { return ring->options.buffer_size + 64; }

static size_t memory_bytes(const skein_ring *ring) { return ring->options.buffer_count * stride(ring); }

static void *map(size_t bytes) {
  void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return memory == MAP_FAILED ? NULL : memory;
}

// By hand, since io_uring_setup_buf_ring came with liburing 2.4.
static int provide_buffers(skein_ring *ring) {
  ring->group = map(group_bytes(ring));
  ring->memory = map(memory_bytes(ring)); // its pages come when they are first filled
  if (!ring->group || !ring->memory) return -ENOMEM;
  struct io_uring_buf_reg registration = {
    .ring_addr = (uintptr_t)ring->group, .ring_entries = ring->options.buffer_count, .bgid = BUFFER_GROUP};
  int result = io_uring_register_buf_ring(&ring->ring, &registration, 0);
  if (result < 0) return result;
  for (uint32_t i = 0; i < ring->options.buffer_count; i++) skein_ring_recycle(ring, (int32_t)i);
  return 0;
}

int skein_ring_create(skein_ring_options options, skein_ring **result) {
  skein_ring *ring = calloc(1, sizeof *ring);
  if (!ring) return -ENOMEM;
  struct io_uring_params parameters = {
    .flags = IORING_SETUP_CQSIZE | IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG,
    .cq_entries = options.completion_entries};
  ring->options = options;
  int error = io_uring_queue_init_params(options.submission_entries, &ring->ring, &parameters);
  if (error < 0) {
    free(ring);
    return error;
  }
  ring_begins();
  io_uring_ring_dontfork(&ring->ring);
  unsigned needed = IORING_FEAT_NODROP | IORING_FEAT_EXT_ARG | IORING_FEAT_FAST_POLL;
  error = (parameters.features & needed) == needed ? provide_buffers(ring) : -EOPNOTSUPP;
  if (error < 0) {
    skein_ring_destroy(ring);
    return error;
  }
  *result = ring;
  return 0;
}

void skein_ring_destroy(skein_ring *ring) {
  // Closing the ring ends requests later, in the background: until then a listener's port would be taken.
  struct io_uring_sync_cancel_reg everything = {
    .flags = IORING_ASYNC_CANCEL_ANY | IORING_ASYNC_CANCEL_ALL, .timeout = {.tv_sec = 1}};
  io_uring_register_sync_cancel(&ring->ring, &everything);
  ring_ends();
  io_uring_queue_exit(&ring->ring);
  if (ring->group) munmap(ring->group, group_bytes(ring));
  if (ring->memory) munmap(ring->memory, memory_bytes(ring));
  free(ring);
}

// MARK: Requests

bool skein_ring_push(skein_ring *ring, skein_ring_request r) {
  struct io_uring_sqe *sqe = io_uring_get_sqe(&ring->ring);
  if (!sqe) return false;
  switch (r.kind) {
  case SKEIN_RING_ACCEPT:
    io_uring_prep_multishot_accept(sqe, r.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    break;
  case SKEIN_RING_RECEIVE:
    io_uring_prep_recv_multishot(sqe, r.fd, NULL, 0, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = BUFFER_GROUP;
    break;
  case SKEIN_RING_SEND: io_uring_prep_send(sqe, r.fd, r.address, r.length, MSG_NOSIGNAL); break;
  case SKEIN_RING_SEND_PIECES: io_uring_prep_sendmsg(sqe, r.fd, r.address, MSG_NOSIGNAL); break;
  case SKEIN_RING_POLL: io_uring_prep_poll_add(sqe, r.fd, (unsigned)r.argument); break;
  case SKEIN_RING_POLL_EDGES: io_uring_prep_poll_multishot(sqe, r.fd, (unsigned)r.argument); break;
  case SKEIN_RING_CONNECT: io_uring_prep_connect(sqe, r.fd, r.address, r.length); break;
  case SKEIN_RING_CANCEL: io_uring_prep_cancel64(sqe, r.argument, 0); break;
  case SKEIN_RING_CANCEL_FD: io_uring_prep_cancel_fd(sqe, r.fd, IORING_ASYNC_CANCEL_ALL); break;
  }
  sqe->user_data = r.token; // last: the preparation clears it
  return true;
}

uint32_t skein_ring_unsubmitted(const skein_ring *ring) { return io_uring_sq_ready(&ring->ring); }

int skein_ring_submit(skein_ring *ring) { return io_uring_submit(&ring->ring); }

int skein_ring_cancel_now(skein_ring *ring, int fd) {
  struct io_uring_sync_cancel_reg all = {
    .fd = fd, .flags = IORING_ASYNC_CANCEL_FD | IORING_ASYNC_CANCEL_ALL, .timeout = {.tv_sec = 1}};
  return io_uring_register_sync_cancel(&ring->ring, &all);
}

// MARK: Completions

uint32_t skein_ring_take(skein_ring *ring, skein_ring_completion *completions, uint32_t capacity) {
  unsigned head;
  uint32_t count = 0;
  struct io_uring_cqe *cqe;
  if (!capacity) return 0;
  io_uring_for_each_cqe(&ring->ring, head, cqe) {
    completions[count++] = (skein_ring_completion){
      .token = cqe->user_data, .result = cqe->res, .more = cqe->flags & IORING_CQE_F_MORE,
      .buffer = cqe->flags & IORING_CQE_F_BUFFER ? (int32_t)(cqe->flags >> IORING_CQE_BUFFER_SHIFT) : -1};
    if (count == capacity) break;
  }
  io_uring_cq_advance(&ring->ring, count);
  return count;
}

bool skein_ring_ready(const skein_ring *ring) { return io_uring_cq_ready(&ring->ring) != 0; }

bool skein_ring_overflown(const skein_ring *ring) {
  return IO_URING_READ_ONCE(*ring->ring.sq.kflags) & IORING_SQ_CQ_OVERFLOW;
}

bool skein_ring_work_pends(const skein_ring *ring) {
  return IO_URING_READ_ONCE(*ring->ring.sq.kflags) & IORING_SQ_TASKRUN;
}

int skein_ring_do_own_work(skein_ring *ring) { return io_uring_get_events(&ring->ring); }

int skein_ring_nudge_prepare(void) {
  return syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) < 0 ? -errno : 0;
}

int skein_ring_nudge(void) {
  return syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) < 0 ? -errno : 0;
}

int skein_ring_wait(const skein_ring *ring, int64_t timeout_ns) {
  struct __kernel_timespec timeout = {.tv_sec = timeout_ns / 1000000000, .tv_nsec = timeout_ns % 1000000000};
  struct io_uring_getevents_arg argument = {.ts = timeout_ns < 0 ? 0 : (uintptr_t)&timeout};
  return io_uring_enter2((unsigned)ring->ring.ring_fd, 0, 1, IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG,
    (sigset_t *)&argument, sizeof argument);
}

uintptr_t skein_ring_thread(void) {
  static _Thread_local char mark;
  return (uintptr_t)&mark;
}

// MARK: Provided buffers

const void *skein_ring_buffer(const skein_ring *ring, int32_t buffer) {
  return ring->memory + (size_t)buffer * stride(ring);
}

void skein_ring_recycle(skein_ring *ring, int32_t buffer) {
  int mask = io_uring_buf_ring_mask(ring->options.buffer_count);
  io_uring_buf_ring_add(ring->group, (void *)skein_ring_buffer(ring, buffer), ring->options.buffer_size,
    (unsigned short)buffer, mask, 0);
  io_uring_buf_ring_advance(ring->group, 1);
}

// MARK: Probe

int skein_ring_probe(const char **call) {
  *call = "membarrier";
  int error = skein_ring_nudge_prepare();
  if (error < 0) return error;
  *call = "io_uring_setup";
  skein_ring *ring;
  error = skein_ring_create((skein_ring_options){8, 16, 1, 4096}, &ring);
  if (error < 0) return error;
  *call = "io_uring_register(PROBE)";
  struct io_uring_probe *probe = io_uring_get_probe_ring(&ring->ring);
  // SEND_ZC came in the same release (6.0) as multishot receives, which no probe shows.
  static const int needed[] = {IORING_OP_ACCEPT, IORING_OP_RECV, IORING_OP_SEND, IORING_OP_SENDMSG,
    IORING_OP_POLL_ADD, IORING_OP_CONNECT, IORING_OP_ASYNC_CANCEL, IORING_OP_SEND_ZC};
  for (size_t i = 0; probe && i < sizeof needed / sizeof *needed; i++)
    if (!io_uring_opcode_supported(probe, needed[i])) error = -EOPNOTSUPP;
  if (!probe) error = -EINVAL;
  io_uring_free_probe(probe);
  skein_ring_destroy(ring);
  return error;
}

#endif
