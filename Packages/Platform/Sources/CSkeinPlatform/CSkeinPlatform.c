#define _GNU_SOURCE
#include "CSkeinPlatform.h"

#include <stdatomic.h>

#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <linux/futex.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define RESULT(call)                                                                                                   \
  ({                                                                                                                   \
    __typeof__(call) outcome = (call);                                                                                 \
    outcome < 0 ? -errno : outcome;                                                                                    \
  })

// MARK: Thread-local slots

static _Thread_local void *slots[SKEIN_THREAD_SLOTS];

__attribute__((noinline)) void *skein_thread_slot_get(uint32_t slot) { return slots[slot]; }
__attribute__((noinline)) void skein_thread_slot_set(uint32_t slot, void *value) { slots[slot] = value; }

// MARK: Futex and clock

static struct timespec timespec_of(int64_t nanoseconds) {
  return (struct timespec){.tv_sec = nanoseconds / 1000000000, .tv_nsec = nanoseconds % 1000000000};
}

int skein_futex_wait(const uint32_t *word, uint32_t expected, int64_t deadline_ns) {
  struct timespec deadline = timespec_of(deadline_ns < 0 ? 0 : deadline_ns);
  // WAIT_BITSET takes an absolute time, where WAIT takes a duration.
  return RESULT((int)syscall(
      SYS_futex, word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, expected, deadline_ns < 0 ? NULL : &deadline, NULL,
      FUTEX_BITSET_MATCH_ANY));
}

int skein_futex_wake(const uint32_t *word, int32_t count) {
  return RESULT((int)syscall(SYS_futex, word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, count, NULL, NULL, 0));
}

static _Thread_local const int64_t *virtual_clock;

const int64_t *skein_virtual_clock_set(const int64_t *clock) {
  const int64_t *before = virtual_clock;
  virtual_clock = clock;
  return before;
}

