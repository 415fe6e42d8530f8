// Skynet's value encoding (lua-seri, see Packages/Serialization) written by hand in C: the limit for any codec of the
// same format. Three payloads, those of SerializationPayloads.
//
//   direct   between bytes and C structs, driven by a table of fields; decoded strings
//            are slices of the input. What a codec for a known type can reach.
//   tree     between bytes and a tree of tagged values in an arena that is reset for
//            each message; decoded strings are copied. What a dynamic value can reach.
//
//   seri          prints one line of JSON for each payload and form
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <stdalign.h>
#include <stddef.h>

static uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void die(const char *what) {
    perror(what);
    exit(1);
}

static void fail(const char *what) {
    fprintf(stderr, "%s\n", what);
    exit(1);
}

// ---- bytes ----

typedef struct { uint8_t *at, *start, *end; } writer;
typedef struct { const uint8_t *at, *end; } reader;
typedef struct { const char *bytes; uint32_t length; } slice;

enum { NIL, BOOLEAN, NUMBER, POINTER, SHORT, LONG, TABLE };
enum { REAL = NUMBER | 8 << 3, COUNTED = TABLE | 31 << 3 };

// Makes room for n more bytes, checked before every value.
static inline void room(writer *w, size_t n) {
    if (__builtin_expect((size_t)(w->end - w->at) >= n, 1)) return;
    size_t used = (size_t)(w->at - w->start), size = (used + n) * 2;
    w->start = realloc(w->start, size);
    if (!w->start) die("realloc");
    w->at = w->start + used;
    w->end = w->start + size;
}

static inline void put_integer(writer *w, int64_t v) {
    room(w, 9);
    uint8_t *p = w->at;
    if (v == 0) {
        *p = NUMBER;
        w->at = p + 1;
    } else if (v != (int32_t)v) {
        *p = NUMBER | 6 << 3;
        memcpy(p + 1, &v, 8);
        w->at = p + 9;
    } else if (v < 0 || v >= 65536) {
        *p = NUMBER | 4 << 3;
        memcpy(p + 1, &v, 4);
        w->at = p + 5;
    } else if (v < 256) {
        p[0] = NUMBER | 1 << 3;
        p[1] = (uint8_t)v;
        w->at = p + 2;
    } else {
        *p = NUMBER | 2 << 3;
        memcpy(p + 1, &v, 2);
        w->at = p + 3;
    }
}

static inline void put_real(writer *w, double v) {
    room(w, 9);
    *w->at = REAL;
    memcpy(w->at + 1, &v, 8);
    w->at += 9;
}

static inline void put_byte(writer *w, uint8_t v) {
    room(w, 1);
    *w->at++ = v;
}

static inline void put_string(writer *w, slice s) {
    room(w, (size_t)s.length + 5);
    if (s.length < 32) {
        *w->at++ = (uint8_t)(SHORT | s.length << 3);
    } else if (s.length < 65536) {
        *w->at++ = LONG | 2 << 3;
        memcpy(w->at, &s.length, 2);
        w->at += 2;
    } else {
        *w->at++ = LONG | 4 << 3;
        memcpy(w->at, &s.length, 4);
        w->at += 4;
    }
    memcpy(w->at, s.bytes, s.length);
    w->at += s.length;
}

static inline void put_table(writer *w, uint32_t count) {
    if (count < 31) {
        put_byte(w, (uint8_t)(TABLE | count << 3));
    } else {
        put_byte(w, COUNTED);
        put_integer(w, count);
    }
}

static inline const uint8_t *take(reader *r, size_t n) {
    if (__builtin_expect((size_t)(r->end - r->at) < n, 0)) fail("input cut short");
    const uint8_t *p = r->at;
    r->at += n;
    return p;
}

static inline uint8_t take_byte(reader *r) { return *take(r, 1); }

