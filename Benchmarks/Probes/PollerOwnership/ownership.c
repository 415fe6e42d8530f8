// Who looks at a worker's poller while its handler runs long, and what does that cost?
//
// The owner has an epoll descriptor with one connection. A sender puts a packet with its time of sending on it every
// 1 to 3 ms. Reported is the time from send(2) until some thread has the packet.
//
//   ownership SCENE WAY [PACKETS]
//   ownership costs
//
// SCENE  stuck        the owner's handler spins for 5 ms, then the owner looks, and so on
//        idle         the owner waits in its poller, as a worker without work does
// WAY    watcher      another worker's timerfd ends its wait each 500 us while the owner is busy; it looks at the owner's
//                     poller when the owner's activation is the same as at its last look
//        monitor      a thread of its own sleeps for 500 us at a time, always, and looks in the same way
//        nested       the owner's epoll descriptor lies in another worker's epoll set
//        dedicated    a thread polls for everybody and wakes a worker with a futex for each packet
//
// costs: what a caller pays to set another thread's timerfd, and to wake a thread that sleeps.
//
// Owner on core 0, everything else on core 1.
#include <arpa/inet.h>
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { HANDLER_NS = 5000000, WATCH_NS = 500000, MAX_PACKETS = 100000 };

static pthread_mutex_t loop_lock = PTHREAD_MUTEX_INITIALIZER;
static int packets = 500, owner_epoll, receive_fd, send_fd;
static atomic_ulong turn;
static atomic_int finished, futex_word, looker_woke;
static int64_t late[MAX_PACKETS], handed_over;
static int seen;
static double looker_cpu;

static int64_t clock_ns(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int64_t now_ns(void) { return clock_ns(CLOCK_MONOTONIC); }

static void check(long result, const char *what) {
    if (result >= 0) return;
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(1);
}

static void pin(int core) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(core, &set);
    check(sched_setaffinity(0, sizeof set, &set), "sched_setaffinity");
    prctl(PR_SET_TIMERSLACK, 1);
}

static void pause_ns(int64_t ns) {
    struct timespec t = {0, ns};
    while (clock_nanosleep(CLOCK_MONOTONIC, 0, &t, &t) == EINTR) {}
}

static void set_timer(int timer, int64_t at) {
    struct itimerspec t = {.it_value = {at / 1000000000, at % 1000000000}};
    check(timerfd_settime(timer, TFD_TIMER_ABSTIME, &t, NULL), "timerfd_settime");
}

static void futex_wait(int expected) {
    struct timespec limit = {0, 20000000};
    syscall(SYS_futex, &futex_word, FUTEX_WAIT_PRIVATE, expected, &limit, NULL, 0);
}

static void futex_wake(void) { syscall(SYS_futex, &futex_word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0); }

static void watch(int epoll, int fd) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    check(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
}

static void make_pair(int *a, int *b) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    check(bind(listener, (struct sockaddr *)&address, sizeof address), "bind");
    check(listen(listener, 1), "listen");
    check(getsockname(listener, (struct sockaddr *)&address, &length), "getsockname");
    *a = socket(AF_INET, SOCK_STREAM, 0);
    check(connect(*a, (struct sockaddr *)&address, sizeof address), "connect");
    check(*b = accept(listener, NULL, NULL), "accept");
    close(listener);
}

static void note(int64_t sent) {
    if (seen < packets) late[seen++] = now_ns() - sent;
    if (seen == packets) finished = 1;
}

// The loop as a monitor: whoever enters looks and handles; waiting happens outside.
static void enter_loop(void) {
    pthread_mutex_lock(&loop_lock);
    struct epoll_event event;
    int64_t sent[64];
    if (epoll_wait(owner_epoll, &event, 1, 0) == 1) {
        ssize_t count = recv(receive_fd, sent, sizeof sent, MSG_DONTWAIT);
        for (int i = 0; i < count / 8; i++) note(sent[i]);
    }
    pthread_mutex_unlock(&loop_lock);
}

static void look_if_stuck(unsigned long *last) {
    unsigned long current = turn;
    if (current % 2 == 1 && current == *last) enter_loop();
    *last = current;
}

static void *watcher(void *unused) {
    pin(1);
    int epoll = epoll_create1(0), timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    watch(epoll, timer);
    unsigned long last = 0;
    while (!finished) {
        struct epoll_event event;
        uint64_t ticks;
        set_timer(timer, now_ns() + WATCH_NS);
        epoll_wait(epoll, &event, 1, 20);
        looker_woke++;
        if (read(timer, &ticks, 8) < 0) continue;
        look_if_stuck(&last);
    }
    looker_cpu = clock_ns(CLOCK_THREAD_CPUTIME_ID);
    return unused;
}

static void *monitor(void *unused) {
    pin(1);
    unsigned long last = 0;
    while (!finished) {
        pause_ns(WATCH_NS);
        looker_woke++;
        look_if_stuck(&last);
    }
    looker_cpu = clock_ns(CLOCK_THREAD_CPUTIME_ID);
    return unused;
}

static void *nested(void *unused) {
    pin(1);
    int epoll = epoll_create1(0);
    watch(epoll, owner_epoll);
    while (!finished) {
        struct epoll_event event;
        if (epoll_wait(epoll, &event, 1, 20) != 1) continue;
        looker_woke++;
        enter_loop();
    }
    looker_cpu = clock_ns(CLOCK_THREAD_CPUTIME_ID);
    return unused;
}