int64_t skein_monotonic_ns(void) {
  if (__builtin_expect(virtual_clock != NULL, 0)) return *virtual_clock;
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

// The processor's counter runs at a constant rate that nobody tells. Each thread knows a reading of counter and clock
// from less than about a millisecond ago, and how many counts made a nanosecond since its first reading; the time since
// is the counts since, divided. Where that ran ahead of the clock it goes on from there, and slower until the next
// reading, so that time does not go back.
#if defined(__x86_64__)
#include <cpuid.h>
static uint64_t counter(void) { return __builtin_ia32_rdtsc(); }
static bool counter_is_constant(void) {
  unsigned a, b, c, d;
  return __get_cpuid(0x80000007, &a, &b, &c, &d) && (d & (1u << 8)) != 0;
}
#elif defined(__aarch64__)
static uint64_t counter(void) {
  uint64_t count;
  __asm__ volatile("mrs %0, cntvct_el0" : "=r"(count));
  return count;
}
static bool counter_is_constant(void) { return true; }
#else
static uint64_t counter(void) { return 0; }
static bool counter_is_constant(void) { return false; }
#endif

enum { COUNTS_PER_READING = 1 << 21 }; // below a millisecond for a counter above 2 GHz, a second for one of 2 MHz
static _Thread_local struct {
  uint64_t first_count, count; // of the thread's first reading, and of its last
  int64_t first_ns, ns;
  uint64_t rate; // nanoseconds a count, times 2^32; 0 while it is not known
} reading;

static int64_t time_of(uint64_t count) {
  return reading.ns + (int64_t)(((unsigned __int128)(count - reading.count) * reading.rate) >> 32);
}

// More than five microseconds; as long as the rate is not known, of a counter of 3 GHz.
static bool gap_is_long(uint64_t counts) {
  return reading.rate == 0 ? counts > 1 << 14 : ((unsigned __int128)counts * reading.rate >> 32) > 5000;
}

// Asked once: where a hypervisor answers, the question costs more than the clock.
static bool counter_serves(void) {
  static _Atomic int known; // 1: yes, 2: no
  // Relaxed: whoever does not see the answer asks again and gets the same.
  int answer = atomic_load_explicit(&known, memory_order_relaxed);
  if (answer == 0) {
    answer = counter_is_constant() ? 1 : 2;
    // Relaxed: as above.
    atomic_store_explicit(&known, answer, memory_order_relaxed);
  }
  return answer == 1;
}

__attribute__((noinline)) static int64_t take_reading(void) {
  if (!counter_serves()) return skein_monotonic_ns();
  uint64_t before, count;
  int64_t ns;
  int tries = 0;
  do { // a thread that was put aside between the two has no reading
    before = counter();
    ns = skein_monotonic_ns();
    count = counter();
  } while (gap_is_long(count - before) && ++tries < 16);
  if (reading.first_count == 0 || count < reading.count) { // or set back, as when a virtual machine has moved
    reading.first_count = reading.count = count;
    reading.first_ns = reading.ns = ns;
    reading.rate = 0;
    return ns;
  }
  int64_t ahead = reading.rate == 0 ? 0 : time_of(count) - ns, passed = ns - reading.first_ns;
  if (passed >= 1000000) {
    uint64_t rate = (uint64_t)(((unsigned __int128)passed << 32) / (count - reading.first_count));
    int64_t next = (int64_t)((COUNTS_PER_READING * rate) >> 32);
    if (ahead < 0 || ahead > next / 2) ahead = 0;
    reading.rate = rate - (uint64_t)((unsigned __int128)rate * (uint64_t)ahead / (uint64_t)next);
  }
  reading.count = count;
  reading.ns = ns + (reading.rate == 0 ? 0 : ahead);
  return reading.ns;
}

int64_t skein_approximate_ns(void) {
  if (__builtin_expect(virtual_clock != NULL, 0)) return *virtual_clock;
  uint64_t count = counter(), since = count - reading.count;
  if (__builtin_expect(since >= COUNTS_PER_READING || reading.rate == 0, 0)) return take_reading();
  // Below 2^21 counts and, above 2 MHz, 2^9 nanoseconds a count: the product fits.
  return reading.ns + (int64_t)((since * reading.rate) >> 32);
}

// MARK: Threads

int skein_thread_set_name(const char *name) { return -pthread_setname_np(pthread_self(), name); }
int skein_thread_set_timer_slack(uint64_t nanoseconds) { return RESULT(prctl(PR_SET_TIMERSLACK, nanoseconds)); }
int32_t skein_thread_id(void) { return (int32_t)syscall(SYS_gettid); }
void skein_thread_yield(void) { sched_yield(); }
void skein_cpu_relax(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ __volatile__("yield");
#endif
}

// MARK: Errors

const char *skein_error_text(int number, char *buffer, size_t size) { return strerror_r(number, buffer, size); }

// MARK: Descriptors

int skein_close(int fd) { return RESULT(close(fd)); }
int skein_eventfd(void) { return RESULT(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)); }
int skein_eventfd_signal(int fd) {
  uint64_t one = 1;
  return RESULT((int)write(fd, &one, sizeof one));
}
int skein_eventfd_clear(int fd) {
  uint64_t count;
  return RESULT((int)read(fd, &count, sizeof count));
}
int skein_timerfd(void) { return RESULT(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)); }
int skein_timerfd_arm(int fd, int64_t deadline_ns) {
  struct itimerspec spec = {0};
  // A zero value would disarm, so the past becomes the first nanosecond.
  if (deadline_ns >= 0) spec.it_value = timespec_of(deadline_ns == 0 ? 1 : deadline_ns);
  return RESULT(timerfd_settime(fd, TFD_TIMER_ABSTIME, &spec, NULL));
}
int skein_timerfd_clear(int fd) { return skein_eventfd_clear(fd); }

// MARK: epoll

int skein_epoll_create(void) { return RESULT(epoll_create1(EPOLL_CLOEXEC)); }

static int epoll_control(int epfd, int operation, int fd, uint32_t events, uint64_t token) {
  struct epoll_event event = {.events = events, .data.u64 = token};
  return RESULT(epoll_ctl(epfd, operation, fd, &event));
}
int skein_epoll_add(int epfd, int fd, uint32_t events, uint64_t token) {
  return epoll_control(epfd, EPOLL_CTL_ADD, fd, events, token);
}
int skein_epoll_modify(int epfd, int fd, uint32_t events, uint64_t token) {
  return epoll_control(epfd, EPOLL_CTL_MOD, fd, events, token);
}
int skein_epoll_remove(int epfd, int fd) { return epoll_control(epfd, EPOLL_CTL_DEL, fd, 0, 0); }

int skein_epoll_wait(int epfd, skein_epoll_event *events, int capacity, int64_t timeout_ns) {
  // The kernel's structure is packed and Swift cannot import packed fields: copied here.
  struct epoll_event buffer[128];
  if (capacity > 128) capacity = 128;
  struct timespec timeout = timespec_of(timeout_ns < 0 ? 0 : timeout_ns);
  int count = epoll_pwait2(epfd, buffer, capacity, timeout_ns < 0 ? NULL : &timeout, NULL);
  if (count < 0) return -errno;
  for (int i = 0; i < count; i++) events[i] = (skein_epoll_event){buffer[i].events, buffer[i].data.u64};
  return count;
}

