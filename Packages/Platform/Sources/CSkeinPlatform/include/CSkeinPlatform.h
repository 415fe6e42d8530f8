// What Swift cannot import or must not inline: system calls with variadic or macro
// interfaces, socket functions, thread-local slots and sanitizer annotations.
// Every function returns what the kernel returned, with -errno instead of -1.
#ifndef CSKEINPLATFORM_H
#define CSKEINPLATFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "CSkeinStacks.h"

// MARK: Thread-local slots
// Read in a function that is not inlined: the optimizer may keep a thread-local's
// address across a suspension after which the code runs on another thread.
enum { SKEIN_THREAD_SLOTS = 4 };
void *_Nullable skein_thread_slot_get(uint32_t slot);
void skein_thread_slot_set(uint32_t slot, void *_Nullable value);

// MARK: The running task
// Which Swift task the thread runs, to compare with others; the runtime's own question, which compiled Swift asks too.
__attribute__((swiftcall)) void *_Nullable swift_task_getCurrent(void);
static inline uintptr_t skein_current_task(void) { return (uintptr_t)swift_task_getCurrent(); }

// MARK: Futex and clock
int skein_futex_wait(const uint32_t *_Nonnull word, uint32_t expected, int64_t deadline_ns); // absolute CLOCK_MONOTONIC; < 0: none
int skein_futex_wake(const uint32_t *_Nonnull word, int32_t count);
int64_t skein_monotonic_ns(void); // the calling thread's virtual clock, if it has one
int64_t skein_approximate_ns(void); // the same, from the processor's counter of time
const int64_t *_Nullable skein_virtual_clock_set(const int64_t *_Nullable clock); // returns the one before

// MARK: Threads
int skein_thread_set_name(const char *_Nonnull name);
int skein_thread_set_timer_slack(uint64_t nanoseconds);
int32_t skein_thread_id(void);
void skein_cpu_relax(void);
void skein_thread_yield(void);

// MARK: Errors
const char *_Nonnull skein_error_text(int number, char *_Nonnull buffer, size_t size);

// MARK: Descriptors
int skein_close(int fd);
int skein_eventfd(void);
int skein_eventfd_signal(int fd);
int skein_eventfd_clear(int fd);
int skein_timerfd(void);
int skein_timerfd_arm(int fd, int64_t deadline_ns); // absolute CLOCK_MONOTONIC; < 0 disarms
int skein_timerfd_clear(int fd);

// MARK: epoll
typedef struct {
  uint32_t events;
  uint64_t token;
} skein_epoll_event;
enum {
  SKEIN_EPOLL_IN = 0x001, SKEIN_EPOLL_OUT = 0x004, SKEIN_EPOLL_ERR = 0x008,
  SKEIN_EPOLL_HUP = 0x010, SKEIN_EPOLL_RDHUP = 0x2000
};
int skein_epoll_create(void);
int skein_epoll_add(int epfd, int fd, uint32_t events, uint64_t token);
int skein_epoll_modify(int epfd, int fd, uint32_t events, uint64_t token);
int skein_epoll_remove(int epfd, int fd);
int skein_epoll_wait(int epfd, skein_epoll_event *_Nonnull events, int capacity, int64_t timeout_ns); // < 0: for ever

// MARK: Sockets
int skein_socket_stream(int family); // non-blocking, close-on-exec
int skein_socket_accept(int fd, struct sockaddr_storage *_Nonnull peer); // non-blocking, close-on-exec
int skein_socket_bind(int fd, const struct sockaddr_storage *_Nonnull address);
int skein_socket_listen(int fd, int backlog);
int skein_socket_connect(int fd, const struct sockaddr_storage *_Nonnull address);
int skein_socket_local(int fd, struct sockaddr_storage *_Nonnull address);
int skein_socket_peer(int fd, struct sockaddr_storage *_Nonnull address);
socklen_t skein_socket_address_length(const struct sockaddr_storage *_Nonnull address);
int skein_socket_set_option(int fd, int level, int name, int value);
int skein_socket_error(int fd); // SO_ERROR, read and cleared; >= 0
int skein_socket_shutdown_write(int fd);
int skein_socket_shutdown_read(int fd);
ssize_t skein_socket_receive(int fd, void *_Nonnull bytes, size_t count);
ssize_t skein_socket_send(int fd, const void *_Nonnull bytes, size_t count); // MSG_NOSIGNAL
int skein_socket_peer_ended(int fd);        // 1 when FIN or RST has come, unread input or not
int skein_socket_set_linger_reset(int fd); // SO_LINGER 0: the close sends RST

// MARK: Signals
int skein_signals_block(const int32_t *_Nonnull numbers, size_t count);
int skein_signals_wait(const int32_t *_Nonnull numbers, size_t count); // the number that came
int skein_ignore_sigpipe(void);

// MARK: Memory
int skein_memory_return_blocks(size_t bytes); // 1 when taken
void *_Nullable skein_memory_reserve(size_t bytes); // zeroes, given as they are touched; NULL when refused
void skein_memory_unreserve(void *_Nonnull base, size_t bytes);
void skein_memory_give_back(void *_Nonnull base, size_t bytes); // whole pages; they read as zeroes again
size_t skein_memory_page_size(void);

#endif
