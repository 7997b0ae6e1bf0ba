// A disk that fails for databases as long as certain files exist, named by DDG_TEST_FAULT:
// - the file itself, or with `.full`: there is no room. The file itself gets a byte for each write
//   that has failed;
// - with `.io`: writes and syncs fail. (SQLite takes a read that fails for a damaged file.)
// - with `.read-only`: the file system is mounted for reading.
// To be loaded before the C library (LD_PRELOAD).
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int is_database(int fd) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    if (n < 0) return 0;
    path[n] = 0;
    return strstr(path, ".db") != NULL;
}

// Whether the file of a fault exists.
static int has(const char *suffix) {
    const char *fault = getenv("DDG_TEST_FAULT");
    char path[4096];
    if (fault == NULL) return 0;
    snprintf(path, sizeof path, "%s%s", fault, suffix);
    return access(path, F_OK) == 0;
}

static int count() {
    int counter = open(getenv("DDG_TEST_FAULT"), O_WRONLY | O_APPEND);
    if (counter >= 0) {
        syscall(SYS_write, counter, "x", 1);
        close(counter);
    }
    return ENOSPC;
}

static int fails(int fd) {
    int error = 0;
    if (has(".io")) error = EIO;
    else if (has(".read-only")) error = EROFS;
    else if (has(".full")) error = ENOSPC;
    else if (has("")) error = ENOSPC;
    if (error == 0 || !is_database(fd)) return 0;
    if (has("")) count();
    errno = error;
    return 1;
}

ssize_t write(int fd, const void *data, size_t n) {
    if (fails(fd)) return -1;
    return syscall(SYS_write, fd, data, n);
}

ssize_t pwrite(int fd, const void *data, size_t n, off_t at) {
    if (fails(fd)) return -1;
    return syscall(SYS_pwrite64, fd, data, n, at);
}

ssize_t pwrite64(int fd, const void *data, size_t n, off64_t at) {
    if (fails(fd)) return -1;
    return syscall(SYS_pwrite64, fd, data, n, at);
}

int fsync(int fd) {
    if (fails(fd)) return -1;
    return syscall(SYS_fsync, fd);
}

int fdatasync(int fd) {
    if (fails(fd)) return -1;
    return syscall(SYS_fdatasync, fd);
}