static inline int64_t take_integer(reader *r, uint8_t tag) {
    int32_t four;
    int64_t eight;
    uint16_t two;
    switch (tag) {
    case NUMBER: return 0;
    case NUMBER | 1 << 3: return take_byte(r);
    case NUMBER | 2 << 3: memcpy(&two, take(r, 2), 2); return two;
    case NUMBER | 4 << 3: memcpy(&four, take(r, 4), 4); return four;
    case NUMBER | 6 << 3: memcpy(&eight, take(r, 8), 8); return eight;
    default: fail("not an integer"); return 0;
    }
}

static inline double take_real(reader *r) {
    double v;
    memcpy(&v, take(r, 8), 8);
    return v;
}

static inline slice take_string(reader *r, uint8_t tag) {
    uint32_t n = tag >> 3;
    if ((tag & 7) == LONG) {
        if (n != 2 && n != 4) fail("string width");
        uint32_t length = 0;
        memcpy(&length, take(r, n), n);
        n = length;
    } else if ((tag & 7) != SHORT) {
        fail("not a string");
    }
    return (slice){(const char *)take(r, n), n};
}

static inline uint32_t take_count(reader *r, uint8_t tag) {
    if ((tag & 7) != TABLE) fail("not a table");
    if (tag != COUNTED) return tag >> 3;
    int64_t n = take_integer(r, take_byte(r));
    if (n < 0 || n > r->end - r->at) fail("count larger than the data");
    return (uint32_t)n;
}

// ---- direct: structs described by fields ----

enum { MANY = 10000 };
typedef struct { slice command, key; int64_t value; int flag; } call;
typedef struct { double x, y, z; int64_t map; } position;
typedef struct { int64_t str, agi, intel, vit, luck; double crit; } stats;
typedef struct { int64_t id, level, quality; } item;
typedef struct { item weapon, armor; } equipment;
typedef struct {
    int64_t id, level, exp, gold, created, last_login;
    slice name, account, guild, title;
    int vip;
    double hp, mp, speed;
    position pos;
    stats stat;
    equipment equip;
    int64_t items[10], skills[10];
    slice friends[10];
} player;

typedef enum { F_INT, F_REAL, F_BOOL, F_STRING, F_RECORD, F_INTS, F_STRINGS } field_kind;
typedef struct schema schema;
typedef struct {
    const char *key;
    uint32_t key_length, offset;
    field_kind kind;
    const schema *record;
} field;
struct schema { const field *fields; uint32_t count; };

#define FIELD(T, KEY, MEMBER, KIND, SUB) {KEY, sizeof KEY - 1, offsetof(T, MEMBER), KIND, SUB}
#define SCHEMA(F) {F, sizeof F / sizeof *F}

static const field position_fields[] = {FIELD(position, "x", x, F_REAL, 0), FIELD(position, "y", y, F_REAL, 0),
    FIELD(position, "z", z, F_REAL, 0), FIELD(position, "map", map, F_INT, 0)};
static const schema position_schema = SCHEMA(position_fields);
static const field stats_fields[] = {FIELD(stats, "str", str, F_INT, 0), FIELD(stats, "agi", agi, F_INT, 0),
    FIELD(stats, "int", intel, F_INT, 0), FIELD(stats, "vit", vit, F_INT, 0), FIELD(stats, "luck", luck, F_INT, 0),
    FIELD(stats, "crit", crit, F_REAL, 0)};
static const schema stats_schema = SCHEMA(stats_fields);
static const field item_fields[] = {FIELD(item, "id", id, F_INT, 0), FIELD(item, "level", level, F_INT, 0),
    FIELD(item, "quality", quality, F_INT, 0)};
static const schema item_schema = SCHEMA(item_fields);
static const field equipment_fields[] = {FIELD(equipment, "weapon", weapon, F_RECORD, &item_schema),
    FIELD(equipment, "armor", armor, F_RECORD, &item_schema)};
