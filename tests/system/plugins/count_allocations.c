/* SPDX-License-Identifier: Apache-2.0
 *
 * LD_PRELOAD: counts what core-threads ask of the allocator and of the kernel's memory calls. A
 * core-thread is one that names itself "lm-core-..."; its calls are counted from then on, in the
 * row that `row` selects at the moment. The test maps the same file, moves `row`, and reads.
 *
 * Only what goes through the dynamic linker is seen, which is all that latmon and its libraries do;
 * liburing makes its system calls itself, at set-up. Not for builds with sanitizers, which have
 * their own allocator. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum function { MALLOC, CALLOC, REALLOC, ALIGNED, FREE, MMAP, MUNMAP, FUNCTIONS };
enum { ROWS = 2 };

/* tests/system/allocations.py has the same layout. */
struct counts {
    _Atomic uint64_t row;
    _Atomic uint64_t calls[ROWS][FUNCTIONS];
    _Atomic uint64_t last_caller[ROWS]; /* A return address: whom to look at. */
};

static struct counts* counts;
static __thread bool is_core __attribute__((tls_model("initial-exec")));

/* What malloc and the others stand for in glibc. */
void* __libc_malloc(size_t size);
void* __libc_calloc(size_t count, size_t size);
void* __libc_realloc(void* memory, size_t size);
void* __libc_memalign(size_t alignment, size_t size);
void __libc_free(void* memory);

__attribute__((constructor)) static void open_counts(void) {
    const char* const path = getenv("LATMON_COUNT_ALLOCATIONS");
    if (path == NULL) return;
    const int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) abort();
    void* const memory =
        (void*)syscall(SYS_mmap, NULL, sizeof(*counts), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED) abort();
    counts = memory;
    close(fd);
}

static void count(enum function function, void* caller) {
    if (!is_core || counts == NULL) return;
    const uint64_t row = atomic_load(&counts->row) % ROWS;
    atomic_fetch_add(&counts->calls[row][function], 1);
    atomic_store(&counts->last_caller[row], (uint64_t)caller);
}

int pthread_setname_np(pthread_t thread, const char* name) {
    if (!pthread_equal(thread, pthread_self())) return 38; /* ENOSYS: nobody here does that. */
    if (strncmp(name, "lm-core-", 8) == 0) is_core = true;
    return prctl(PR_SET_NAME, name, 0, 0, 0);
}

void* malloc(size_t size) {
    count(MALLOC, __builtin_return_address(0));
    return __libc_malloc(size);
}

void* calloc(size_t number, size_t size) {
    count(CALLOC, __builtin_return_address(0));
    return __libc_calloc(number, size);
}

void* realloc(void* memory, size_t size) {
    count(REALLOC, __builtin_return_address(0));
    return __libc_realloc(memory, size);
}

void* aligned_alloc(size_t alignment, size_t size) {
    count(ALIGNED, __builtin_return_address(0));
    return __libc_memalign(alignment, size);
}

int posix_memalign(void** memory, size_t alignment, size_t size) {
    count(ALIGNED, __builtin_return_address(0));
    *memory = __libc_memalign(alignment, size);
    return *memory == NULL ? 12 : 0; /* ENOMEM */
}

void free(void* memory) {
    if (memory != NULL) count(FREE, __builtin_return_address(0));
    __libc_free(memory);
}

void* mmap(void* address, size_t size, int protection, int flags, int fd, off_t offset) {
    count(MMAP, __builtin_return_address(0));
    return (void*)syscall(SYS_mmap, address, size, protection, flags, fd, offset);
}

int munmap(void* address, size_t size) {
    count(MUNMAP, __builtin_return_address(0));
    return (int)syscall(SYS_munmap, address, size);
}
