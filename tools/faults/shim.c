/* Makes calls of the C library fail that concern files below a folder. faults.py compiles and preloads it:
 *
 *   LD_PRELOAD=shim.so FAULTS_BELOW=/folder FAULTS_CALLS=orwsn FAULTS_NTH=17 command ...
 *
 * FAULTS_BELOW   files below this folder, by their absolute path
 * FAULTS_CALLS   which calls: o opens a file, r reads, w writes, s flushes to the disk, n renames or makes a folder
 * FAULTS_NTH     the first call that fails; none, if it is not set
 * FAULTS_ONCE    that call alone fails, and not all after it
 * FAULTS_ERRNO   with which error (default: EIO)
 * FAULTS_SHORT   reads and writes move a random part of what they are asked to, and are interrupted by signals
 * FAULTS_CLOCK   the time of day jumps by up to a day, back and forth
 * FAULTS_COUNT   a file that gets the number of calls when the program ends
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static atomic_long calls;
static _Thread_local unsigned chance = 1;

static int concerns_path(const char *path) {
    const char *folder = getenv("FAULTS_BELOW");
    return folder && path && strncmp(path, folder, strlen(folder)) == 0;
}

static int concerns(int file) {
    char link[40], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return concerns_path(path);
}

/* Whether this call fails; errno is set then. */
static int fails(char kind) {
    const char *kinds = getenv("FAULTS_CALLS"), *nth = getenv("FAULTS_NTH"), *error = getenv("FAULTS_ERRNO");
    if (!kinds || !strchr(kinds, kind)) return 0;
    long call = atomic_fetch_add(&calls, 1) + 1;
    if (!nth || (getenv("FAULTS_ONCE") ? call != atol(nth) : call < atol(nth))) return 0;
    errno = error ? atoi(error) : EIO;
    return 1;
}

/* How much of `length` is moved; less than nothing for a signal. */
static ssize_t part(size_t length) {
    if (!getenv("FAULTS_SHORT") || length == 0) return length;
    if (rand_r(&chance) % 10 == 0) {
        errno = EINTR;
        return -1;
    }
    return 1 + rand_r(&chance) % length;
}

__attribute__((destructor)) static void tell(void) {
    const char *name = getenv("FAULTS_COUNT");
    FILE *file = name ? fopen(name, "w") : NULL;
    if (!file) return;
    fprintf(file, "%ld\n", atomic_load(&calls));
    fclose(file);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

#define OPEN(name) \
    int name(const char *path, int flags, ...) { \
        va_list rest; va_start(rest, flags); mode_t mode = va_arg(rest, mode_t); va_end(rest); \
        return concerns_path(path) && !(flags & O_DIRECTORY) && fails('o') ? -1 : REAL(name)(path, flags, mode); }
OPEN(open) OPEN(open64)

#define OPEN_AT(name) \
    int name(int folder, const char *path, int flags, ...) { \
        va_list rest; va_start(rest, flags); mode_t mode = va_arg(rest, mode_t); va_end(rest); \
        return concerns_path(path) && !(flags & O_DIRECTORY) && fails('o') ? -1 : REAL(name)(folder, path, flags, mode); }
OPEN_AT(openat) OPEN_AT(openat64)

#define MOVE(name, kind, bytes, ...) \
    { \
        if (!concerns(file)) return REAL(name)(file, bytes, length, ##__VA_ARGS__); \
        if (fails(kind)) return -1; \
        ssize_t some = part(length); \
        return some < 0 ? -1 : REAL(name)(file, bytes, (size_t)some, ##__VA_ARGS__); }
ssize_t read(int file, void *bytes, size_t length) MOVE(read, 'r', bytes)
ssize_t write(int file, const void *bytes, size_t length) MOVE(write, 'w', bytes)
ssize_t pread64(int file, void *bytes, size_t length, off64_t at) MOVE(pread64, 'r', bytes, at)
ssize_t pwrite64(int file, const void *bytes, size_t length, off64_t at) MOVE(pwrite64, 'w', bytes, at)

#define MOVE_MANY(name, kind) \
    ssize_t name(int file, const struct iovec *parts, int count) { \
        return concerns(file) && fails(kind) ? -1 : REAL(name)(file, parts, count); }
MOVE_MANY(readv, 'r') MOVE_MANY(writev, 'w')

ssize_t copy_file_range(int from, off64_t *at, int to, off64_t *to_at, size_t length, unsigned flags) {
    return (concerns(from) || concerns(to)) && fails('w') ? -1 : REAL(copy_file_range)(from, at, to, to_at, length, flags); }

int fsync(int file) { return concerns(file) && fails('s') ? -1 : REAL(fsync)(file); }
int fdatasync(int file) { return concerns(file) && fails('s') ? -1 : REAL(fdatasync)(file); }
int ftruncate64(int file, off64_t length) { return concerns(file) && fails('w') ? -1 : REAL(ftruncate64)(file, length); }
int rename(const char *from, const char *to) { return concerns_path(to) && fails('n') ? -1 : REAL(rename)(from, to); }
int mkdir(const char *path, mode_t mode) { return concerns_path(path) && fails('n') ? -1 : REAL(mkdir)(path, mode); }

int clock_gettime(clockid_t clock, struct timespec *time) {
    int result = REAL(clock_gettime)(clock, time);
    if (clock == CLOCK_REALTIME && getenv("FAULTS_CLOCK")) time->tv_sec += rand_r(&chance) % 172800 - 86400;
    return result;
}
