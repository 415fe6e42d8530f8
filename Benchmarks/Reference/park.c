// How fast a thread that sleeps in epoll_wait is woken through an eventfd: the floor under a runtime whose workers
// park in their pollers.
//
// The waker stamps the clock and writes; the sleeper stamps it when it runs. They are on cores 0 and 1, with a pause
// of 500 us between wakes in which the waker spins, so that only the sleeper's core goes idle.
//
//   park wake-parked WAKES       prints the median and the 99th percentile in nanoseconds as one line of JSON
#include "anchor.h"
#include <pthread.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

enum { PAUSE_NS = 500000 };

static int wakes, event, epfd;
static _Atomic uint64_t stamp, woken;  // when the wake was sent; wakes seen so far
static hist latency;

static void *sleeper(void *arg) {
    pin(1);
    struct epoll_event e;
    uint64_t value;
    for (int i = 0; i < wakes; i++) {
        if (epoll_wait(epfd, &e, 1, -1) != 1) die("epoll_wait");
        hist_add(&latency, now_ns() - stamp);
        if (read(event, &value, 8) != 8 || value != 1) die("read");
        atomic_store(&woken, (uint64_t)i + 1);
    }
    return arg;
}

int main(int argc, char **argv) {
    if (argc != 3 || strcmp(argv[1], "wake-parked") || (wakes = atoi(argv[2])) < 1) return 2;
    pin(0);
    hist_reset(&latency);
    event = eventfd(0, EFD_CLOEXEC);
    epfd = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event e = {.events = EPOLLIN};
    if (epoll_ctl(epfd, EPOLL_CTL_ADD, event, &e)) die("epoll_ctl");
    pthread_t thread;
    pthread_create(&thread, NULL, sleeper, NULL);
    for (int i = 0; i < wakes; i++) {
        while (atomic_load(&woken) != (uint64_t)i) {}
        for (uint64_t until = now_ns() + PAUSE_NS; now_ns() < until;) __builtin_ia32_pause();
        stamp = now_ns();
        uint64_t one = 1;
        if (write(event, &one, 8) != 8) die("write");
    }
    pthread_join(thread, NULL);
    printf("{\"value\":%lu,\"p99\":%lu}\n", (unsigned long)hist_at(&latency, .5), (unsigned long)hist_at(&latency, .99));
    return 0;
}
