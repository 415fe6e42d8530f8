// The stack of another thread.
//
// A real-time signal interrupts the thread; its handler walks the frame pointers into a buffer made beforehand and then
// waits, so that the thread stands still until the taker has looked at what it points to. `word` says whose move it is:
//   free -> asked     the taker, which holds `taker`; it then sends the signal with the word's generation.
//   asked -> filling  the handler, on the right thread and in the right generation.
//   asked -> free     the taker, when the handler does not come in time; a handler that comes later finds another word.
//   filling -> taken  the handler, when the buffer is full; it waits for the next step.
//   taken -> free     the taker. The handler returns.
// The handler calls nothing but system calls, and reads its own stack only, between its stack pointer and its end.
#define _GNU_SOURCE
#include "CSkeinPlatform.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <linux/membarrier.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

enum { FREE, ASKED, FILLING, TAKEN, PHASES };

static pthread_mutex_t taker = PTHREAD_MUTEX_INITIALIZER;
static _Atomic uint32_t word;
static _Atomic int32_t target;
static skein_stack buffer;
static uint32_t generation;
static _Thread_local uintptr_t stack_end;

static int signal_number(void) { return SIGRTMIN + 9; }

// MARK: The interrupted thread's side

// Bit 60 marks the frame of an async function.
#define ASYNC_MARK ((uintptr_t)1 << 60)
#define UNCHECKED __attribute__((no_sanitize("address", "thread")))

// Whether two words at `frame` may be the caller's frame pointer and a return address.
UNCHECKED static int is_record(uintptr_t frame, uintptr_t low) {
  if (frame < low || frame % 8 != 0 || frame + 16 > stack_end) return 0;
  uintptr_t back = ((const uintptr_t *)frame)[1];
  return back > 0xFFFF && back >> 47 == 0 && !(back >= low && back < stack_end);
}

// Whether a record leads to another one, which does so too or is the last.
UNCHECKED static int leads_on(uintptr_t frame, uintptr_t low) {
  for (int i = 0; i < 2; i++) {
    if (!is_record(frame, low)) return 0;
    uintptr_t next = *(const uintptr_t *)frame & ~ASYNC_MARK;
    if (next == 0) return i > 0;
    if (next <= frame) return 0;
    frame = next;
  }
  return 1;
}

UNCHECKED static void walk(const ucontext_t *context, skein_stack *stack) {
#if defined(__x86_64__)
  uintptr_t pc = (uintptr_t)context->uc_mcontext.gregs[REG_RIP];
  uintptr_t frame = (uintptr_t)context->uc_mcontext.gregs[REG_RBP];
  uintptr_t low = (uintptr_t)context->uc_mcontext.gregs[REG_RSP];
#elif defined(__aarch64__)
  uintptr_t pc = context->uc_mcontext.pc, frame = context->uc_mcontext.regs[29], low = context->uc_mcontext.sp;
#else
  uintptr_t pc = 0, frame = 0, low = 0;
#endif
  frame &= ~ASYNC_MARK;
  stack->addresses[0] = pc;
  stack->depth = 1;
  // A function without frame pointers may keep anything in the register: then the nearest record that leads on.
  for (int i = 0; !leads_on(frame, low) && i < SKEIN_STACK_WORDS; i++) frame = low + 8 * (uintptr_t)i;
  uintptr_t end = leads_on(frame, low) ? frame : stack_end;
  stack->word_count = 0;
  for (uintptr_t at = low & ~(uintptr_t)7; at + 8 <= end && stack->word_count < SKEIN_STACK_WORDS; at += 8)
    stack->words[stack->word_count++] = *(const uintptr_t *)at;
  while (stack->depth < SKEIN_STACK_DEPTH && is_record(frame, low)) {
    const uintptr_t *record = (const uintptr_t *)frame;
    stack->addresses[stack->depth++] = record[1];
    uintptr_t next = record[0] & ~ASYNC_MARK;
    if (next <= frame) break;
    frame = next;
  }
}

static void on_signal(int number, siginfo_t *info, void *context) {
  (void)number;
  int before = errno;
  uint32_t asked = (uint32_t)(uintptr_t)info->si_value.sival_ptr;
  uint32_t seen = asked;
  // Relaxed: written before the word that the exchange below acquires; another thread's number only ends the attempt.
  int is_meant = atomic_load_explicit(&target, memory_order_relaxed) == skein_thread_id();
  uint32_t filling = asked + FILLING - ASKED;
  // Acquire: the buffer is ours; pairs with the taker's store. Relaxed when it fails: the taker has given up.
  if (is_meant && atomic_compare_exchange_strong_explicit(
                      &word, &seen, filling, memory_order_acquire, memory_order_relaxed)) {
    walk(context, &buffer);
    uint32_t taken = asked + TAKEN - ASKED;
    // Release: publishes the buffer, and all that this thread has written; pairs with the loads in `take`.
    atomic_store_explicit(&word, taken, memory_order_release);
    skein_futex_wake((const uint32_t *)&word, 1);
    // Acquire: the taker has looked; pairs with the store in `release`.
    while (atomic_load_explicit(&word, memory_order_acquire) == taken)
      skein_futex_wait((const uint32_t *)&word, taken, -1);
  }
  errno = before;
}