static const schema equipment_schema = SCHEMA(equipment_fields);
static const field player_fields[] = {
    FIELD(player, "id", id, F_INT, 0), FIELD(player, "name", name, F_STRING, 0),
    FIELD(player, "account", account, F_STRING, 0), FIELD(player, "level", level, F_INT, 0),
    FIELD(player, "exp", exp, F_INT, 0), FIELD(player, "gold", gold, F_INT, 0), FIELD(player, "vip", vip, F_BOOL, 0),
    FIELD(player, "hp", hp, F_REAL, 0), FIELD(player, "mp", mp, F_REAL, 0), FIELD(player, "speed", speed, F_REAL, 0),
    FIELD(player, "created", created, F_INT, 0), FIELD(player, "lastLogin", last_login, F_INT, 0),
    FIELD(player, "guild", guild, F_STRING, 0), FIELD(player, "title", title, F_STRING, 0),
    FIELD(player, "pos", pos, F_RECORD, &position_schema), FIELD(player, "stats", stat, F_RECORD, &stats_schema),
    FIELD(player, "equip", equip, F_RECORD, &equipment_schema), FIELD(player, "items", items, F_INTS, 0),
    FIELD(player, "skills", skills, F_INTS, 0), FIELD(player, "friends", friends, F_STRINGS, 0)};
static const schema player_schema = SCHEMA(player_fields);

static void put_record(writer *w, const schema *s, const void *from) {
    put_table(w, 0);
    for (uint32_t i = 0; i < s->count; i++) {
        const field *f = &s->fields[i];
        const void *v = (const char *)from + f->offset;
        put_string(w, (slice){f->key, f->key_length});
        switch (f->kind) {
        case F_INT: put_integer(w, *(const int64_t *)v); break;
        case F_REAL: put_real(w, *(const double *)v); break;
        case F_BOOL: put_byte(w, *(const int *)v ? BOOLEAN | 1 << 3 : BOOLEAN); break;
        case F_STRING: put_string(w, *(const slice *)v); break;
        case F_RECORD: put_record(w, f->record, v); break;
        case F_INTS:
            put_table(w, 10);
            for (int k = 0; k < 10; k++) put_integer(w, ((const int64_t *)v)[k]);
            put_byte(w, NIL);
            break;
        case F_STRINGS:
            put_table(w, 10);
            for (int k = 0; k < 10; k++) put_string(w, ((const slice *)v)[k]);
            put_byte(w, NIL);
            break;
        }
    }
    put_byte(w, NIL);
}

// Keys may come in any order; the one after the last found is tried first.
static const field *find(const schema *s, slice key, uint32_t *next) {
    for (uint32_t tries = 0; tries < s->count; tries++) {
        const field *f = &s->fields[*next];
        *next = *next + 1 < s->count ? *next + 1 : 0;
        if (f->key_length == key.length && !memcmp(f->key, key.bytes, key.length)) return f;
    }
    fail("unknown key");
    return NULL;
}

static void take_record(reader *r, const schema *s, void *into) {
    if (take_count(r, take_byte(r))) fail("record with an array part");
    uint32_t next = 0;
    for (uint8_t tag; (tag = take_byte(r)) & 7;) {
        const field *f = find(s, take_string(r, tag), &next);
        void *v = (char *)into + f->offset;
        if (f->kind == F_RECORD) {
            take_record(r, f->record, v);
            continue;
        }
        tag = take_byte(r);
        switch (f->kind) {
        case F_INT: *(int64_t *)v = take_integer(r, tag); break;
        case F_REAL:
            if (tag != REAL) fail("not a float");
            *(double *)v = take_real(r);
            break;
        case F_BOOL: *(int *)v = tag >> 3 != 0; break;
        case F_STRING: *(slice *)v = take_string(r, tag); break;
        default:
            if (take_count(r, tag) != 10) fail("array length");
            for (int k = 0; k < 10; k++) {
                uint8_t t = take_byte(r);
                if (f->kind == F_INTS) ((int64_t *)v)[k] = take_integer(r, t);
                else ((slice *)v)[k] = take_string(r, t);
            }
            if (take_byte(r) & 7) fail("array with pairs");
        }
    }
}

// ---- tree: tagged values ----

typedef struct value value;
typedef struct { value *array, *pairs; uint32_t count, pair_count; } table;
struct value {
    uint8_t kind;  // NIL, BOOLEAN, NUMBER (integer), REAL, SHORT (any string), TABLE
    uint32_t length;
    union { int64_t integer; double real; const char *bytes; table *table; };
};

