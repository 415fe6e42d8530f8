// How late does a received packet show while the thread that owns a ring is in a handler?
//
// The owner reaps its completions, then stays in a "handler" for 5 ms: it spins, or it
// sleeps in nanosleep. A second thread, the looker, looks every 250 us under the lock. A
// third one sends a packet that carries its time of sending every 1 to 3 ms. Owner on core
// 0, the other two on core 1. Time from send(2) until one of the two threads has the packet.
//
//   takeover WAY HANDLER [PACKETS]    one line: way, handler, p50, p99, max, who saw them
//   takeover echo FLAGS [MESSAGES]    CPU time of an echo server thread per message
//
// WAY      default, coop, flag   set-up flags: none, COOP_TASKRUN, COOP_TASKRUN | TASKRUN_FLAG;
//                                the owner arms the receive, the looker reads the CQ in memory
//          -enter  (suffix)      the looker also calls io_uring_enter(GETEVENTS)
//          -armed  (suffix)      the looker armed the receive, not the owner
//          -poll   (suffix)      the looker reads the CQ, then asks poll(2) and recv(2) itself;
//                                a request of the ring on the same socket may win the race, and
//                                then the bytes are in the wrong order: a number, not a way
//          -nudge  (suffix)      the looker calls membarrier(PRIVATE_EXPEDITED) when SQ_TASKRUN is
//                                set: its interrupt makes a spinning owner pass through the kernel,
//                                where its completions are made
//          epoll                 control: a shared epoll descriptor, no ring
// HANDLER  spin, sleep
//          other                 the owner waits in the ring on core 1; the receive was armed by a thread
//                                that spins on core 0 (worker B armed it for worker A's loop)
#include <arpa/inet.h>
#include <errno.h>
#include <linux/membarrier.h>
#include <liburing.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { BUFFERS = 64, BUFFER_SIZE = 2048, HANDLER_NS = 5000000, LOOK_NS = 250000, NUDGED_NS = 10000, MAX_PACKETS = 100000 };
enum { OWNER, LOOKER };

static struct io_uring ring;
static struct io_uring_buf_ring *buffers;
static char *memory;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int use_epoll, use_enter, use_poll, use_nudge, armed_by_looker, sleeping, other, packets = 500;
static int epoll_fd, receive_fd, send_fd;
static atomic_int armed, finished;
static int64_t late[MAX_PACKETS];
static int seen, seen_by[2];

static int64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void pause_ns(int64_t ns) {
    struct timespec t = {0, ns};
    while (clock_nanosleep(CLOCK_MONOTONIC, 0, &t, &t) == EINTR) {}
}

static void check(long result, const char *what) {
    if (result >= 0) return;
    fprintf(stderr, "%s: %s\n", what, strerror(errno ? errno : (int)-result));
    exit(1);
}

static void pin(int core) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(core, &set);
    check(sched_setaffinity(0, sizeof set, &set), "sched_setaffinity");
}

static void make_pair(int *a, int *b) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    check(bind(listener, (struct sockaddr *)&address, sizeof address), "bind");
    check(listen(listener, 1), "listen");
    check(getsockname(listener, (struct sockaddr *)&address, &length), "getsockname");
    *a = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    check(connect(*a, (struct sockaddr *)&address, sizeof address), "connect");
    check(*b = accept(listener, NULL, NULL), "accept");
    close(listener);
}

static void make_ring(unsigned flags) {
    struct io_uring_params parameters = {.flags = flags | IORING_SETUP_CQSIZE, .cq_entries = 1024};
    check(io_uring_queue_init_params(256, &ring, &parameters), "io_uring_queue_init_params");
    size_t ring_size = BUFFERS * sizeof(struct io_uring_buf);
    check(posix_memalign((void **)&buffers, 4096, ring_size) ? -1 : 0, "posix_memalign");
    memset(buffers, 0, ring_size);
    memory = malloc((size_t)BUFFERS * BUFFER_SIZE);
    struct io_uring_buf_reg registration = {.ring_addr = (uintptr_t)buffers, .ring_entries = BUFFERS};
    check(io_uring_register_buf_ring(&ring, &registration, 0), "io_uring_register_buf_ring");
    for (int i = 0; i < BUFFERS; i++)
        io_uring_buf_ring_add(buffers, memory + i * BUFFER_SIZE, BUFFER_SIZE, i, BUFFERS - 1, i);
    io_uring_buf_ring_advance(buffers, BUFFERS);
}