static int install(void) {
  struct sigaction now;
  if (sigaction(signal_number(), NULL, &now) < 0) return -errno;
  if (now.sa_handler != SIG_DFL) return -EBUSY;
  struct sigaction ours = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_RESTART};
  sigfillset(&ours.sa_mask);
  return sigaction(signal_number(), &ours, NULL) < 0 ? -errno : 0;
}

static int installed = 1;
static void install_once(void) { installed = install(); }

int skein_stack_prepare(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, install_once);
  if (installed != 0) return installed;
  pthread_attr_t attributes;
  int failure = pthread_getattr_np(pthread_self(), &attributes);
  if (failure) return -failure;
  void *low;
  size_t size;
  pthread_attr_getstack(&attributes, &low, &size);
  pthread_attr_destroy(&attributes);
  stack_end = (uintptr_t)low + size;
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signal_number());
  return -pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

// MARK: The taker's side

int skein_stack_take(int32_t thread, skein_stack *stack, int64_t timeout_ns) {
  pthread_mutex_lock(&taker);
  generation += PHASES;
  uint32_t asked = generation + ASKED;
  // Relaxed: published by the store below.
  atomic_store_explicit(&target, thread, memory_order_relaxed);
  // Release: the buffer is free; pairs with the exchange in the handler.
  atomic_store_explicit(&word, asked, memory_order_release);
  siginfo_t info = {.si_signo = signal_number(), .si_code = SI_QUEUE};
  info.si_pid = getpid();
  info.si_uid = getuid();
  info.si_value.sival_ptr = (void *)(uintptr_t)asked;
  int failure = syscall(SYS_rt_tgsigqueueinfo, getpid(), thread, signal_number(), &info) < 0 ? -errno : 0;
  int64_t deadline = skein_monotonic_ns() + timeout_ns;
  while (failure == 0) {
    // Acquire: sees the buffer; pairs with the store of `taken` in the handler.
    uint32_t seen = atomic_load_explicit(&word, memory_order_acquire);
    if (seen == generation + TAKEN) {
      *stack = buffer;
      return 0;
    }
    // A handler that has begun ends soon.
    int waited = skein_futex_wait((const uint32_t *)&word, seen, seen == asked ? deadline : -1);
    // Relaxed, both: given up; nothing of the handler's is read.
    if (waited == -ETIMEDOUT && seen == asked &&
        atomic_compare_exchange_strong_explicit(
            &word, &seen, generation + FREE, memory_order_relaxed, memory_order_relaxed))
      failure = -ETIMEDOUT;
  }
  pthread_mutex_unlock(&taker);
  return failure;
}

void skein_stack_release(void) {
  // Release: the taker has looked; pairs with the handler's last load.
  atomic_store_explicit(&word, generation + FREE, memory_order_release);
  skein_futex_wake((const uint32_t *)&word, 1);
  pthread_mutex_unlock(&taker);
}

// MARK: Names

typedef struct {
  uintptr_t address, base;
  char path[4096];
  int found;
} object_search;

static int visit_object(struct dl_phdr_info *info, size_t size, void *context) {
  (void)size;
  object_search *search = context;
  for (int i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
    uintptr_t start = info->dlpi_addr + segment->p_vaddr;
    if (segment->p_type != PT_LOAD || search->address < start || search->address >= start + segment->p_memsz) continue;
    search->base = info->dlpi_addr;
    const char *name = info->dlpi_name[0] ? info->dlpi_name : "/proc/self/exe";
    strncpy(search->path, name, sizeof search->path - 1);
    search->found = 1;
    return 1;
  }
  return 0;
}