static void *dedicated(void *unused) {
    pin(1);
    while (!finished) {
        struct epoll_event event;
        if (epoll_wait(owner_epoll, &event, 1, 20) != 1) continue;
        looker_woke++;
        int64_t sent;
        if (recv(receive_fd, &sent, sizeof sent, 0) != sizeof sent) exit(1);
        while (futex_word == 1) sched_yield();
        handed_over = sent;
        futex_word = 1;
        futex_wake();
    }
    looker_cpu = clock_ns(CLOCK_THREAD_CPUTIME_ID);
    return unused;
}

// A worker that sleeps in a futex until the dedicated poller hands it a packet.
static void *fed_worker(void *core) {
    pin(core == NULL ? 0 : 1);
    while (!finished) {
        futex_wait(0);
        if (futex_word != 1) continue;
        note(handed_over);
        futex_word = 0;
    }
    return NULL;
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

static void be_stuck(int looks) {
    turn++;
    for (int64_t end = now_ns() + HANDLER_NS; now_ns() < end;) {}
    turn++;
    if (looks) enter_loop();
}

static void be_idle(void) {
    struct epoll_event event;
    if (epoll_wait(owner_epoll, &event, 1, 20) == 1) enter_loop();
}

static int by_size(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void report(const char *what, int64_t *values, int count) {
    qsort(values, count, sizeof *values, by_size);
    printf("%-28s p50 %7.1f  p99 %7.1f  max %7.1f us", what, values[count / 2] / 1e3, values[count * 99 / 100] / 1e3,
        values[count - 1] / 1e3);
}

static void measure(const char *scene, const char *way) {
    int stuck = !strcmp(scene, "stuck"), feeds = !strcmp(way, "dedicated");
    void *(*looker)(void *) = !strcmp(way, "watcher") ? watcher
        : !strcmp(way, "monitor") ? monitor : !strcmp(way, "nested") ? nested : dedicated;
    // A pool in which nobody is busy has no watcher.
    int has_looker = stuck || looker != watcher;
    pthread_t threads[3];
    int count = 0;
    make_pair(&send_fd, &receive_fd);
    check(owner_epoll = epoll_create1(0), "epoll_create1");
    watch(owner_epoll, receive_fd);
    pin(0);
    int64_t start = now_ns();
    if (has_looker) pthread_create(&threads[count++], NULL, looker, NULL);
    if (feeds) pthread_create(&threads[count++], NULL, fed_worker, stuck ? &packets : NULL);
    pthread_create(&threads[count++], NULL, sender, NULL);
    while (!finished) {
        if (stuck) be_stuck(!feeds);
        else if (feeds) pause_ns(10000000);
        else be_idle();
    }
    for (int i = 0; i < count; i++) pthread_join(threads[i], NULL);
    double wall = now_ns() - start;
    char what[64];
    snprintf(what, sizeof what, "%s, %s", scene, way);
    report(what, late, packets);
    printf("   looker: %.2f %% of a core, %.1f wake-ups a packet\n", looker_cpu / wall * 100,
        (double)looker_woke / packets);
}

static int sleeper_epoll, sleeper_event;
static atomic_int asleep, sleeps_in_futex;

static void *sleeper(void *unused) {
    pin(1);
    while (!finished) {
        asleep = 1;
        if (sleeps_in_futex) {
            futex_wait(0);
            futex_word = 0;
        } else {
            struct epoll_event event;
            uint64_t value;
            epoll_wait(sleeper_epoll, &event, 1, 20);
            if (read(sleeper_event, &value, 8) < 0) continue;
        }
    }
    return unused;
}

static void measure_costs(void) {
    enum { ROUNDS = 3000 };
    static int64_t spent[ROUNDS];
    sleeper_epoll = epoll_create1(0);
    sleeper_event = eventfd(0, EFD_NONBLOCK);
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    watch(sleeper_epoll, sleeper_event);
    watch(sleeper_epoll, timer);
    pin(0);
    for (int way = 0; way < 3; way++) {
        sleeps_in_futex = way == 1;
        finished = 0;
        pthread_t thread;
        pthread_create(&thread, NULL, sleeper, NULL);
        for (int i = 0; i < ROUNDS; i++) {
            while (!asleep) {}
            asleep = 0;
            for (int64_t end = now_ns() + 50000; now_ns() < end;) {}
            int64_t begin = now_ns();
            uint64_t one = 1;
            if (way == 0) {
                set_timer(timer, begin + 1000000000);
            } else if (way == 1) {
                futex_word = 1;
                futex_wake();
            } else {
                check(write(sleeper_event, &one, 8), "write");
            }
            spent[i] = now_ns() - begin;
            if (way == 0) asleep = 1;
        }
        finished = 1;
        set_timer(timer, 0);
        pthread_join(thread, NULL);
        report(way == 0 ? "set a sleeper's timerfd" : way == 1 ? "wake a sleeper (futex)" : "wake a sleeper (eventfd)",
            spent, ROUNDS);
        printf("   paid by the caller\n");
    }
}

int main(int count, char **words) {
    if (count > 1 && !strcmp(words[1], "costs")) return measure_costs(), 0;
    if (count < 3) return fprintf(stderr, "see the head of ownership.c\n"), 2;
    if (count > 3) packets = atoi(words[3]);
    if (packets < 1 || packets > MAX_PACKETS) return 2;
    measure(words[1], words[2]);
    return 0;
}