static struct { char *start; size_t used, size; } arena;

static void *grab(size_t n) {
    n = (n + 15) & ~(size_t)15;
    if (arena.used + n > arena.size) fail("arena full");
    void *p = arena.start + arena.used;
    arena.used += n;
    return p;
}

static void put_value(writer *w, const value *v) {
    switch (v->kind) {
    case NIL: put_byte(w, NIL); break;
    case BOOLEAN: put_byte(w, (uint8_t)(BOOLEAN | v->integer << 3)); break;
    case NUMBER: put_integer(w, v->integer); break;
    case REAL: put_real(w, v->real); break;
    case SHORT: put_string(w, (slice){v->bytes, v->length}); break;
    case TABLE:
        put_table(w, v->table->count);
        for (uint32_t i = 0; i < v->table->count; i++) put_value(w, &v->table->array[i]);
        for (uint32_t i = 0; i < v->table->pair_count * 2; i++) put_value(w, &v->table->pairs[i]);
        put_byte(w, NIL);
    }
}

static value scratch[4096];  // pairs of the tables being read, innermost last
static uint32_t scratch_used;

static void take_value(reader *r, value *v, int depth) {
    uint8_t tag = take_byte(r);
    v->kind = tag & 7;
    switch (tag & 7) {
    case NIL: break;
    case BOOLEAN: v->integer = tag >> 3; break;
    case NUMBER:
        if (tag == REAL) v->kind = REAL, v->real = take_real(r);
        else v->integer = take_integer(r, tag);
        break;
    case SHORT:
    case LONG: {
        slice s = take_string(r, tag);
        v->kind = SHORT;
        v->length = s.length;
        v->bytes = memcpy(grab(s.length), s.bytes, s.length);
        break;
    }
    case TABLE: {
        if (depth == 32) fail("too deep");
        uint32_t n = take_count(r, tag), base = scratch_used;
        table *t = v->table = grab(sizeof *t);
        t->count = n;
        t->array = grab(n * sizeof *t->array);
        for (uint32_t i = 0; i < n; i++) take_value(r, &t->array[i], depth + 1);
        while (r->at < r->end && *r->at & 7) {
            if (scratch_used + 2 > 4096) fail("too many pairs");
            value key, val;
            take_value(r, &key, depth + 1);
            take_value(r, &val, depth + 1);
            scratch[scratch_used++] = key;
            scratch[scratch_used++] = val;
        }
        take_byte(r);
        t->pair_count = (scratch_used - base) / 2;
        size_t bytes = (scratch_used - base) * sizeof *t->pairs;
        t->pairs = memcpy(grab(bytes), &scratch[base], bytes);
        scratch_used = base;
        break;
    }
    default: fail("unknown type");
    }
}

// ---- payloads and measuring ----

#define TEXT(S) (slice){S, sizeof S - 1}
static call sample_call = {{"set", 3}, {"key", 3}, 12345, 1}, read_call;
static player sample_player, read_player;
static int64_t integers[MANY], read_integers[MANY];
static char friend_names[10][16];
static writer out;
static reader in;
static value roots[4];
static uint32_t root_count;

static void make_samples(void) {
    player *p = &sample_player;
    *p = (player){.id = 1000123, .name = TEXT("Aldric of the Vale"), .account = TEXT("aldric@example.com"),
        .level = 57, .exp = 8812345678, .gold = 1250000, .vip = 1, .hp = 8731.5, .mp = 412.25, .speed = 5.75,
        .created = 1700000000, .last_login = 1731999999, .guild = TEXT("Silver Hand"), .title = TEXT("Warden"),
        .pos = {1024.5, -88.25, 300.125, 12}, .stat = {88, 67, 45, 90, 12, 0.135},
        .equip = {{30012, 15, 4}, {31007, 12, 3}}};
    for (int i = 0; i < 10; i++) {
        p->items[i] = 20000 + (i + 1) * 37;
        p->skills[i] = i + 1;
        int n = snprintf(friend_names[i], 16, "player-%d", 1001 + i);
        p->friends[i] = (slice){friend_names[i], (uint32_t)n};
    }
    for (int64_t i = 0; i < MANY; i++) integers[i] = (i + 1) * 7919 % 1000003;
}