// MARK: Sockets

int skein_socket_stream(int family) { return RESULT(socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)); }
int skein_socket_accept(int fd, struct sockaddr_storage *peer) {
  socklen_t length = sizeof *peer;
  return RESULT(accept4(fd, (struct sockaddr *)peer, &length, SOCK_NONBLOCK | SOCK_CLOEXEC));
}
socklen_t skein_socket_address_length(const struct sockaddr_storage *address) {
  switch (address->ss_family) {
  case AF_INET: return sizeof(struct sockaddr_in);
  case AF_INET6: return sizeof(struct sockaddr_in6);
  case AF_UNIX: return sizeof(struct sockaddr_un);
  default: return sizeof *address;
  }
}
int skein_socket_bind(int fd, const struct sockaddr_storage *address) {
  return RESULT(bind(fd, (const struct sockaddr *)address, skein_socket_address_length(address)));
}
int skein_socket_listen(int fd, int backlog) { return RESULT(listen(fd, backlog)); }
int skein_socket_connect(int fd, const struct sockaddr_storage *address) {
  return RESULT(connect(fd, (const struct sockaddr *)address, skein_socket_address_length(address)));
}
int skein_socket_local(int fd, struct sockaddr_storage *address) {
  socklen_t length = sizeof *address;
  return RESULT(getsockname(fd, (struct sockaddr *)address, &length));
}
int skein_socket_peer(int fd, struct sockaddr_storage *address) {
  socklen_t length = sizeof *address;
  return RESULT(getpeername(fd, (struct sockaddr *)address, &length));
}
int skein_socket_set_option(int fd, int level, int name, int value) {
  return RESULT(setsockopt(fd, level, name, &value, sizeof value));
}
int skein_socket_error(int fd) {
  int error = 0;
  socklen_t length = sizeof error;
  return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0 ? errno : error;
}
int skein_socket_shutdown_write(int fd) { return RESULT(shutdown(fd, SHUT_WR)); }
int skein_socket_shutdown_read(int fd) { return RESULT(shutdown(fd, SHUT_RD)); }
ssize_t skein_socket_receive(int fd, void *bytes, size_t count) { return RESULT(recv(fd, bytes, count, MSG_DONTWAIT)); }
ssize_t skein_socket_send(int fd, const void *bytes, size_t count) {
  return RESULT(send(fd, bytes, count, MSG_NOSIGNAL | MSG_DONTWAIT));
}
int skein_socket_peer_ended(int fd) {
  struct pollfd one = {.fd = fd, .events = POLLRDHUP};
  return poll(&one, 1, 0) == 1 && (one.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

int skein_socket_set_linger_reset(int fd) {
  struct linger linger = {.l_onoff = 1, .l_linger = 0};
  return RESULT(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger));
}

// MARK: Signals

static sigset_t set_of(const int32_t *numbers, size_t count) {
  sigset_t set;
  sigemptyset(&set);
  for (size_t i = 0; i < count; i++) sigaddset(&set, numbers[i]);
  return set;
}
int skein_signals_block(const int32_t *numbers, size_t count) {
  sigset_t set = set_of(numbers, count);
  return -pthread_sigmask(SIG_BLOCK, &set, NULL);
}
int skein_signals_wait(const int32_t *numbers, size_t count) {
  sigset_t set = set_of(numbers, count);
  int number = 0;
  int failure = sigwait(&set, &number);
  return failure ? -failure : number;
}
int skein_ignore_sigpipe(void) { return signal(SIGPIPE, SIG_IGN) == SIG_ERR ? -errno : 0; }

// MARK: Memory

int skein_memory_return_blocks(size_t bytes) { return mallopt(M_MMAP_THRESHOLD, (int)bytes); }
void *skein_memory_reserve(size_t bytes) {
  void *base = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return base == MAP_FAILED ? NULL : base;
}
void skein_memory_unreserve(void *base, size_t bytes) { munmap(base, bytes); }
void skein_memory_give_back(void *base, size_t bytes) { madvise(base, bytes, MADV_DONTNEED); }
size_t skein_memory_page_size(void) { return (size_t)sysconf(_SC_PAGESIZE); }
