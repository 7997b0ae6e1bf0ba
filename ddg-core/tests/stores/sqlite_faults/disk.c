// A disk that is full for databases as long as the file named by DDG_TEST_FAULT exists; that file gets
// a byte for each write that has failed. To be loaded before the C library (LD_PRELOAD).
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int fails(int fd) {
    const char *fault = getenv("DDG_TEST_FAULT");
    if (fault == NULL || access(fault, F_OK) != 0) return 0;
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    if (n < 0) return 0;
    path[n] = 0;
    if (strstr(path, ".db") == NULL) return 0;
    int counter = open(fault, O_WRONLY | O_APPEND);
    if (counter >= 0) {
        syscall(SYS_write, counter, "x", 1);
        close(counter);
    }
    errno = ENOSPC;
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
