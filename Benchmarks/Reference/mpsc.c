// A bounded ring with many producers and one consumer, to compare the mailbox with: Vyukov's, with a sequence number in
// each cell and a compare-and-swap to claim one; its only consumer takes cells without atomics.
//
// Timed single-threaded (push then pop), 1 -> 1 and 8 -> 1 with the producers on core 0 and the consumer on core 1. A
// side that finds the ring full or empty spins a little and then yields.
//
//   mpsc mailbox-alone|mailbox-1to1|mailbox-8to1 COUNT      prints nanoseconds an element as one line of JSON
#include "anchor.h"
#include <pthread.h>
#include <stdalign.h>
#include <stdatomic.h>

enum { RING = 4096, LINE = 128, SPIN = 200 };

static void back_off(unsigned *tries) {
    if (++*tries % SPIN) __builtin_ia32_pause();
    else sched_yield();
}

typedef struct {
    atomic_size_t turn;  // i: free for round i; i + 1: holds round i's value
    uint64_t value;
} cell;

static struct {
    alignas(LINE) atomic_size_t tail;
    alignas(LINE) atomic_size_t head;
    alignas(LINE) size_t own_head;  // the single consumer's position in the mpsc form
    alignas(LINE) cell cells[RING];
} ring;

static int ring_push(uint64_t v) {
    size_t t = atomic_load_explicit(&ring.tail, memory_order_relaxed);
    for (;;) {
        cell *c = &ring.cells[t % RING];
        intptr_t ahead = (intptr_t)(atomic_load_explicit(&c->turn, memory_order_acquire) - t);
        if (ahead == 0) {
            if (atomic_compare_exchange_weak_explicit(&ring.tail, &t, t + 1, memory_order_relaxed,
                                                      memory_order_relaxed)) {
                c->value = v;
                atomic_store_explicit(&c->turn, t + 1, memory_order_release);
                return 1;
            }
        } else if (ahead < 0) {
            return 0;
        } else {
            t = atomic_load_explicit(&ring.tail, memory_order_relaxed);
        }
    }
}

static int mpsc_pop(uint64_t *v) {
    size_t h = ring.own_head;
    cell *c = &ring.cells[h % RING];
    if (atomic_load_explicit(&c->turn, memory_order_acquire) != h + 1) return 0;
    *v = c->value;
    atomic_store_explicit(&c->turn, h + RING, memory_order_release);
    ring.own_head = h + 1;
    return 1;
}

static void reset(void) {
    memset(&ring, 0, sizeof ring);
    for (size_t i = 0; i < RING; i++) ring.cells[i].turn = i;
}

typedef struct {
    uint64_t from, count;
    pthread_barrier_t *start;
} job;

static void *producer(void *arg) {
    job *j = arg;
    pin(0);
    pthread_barrier_wait(j->start);
    for (uint64_t i = 0; i < j->count; i++) {
        unsigned tries = 0;
        while (!ring_push(j->from + i)) back_off(&tries);
    }
    return NULL;
}

static uint64_t check(uint64_t took, uint64_t sum, uint64_t n) {
    if (sum == n * (n - 1) / 2) return took;
    fprintf(stderr, "wrong sum\n");
    exit(1);
}

// Nanoseconds for count elements, a multiple of producers.
static uint64_t transfer(int producers, uint64_t count) {
    reset();
    uint64_t each = count / (uint64_t)producers, n = each * (uint64_t)producers;
    job jobs[8];
    pthread_t threads[8];
    pthread_barrier_t start;
    pthread_barrier_init(&start, NULL, (unsigned)producers + 1);
    for (int i = 0; i < producers; i++) {
        jobs[i] = (job){(uint64_t)i * each, each, &start};
        pthread_create(&threads[i], NULL, producer, &jobs[i]);
    }
    pin(1);
    pthread_barrier_wait(&start);
    uint64_t t = now_ns(), sum = 0, v = 0;
    unsigned tries = 0;
    for (uint64_t got = 0; got < n;) {
        if (mpsc_pop(&v)) got++, sum += v, tries = 0;
        else back_off(&tries);
    }
    t = now_ns() - t;
    for (int i = 0; i < producers; i++) pthread_join(threads[i], NULL);
    return check(t, sum, n);
}

static uint64_t alone(uint64_t n) {
    reset();
    uint64_t t = now_ns(), sum = 0, v = 0;
    for (uint64_t i = 0; i < n; i++) {
        ring_push(i);
        mpsc_pop(&v);
        sum += v;
    }
    return check(now_ns() - t, sum, n);
}

int main(int argc, char **argv) {
    uint64_t n = argc == 3 ? strtoull(argv[2], NULL, 10) : 0;
    if (n < 8) return 2;
    int producers = !strcmp(argv[1], "mailbox-1to1") ? 1 : !strcmp(argv[1], "mailbox-8to1") ? 8 : 0;
    if (!producers && strcmp(argv[1], "mailbox-alone")) return 2;
    uint64_t took = 0;
    // A tenth to warm up.
    for (int run = 0; run < 2; run++) {
        uint64_t count = run ? n : n / 10;
        took = producers ? transfer(producers, count) : alone(count);
    }
    printf("{\"value\":%.3f}\n", (double)took / (double)n);
    return 0;
}