static void recycle(int id) {
    io_uring_buf_ring_add(buffers, memory + id * BUFFER_SIZE, BUFFER_SIZE, id, BUFFERS - 1, 0);
    io_uring_buf_ring_advance(buffers, 1);
}

static void arm(void) {
    struct io_uring_sqe *s = io_uring_get_sqe(&ring);
    io_uring_prep_recv_multishot(s, receive_fd, NULL, 0, 0);
    s->flags |= IOSQE_BUFFER_SELECT;
    s->buf_group = 0;
    check(io_uring_submit(&ring), "io_uring_submit");
}

static void take(const char *bytes, int count, int who) {
    for (int64_t now = now_ns(); count >= 8 && seen < packets; bytes += 8, count -= 8) {
        int64_t sent;
        memcpy(&sent, bytes, 8);
        late[seen++] = now - sent;
        seen_by[who]++;
    }
    if (seen == packets) finished = 1;
}

static void take_from_socket(int who) {
    char bytes[4096];
    ssize_t count = recv(receive_fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (count > 0) take(bytes, (int)count, who);
}

// Under the lock, by either thread.
static void look(int who) {
    if (use_epoll) {
        struct epoll_event event;
        if (epoll_wait(epoll_fd, &event, 1, 0) == 1) take_from_socket(who);
        return;
    }
    if (use_enter && who == LOOKER) io_uring_get_events(&ring);
    if (use_nudge && who == LOOKER && io_uring_cq_ready(&ring) == 0 && (*ring.sq.kflags & IORING_SQ_TASKRUN)) {
        syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
        for (int64_t end = now_ns() + NUDGED_NS; io_uring_cq_ready(&ring) == 0 && now_ns() < end;) {}
    }
    struct io_uring_cqe *c;
    while (io_uring_peek_cqe(&ring, &c) == 0) {
        if (c->res > 0) {
            int id = c->flags >> IORING_CQE_BUFFER_SHIFT;
            take(memory + id * BUFFER_SIZE, c->res, who);
            recycle(id);
        }
        int again = !(c->flags & IORING_CQE_F_MORE);
        io_uring_cqe_seen(&ring, c);
        if (again && !finished) arm();
    }
    if (use_poll && who == LOOKER) {
        struct pollfd p = {receive_fd, POLLIN, 0};
        if (poll(&p, 1, 0) == 1) take_from_socket(who);
    }
}

static void locked_look(int who) {
    pthread_mutex_lock(&lock);
    look(who);
    pthread_mutex_unlock(&lock);
}

static void *looker(void *unused) {
    pin(other ? 0 : 1);
    if (armed_by_looker && !use_epoll) {
        pthread_mutex_lock(&lock);
        arm();
        pthread_mutex_unlock(&lock);
    }
    if (armed_by_looker) armed = 1;
    while (other && !finished) {}
    while (!finished) {
        pause_ns(LOOK_NS);
        locked_look(LOOKER);
    }
    return unused;
}

static void *sender(void *unused) {
    pin(1);
    unsigned seed = 1;
    for (int i = 0; i < packets; i++) {
        pause_ns(1000000 + rand_r(&seed) % 2000000);
        int64_t now = now_ns();
        check(send(send_fd, &now, sizeof now, 0), "send");
    }
    return unused;
}

static void handle(void) {
    if (sleeping) return pause_ns(HANDLER_NS);
    for (int64_t end = now_ns() + HANDLER_NS; now_ns() < end;) {}
}

static int by_size(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static unsigned flags_named(const char *way) {
    if (!strncmp(way, "coop", 4)) return IORING_SETUP_COOP_TASKRUN;
    if (!strncmp(way, "flag", 4)) return IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG;
    return 0;
}

static void measure_lateness(const char *way, const char *handler) {
    use_epoll = !strcmp(way, "epoll");
    use_enter = strstr(way, "-enter") != NULL;
    use_poll = strstr(way, "-poll") != NULL;
    use_nudge = strstr(way, "-nudge") != NULL;
    other = !strcmp(handler, "other");
    armed_by_looker = other || strstr(way, "-armed") != NULL;
    sleeping = !strcmp(handler, "sleep");
    make_pair(&send_fd, &receive_fd);
    if (use_epoll) {
        struct epoll_event event = {.events = EPOLLIN};
        check(epoll_fd = epoll_create1(0), "epoll_create1");
        check(epoll_ctl(epoll_fd, EPOLL_CTL_ADD, receive_fd, &event), "epoll_ctl");
    } else {
        make_ring(flags_named(way));
    }
    if (use_nudge)
        check(syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0), "membarrier");
    pin(other ? 1 : 0);
    if (!armed_by_looker && !use_epoll) arm();
    pthread_t threads[2];
    pthread_create(&threads[0], NULL, looker, NULL);
    while (armed_by_looker && !armed) sched_yield();
    pthread_create(&threads[1], NULL, sender, NULL);
    while (!finished) {
        if (other) {
            struct io_uring_cqe *c;
            io_uring_wait_cqe(&ring, &c);
        } else {
            handle();
        }
        locked_look(OWNER);
    }
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    qsort(late, packets, sizeof *late, by_size);
    printf("%-13s %-5s  p50 %7.1f  p99 %7.1f  max %7.1f us   seen by looker %d, owner %d\n", way, handler,
        late[packets / 2] / 1e3, late[packets * 99 / 100] / 1e3, late[packets - 1] / 1e3, seen_by[LOOKER], seen_by[OWNER]);
}

// Echo: what the flags cost a server that is never stuck. 32 connections, one message of 64 bytes on each at a time.
enum { CONNECTIONS = 32, MESSAGE = 64 };
static int clients[CONNECTIONS], servers[CONNECTIONS], messages = 200000;

static void *client(void *unused) {
    pin(1);
    char bytes[MESSAGE] = {0};
    struct pollfd polled[CONNECTIONS];
    for (int i = 0; i < CONNECTIONS; i++) {
        polled[i] = (struct pollfd){clients[i], POLLIN, 0};
        check(send(clients[i], bytes, MESSAGE, 0), "send");
    }
    for (int done = 0; done < messages;) {
        check(poll(polled, CONNECTIONS, -1), "poll");
        for (int i = 0; i < CONNECTIONS; i++) {
            if (!(polled[i].revents & POLLIN)) continue;
            check(recv(clients[i], bytes, MESSAGE, 0), "recv");
            check(send(clients[i], bytes, MESSAGE, 0), "send");
            done++;
        }
    }
    finished = 1;
    check(send(clients[0], bytes, MESSAGE, 0), "send");
    return unused;
}

static void measure_echo(const char *flags) {
    make_ring(flags_named(flags));
    pin(0);
    for (int i = 0; i < CONNECTIONS; i++) {
        make_pair(&clients[i], &servers[i]);
        receive_fd = servers[i];
        struct io_uring_sqe *s = io_uring_get_sqe(&ring);
        io_uring_prep_recv_multishot(s, servers[i], NULL, 0, 0);
        s->flags |= IOSQE_BUFFER_SELECT;
        s->user_data = i;
    }
    io_uring_submit(&ring);
    pthread_t thread;
    pthread_create(&thread, NULL, client, NULL);
    static char out[MESSAGE];
    int64_t enters = 0;
    struct timespec begin, end;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begin);
    int64_t start = now_ns();
    while (!finished) {
        io_uring_submit_and_wait(&ring, 1);
        enters++;
        struct io_uring_cqe *c;
        while (io_uring_peek_cqe(&ring, &c) == 0) {
            if (c->user_data < CONNECTIONS && c->res > 0) {
                recycle(c->flags >> IORING_CQE_BUFFER_SHIFT);
                struct io_uring_sqe *s = io_uring_get_sqe(&ring);
                io_uring_prep_send(s, servers[c->user_data], out, MESSAGE, MSG_NOSIGNAL);
                s->user_data = 1000;
            }
            io_uring_cqe_seen(&ring, c);
        }
    }
    int64_t wall = now_ns() - start;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
    double cpu = (end.tv_sec - begin.tv_sec) * 1e6 + (end.tv_nsec - begin.tv_nsec) / 1e3;
    printf("echo %-8s %6.3f us CPU a message, %7.0f messages/s, %.1f messages an enter\n", flags, cpu / messages,
        messages * 1e9 / wall, (double)messages / enters);
    _exit(fflush(stdout));
}

int main(int count, char **words) {
    if (count < 3) return fprintf(stderr, "see the head of takeover.c\n"), 2;
    if (!strcmp(words[1], "echo")) {
        if (count > 3) messages = atoi(words[3]);
        measure_echo(words[2]);
    }
    if (count > 3) packets = atoi(words[3]);
    if (packets < 1 || packets > MAX_PACKETS) return 2;
    measure_lateness(words[1], words[2]);
    return 0;
}