static void encode_call(void) {
    put_string(&out, sample_call.command);
    put_string(&out, sample_call.key);
    put_integer(&out, sample_call.value);
    put_byte(&out, (uint8_t)(BOOLEAN | sample_call.flag << 3));
}
static void decode_call(void) {
    read_call.command = take_string(&in, take_byte(&in));
    read_call.key = take_string(&in, take_byte(&in));
    read_call.value = take_integer(&in, take_byte(&in));
    read_call.flag = take_byte(&in) >> 3;
}
static void encode_player(void) { put_record(&out, &player_schema, &sample_player); }
static void decode_player(void) { take_record(&in, &player_schema, &read_player); }
static void encode_integers(void) {
    put_table(&out, MANY);
    for (int i = 0; i < MANY; i++) put_integer(&out, integers[i]);
    put_byte(&out, NIL);
}
static void decode_integers(void) {
    if (take_count(&in, take_byte(&in)) != MANY) fail("count");
    for (int i = 0; i < MANY; i++) read_integers[i] = take_integer(&in, take_byte(&in));
    if (take_byte(&in)) fail("terminator");
}
static void encode_tree(void) {
    for (uint32_t i = 0; i < root_count; i++) put_value(&out, &roots[i]);
}
static void decode_tree(void) {
    value v;
    arena.used = arena.size / 2;  // the sample tree lives in the lower half
    while (in.at < in.end) take_value(&in, &v, 0);
}

static const uint8_t *sample;
static size_t sample_size;

static double cost(void (*body)(void)) {  // mean ns over about 0.3 s after a warm-up
    for (uint64_t rounds = 10;;) {
        uint64_t t = now_ns();
        for (uint64_t i = 0; i < rounds; i++) {
            out.at = out.start;
            in = (reader){sample, sample + sample_size};
            body();
            __asm__ volatile("" ::: "memory");
        }
        t = now_ns() - t;
        if (t > 300000000) return (double)t / (double)rounds;
        rounds = t < 1000000 ? rounds * 10 : (uint64_t)((double)rounds * 3.3e8 / (double)t) + 1;
    }
}

static void measure(const char *form, const char *name, void (*encode)(void), void (*decode)(void)) {
    double e = cost(encode), d = cost(decode);
    printf("{\"name\":\"c-seri %s %s\",\"bytes\":%zu,\"encode_ns\":%.1f,\"decode_ns\":%.1f,\"mb_per_s\":%.1f}\n", form,
           name, sample_size, e, d, (double)sample_size * 1000 / (e + d));
    fflush(stdout);
}

static void payload(const char *name, void (*encode)(void), void (*decode)(void)) {
    static uint8_t copy[1 << 20];
    out.at = out.start;
    encode();
    sample_size = (size_t)(out.at - out.start);
    memcpy(copy, out.start, sample_size);
    sample = copy;
    measure("direct", name, encode, decode);
    if (in.at != in.end) fail("bytes left over");
    // The tree, encoded again, must be the same bytes.
    out.at = out.start;
    arena.used = 0;
    in = (reader){sample, sample + sample_size};
    for (root_count = 0; in.at < in.end; root_count++) take_value(&in, &roots[root_count], 0);
    encode_tree();
    if ((size_t)(out.at - out.start) != sample_size || memcmp(out.start, sample, sample_size)) fail("tree differs");
    measure("tree", name, encode_tree, decode_tree);
}

int main(void) {
    arena.size = 8 << 20;
    arena.start = malloc(arena.size);
    make_samples();
    payload("call", encode_call, decode_call);
    payload("player", encode_player, decode_player);
    payload("integers", encode_integers, decode_integers);
    if (read_call.value != 12345 || read_player.equip.armor.quality != 3 || read_player.friends[9].length != 11 ||
        memcmp(read_integers, integers, sizeof integers))
        fail("decoded values differ");
    return 0;
}