// The function symbol around `value` in the table of the given kind.
static const char *find_in(const uint8_t *file, size_t size, uint32_t kind, uintptr_t value, uintptr_t *offset) {
  const Elf64_Ehdr *header = (const Elf64_Ehdr *)file;
  if (header->e_shoff == 0 || header->e_shoff + (size_t)header->e_shnum * sizeof(Elf64_Shdr) > size) return NULL;
  const Elf64_Shdr *sections = (const Elf64_Shdr *)(file + header->e_shoff);
  for (int i = 0; i < header->e_shnum; i++) {
    if (sections[i].sh_type != kind || sections[i].sh_link >= header->e_shnum) continue;
    const Elf64_Shdr *names = &sections[sections[i].sh_link];
    if (sections[i].sh_offset + sections[i].sh_size > size || names->sh_offset + names->sh_size > size) continue;
    const Elf64_Sym *symbols = (const Elf64_Sym *)(file + sections[i].sh_offset);
    for (size_t k = 0; k < sections[i].sh_size / sizeof *symbols; k++) {
      const Elf64_Sym *symbol = &symbols[k];
      if (ELF64_ST_TYPE(symbol->st_info) != STT_FUNC || symbol->st_name >= names->sh_size) continue;
      if (value < symbol->st_value || value >= symbol->st_value + symbol->st_size) continue;
      *offset = value - symbol->st_value;
      return (const char *)(file + names->sh_offset + symbol->st_name);
    }
  }
  return NULL;
}

static int visit_code(struct dl_phdr_info *info, size_t size, void *context) {
  (void)size;
  object_search *search = context;
  for (int i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
    uintptr_t start = info->dlpi_addr + segment->p_vaddr;
    if (segment->p_type != PT_LOAD || !(segment->p_flags & PF_X)) continue;
    if (search->address < start + 8 || search->address >= start + segment->p_memsz) continue;
    search->found = 1;
    return 1;
  }
  return 0;
}

__attribute__((no_sanitize("address"))) int skein_is_return_address(uintptr_t address) {
  object_search search = {.address = address};
  dl_iterate_phdr(visit_code, &search);
  if (!search.found) return 0;
  const uint8_t *code = (const uint8_t *)address;
#if defined(__x86_64__)
  // call rel32; call r/m64 in its shorter forms (ff /2).
  if (code[-5] == 0xE8) return 1;
  for (int length = 2; length <= 7; length++)
    if (code[-length] == 0xFF && (code[1 - length] & 0x38) == 0x10) return 1;
  return 0;
#elif defined(__aarch64__)
  uint32_t before;
  memcpy(&before, code - 4, 4);
  return (before & 0xFC000000) == 0x94000000 || (before & 0xFFFFFC1F) == 0xD63F0000; // bl, blr
#else
  return 1;
#endif
}

int skein_symbol_find(uintptr_t address, char *name, size_t size, uintptr_t *offset) {
  object_search search = {.address = address};
  dl_iterate_phdr(visit_object, &search);
  if (!search.found) return 0;
  int fd = open(search.path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  struct stat status;
  int found = 0;
  if (fstat(fd, &status) == 0 && (size_t)status.st_size > sizeof(Elf64_Ehdr)) {
    size_t length = (size_t)status.st_size;
    void *file = mmap(NULL, length, PROT_READ, MAP_PRIVATE, fd, 0);
    if (file != MAP_FAILED) {
      if (memcmp(file, ELFMAG, SELFMAG) == 0 && ((const uint8_t *)file)[EI_CLASS] == ELFCLASS64) {
        const char *symbol = find_in(file, length, SHT_SYMTAB, address - search.base, offset);
        if (!symbol) symbol = find_in(file, length, SHT_DYNSYM, address - search.base, offset);
        if (symbol) {
          strncpy(name, symbol, size - 1);
          name[size - 1] = 0;
          found = 1;
        }
      }
      munmap(file, length);
    }
  }
  close(fd);
  return found;
}

// Of Swift's runtime.
__attribute__((weak)) extern char *
swift_demangle(const char *name, size_t length, char *output, size_t *output_size, uint32_t flags);

char *skein_symbol_demangle(const char *name) {
  return swift_demangle ? swift_demangle(name, strlen(name), NULL, NULL, 0) : NULL;
}

// MARK: A barrier for all threads

static int barrier_registered = 1;
static void register_barrier(void) {
  barrier_registered = syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) < 0 ? -errno : 0;
}

int skein_process_barrier(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, register_barrier);
  if (barrier_registered != 0) return barrier_registered;
  return syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) < 0 ? -errno : 0;
}

// MARK: A wait that another thread can end

int skein_poll_interruptibly(int fd, int16_t events, int interrupt, int64_t deadline_ns) {
  struct pollfd both[2] = {{.fd = interrupt, .events = POLLIN}, {.fd = fd, .events = events}};
  struct timespec timeout, *limit = NULL;
  if (deadline_ns >= 0) {
    int64_t left = deadline_ns - skein_monotonic_ns();
    if (left < 0) left = 0;
    timeout = (struct timespec){.tv_sec = left / 1000000000, .tv_nsec = left % 1000000000};
    limit = &timeout;
  }
  int count = ppoll(both, 2, limit, NULL);
  if (count < 0) return -errno;
  return (both[0].revents ? 1 << 16 : 0) | (fd < 0 ? 0 : (uint16_t)both[1].revents);
}
