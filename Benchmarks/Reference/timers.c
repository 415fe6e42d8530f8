// A timing wheel in C, to compare the timer layer's with: insert and cancel among 1,000,000 live timers.
//
//   timers arm-cancel-same|arm-cancel-million COUNT      prints nanoseconds a pair as one line of JSON
#include "anchor.h"

static uint64_t seed = 88172645463325252ull;

static uint64_t next_random(void) {
    seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
    return seed;
}

// ---- hierarchical timing wheel ----
//
// Level 0 has one slot to a tick for the next 256 ticks; each of the four levels
// above has 64 slots, each as wide as the whole level below. A timer sits in an
// intrusive doubly linked list, so insert and cancel are O(1); when level 0 comes
// round, the next slot of the level above is dealt out again.

enum { L0_BITS = 8, LN_BITS = 6, L0 = 1 << L0_BITS, LN = 1 << LN_BITS, LEVELS = 4 };

typedef struct chain { struct chain *next, *prev; } chain;
typedef struct {
    chain at;  // first, so that a pointer to it is a pointer to the timer
    uint64_t due;
} timer;

static struct {
    uint64_t tick;  // the next tick to run
    chain near[L0];
    chain far[LEVELS][LN];
} wheel;

static void list_init(chain *l) { l->next = l->prev = l; }

static void unlink_from(chain *l) {
    l->prev->next = l->next;
    l->next->prev = l->prev;
}

static void append(chain *list, chain *l) {
    l->prev = list->prev;
    l->next = list;
    list->prev->next = l;
    list->prev = l;
}

static void wheel_init(uint64_t tick) {
    wheel.tick = tick;
    for (int i = 0; i < L0; i++) list_init(&wheel.near[i]);
    for (int n = 0; n < LEVELS; n++)
        for (int i = 0; i < LN; i++) list_init(&wheel.far[n][i]);
}

static void wheel_insert(timer *t) {
    uint64_t ahead = t->due - wheel.tick;
    if ((int64_t)ahead < 0) {  // already due: with the next tick
        append(&wheel.near[wheel.tick % L0], &t->at);
        return;
    }
    if (ahead < L0) {
        append(&wheel.near[t->due % L0], &t->at);
        return;
    }
    int n = 0, shift = L0_BITS;
    while (n < LEVELS - 1 && ahead >> (shift + LN_BITS)) n++, shift += LN_BITS;
    append(&wheel.far[n][(t->due >> shift) % LN], &t->at);
}

static void wheel_cancel(timer *t) { unlink_from(&t->at); }

// Runs one tick: calls fire for every timer due in it.
static void wheel_tick(void (*fire)(timer *)) {
    if (wheel.tick % L0 == 0) {
        int shift = L0_BITS;
        for (int n = 0; n < LEVELS; n++, shift += LN_BITS) {
            unsigned i = (wheel.tick >> shift) % LN;
            chain *slot = &wheel.far[n][i], moved;
            if (slot->next != slot) {
                moved = *slot;
                moved.next->prev = &moved, moved.prev->next = &moved;
                list_init(slot);
                for (chain *l = moved.next, *after; l != &moved; l = after) {
                    after = l->next;
                    wheel_insert((timer *)l);
                }
            }
            if (i) break;
        }
    }
    chain *slot = &wheel.near[wheel.tick % L0];
    wheel.tick++;
    while (slot->next != slot) {
        chain *l = slot->next;
        unlink_from(l);
        fire((timer *)l);
    }
}

enum { LIVE = 1000000, SPAN = 600000 /* ms */ };
static uint64_t fired, fired_early;

static void count_fire(timer *t) {
    fired++;
    if (t->due + 1 != wheel.tick) fired_early++;
}

int main(int argc, char **argv) {
    int count = argc == 3 ? atoi(argv[2]) : 0;
    if (count < 1) return 2;
    int same = !strcmp(argv[1], "arm-cancel-same");
    if (!same && strcmp(argv[1], "arm-cancel-million")) return 2;
    timer *all = malloc((LIVE + 1) * sizeof *all), *extra = &all[LIVE];
    memset(all, 1, (LIVE + 1) * sizeof *all);
    uint32_t *victims = malloc((size_t)count * sizeof *victims), *delays = malloc((size_t)count * sizeof *delays);
    for (int i = 0; i < count; i++) {
        victims[i] = (uint32_t)(next_random() % LIVE);
        delays[i] = (uint32_t)(1 + next_random() % SPAN);
    }
    wheel_init(0);
    for (int i = 0; i < LIVE; i++) {
        all[i].due = 1 + next_random() % SPAN;
        wheel_insert(&all[i]);
    }
    uint64_t t0 = now_ns();
    if (same) {
        for (int i = 0; i < count; i++) {
            extra->due = delays[i];
            wheel_insert(extra);
            wheel_cancel(extra);
        }
    } else {
        for (int i = 0; i < count; i++) {
            timer *t = &all[victims[i]];
            wheel_cancel(t);
            t->due = delays[i];
            wheel_insert(t);
        }
    }
    t0 = now_ns() - t0;
    for (int i = 0; i <= SPAN; i++) wheel_tick(count_fire);
    if (fired != LIVE || fired_early) {
        fprintf(stderr, "%lu fired, %lu at the wrong tick\n", (unsigned long)fired, (unsigned long)fired_early);
        return 1;
    }
    printf("{\"value\":%.3f}\n", (double)t0 / (double)count);
    return 0;
}
