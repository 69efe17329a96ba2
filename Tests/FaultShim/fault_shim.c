// Stands between a program and the C library (LD_PRELOAD) and watches the calls that change or flush files below one
// folder: it records them, or makes the n-th of them fail, or kills the process before it.
//
//   FAULT_ROOT    folder to watch; paths are compared as given, so it must be absolute
//   FAULT_LOG     file to record into
//   FAULT_CALL    number of the watched call to disturb, from 1
//   FAULT_ERRNO   error number that it fails with
//   FAULT_ALWAYS  set: every later watched call of the same kind fails, too
//   FAULT_SHORT   set: the call is a write of half its bytes (other calls pass)
//   FAULT_NOFLUSH number of the watched fsync, from 1, that says it succeeded and does nothing
//   FAULT_KILL    set: the process dies by SIGKILL instead of making the call
//
// One record: kind (1 byte), then two paths and data, each with its length as 4 bytes in front; then an offset (8 bytes).

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { descriptors = 1024 };

static char *paths[descriptors];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int calls;
static int flushes;
static char disturbed_kind;

static const char *root(void) {
  const char *root = getenv("FAULT_ROOT");
  return root && *root ? root : NULL;
}

static int is_watched(const char *path) {
  const char *folder = root();
  if (!folder || !path) return 0;
  size_t length = strlen(folder);
  return strncmp(path, folder, length) == 0 && (path[length] == '/' || path[length] == 0);
}

static const char *path_of(int descriptor) {
  return descriptor >= 0 && descriptor < descriptors ? paths[descriptor] : NULL;
}

// Raw system calls: what the log itself writes must not be watched.
static void put(int log, const void *bytes, size_t count) {
  if (syscall(SYS_write, log, bytes, count) != (long)count) _exit(99);
}

static void put_block(int log, const void *bytes, size_t count) {
  uint32_t length = (uint32_t)count;
  put(log, &length, sizeof length);
  if (count) put(log, bytes, count);
}

static void record(char kind, const char *a, const char *b, const void *data, size_t count, int64_t offset) {
  const char *name = getenv("FAULT_LOG");
  if (!name) return;
  int log = (int)syscall(SYS_openat, AT_FDCWD, name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (log < 0) _exit(99);
  put(log, &kind, 1);
  put_block(log, a, a ? strlen(a) : 0);
  put_block(log, b, b ? strlen(b) : 0);
  put_block(log, data, count);
  put(log, &offset, sizeof offset);
  syscall(SYS_close, log);
}

// Counts a watched call. Returns 0 to let it pass, -1 to fail with errno set, 1 to make it short.
static int disturb(char kind) {
  pthread_mutex_lock(&lock);
  int number = ++calls;
  const char *wanted = getenv("FAULT_CALL");
  int target = wanted ? atoi(wanted) : 0;
  int hit = target > 0 && number == target;
  if (hit) disturbed_kind = kind;
  if (getenv("FAULT_ALWAYS") && target > 0 && number > target && kind == disturbed_kind) hit = 1;
  pthread_mutex_unlock(&lock);
  if (!hit) return 0;
  record('!', NULL, NULL, &kind, 1, number);
  if (getenv("FAULT_KILL")) kill(getpid(), SIGKILL);
  if (getenv("FAULT_SHORT")) return 1;
  const char *error = getenv("FAULT_ERRNO");
  errno = error ? atoi(error) : EIO;
  return -1;
}

static int open_watched(const char *path, int flags, mode_t mode) {
  static int (*real)(const char *, int, ...);
  if (!real) real = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, "open");
  if (!is_watched(path)) return real(path, flags, mode);
  if (disturb('o') < 0) return -1;
  int descriptor = real(path, flags, mode);
  if (descriptor >= 0 && descriptor < descriptors) {
    free(paths[descriptor]);
    paths[descriptor] = strdup(path);
    if (flags & O_CREAT) record('o', path, NULL, NULL, 0, flags & O_TRUNC ? 1 : 0);
  }
  return descriptor;
}

int open(const char *path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  mode_t mode = flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  return open_watched(path, flags, mode);
}

int open64(const char *path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  mode_t mode = flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  return open_watched(path, flags, mode);
}

ssize_t write(int descriptor, const void *bytes, size_t count) {
  static ssize_t (*real)(int, const void *, size_t);
  if (!real) real = (ssize_t (*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");
  const char *path = path_of(descriptor);
  if (!path) return real(descriptor, bytes, count);
  int effect = disturb('w');
  if (effect < 0) return -1;
  if (effect > 0 && count > 1) count /= 2;
  int64_t offset = lseek(descriptor, 0, SEEK_CUR);
  ssize_t done = real(descriptor, bytes, count);
  if (done > 0) record('w', path, NULL, bytes, (size_t)done, offset);
  return done;
}

int fsync(int descriptor) {
  static int (*real)(int);
  if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
  const char *path = path_of(descriptor);
  if (!path) return real(descriptor);
  if (disturb('s') < 0) return -1;
  const char *left_out = getenv("FAULT_NOFLUSH");
  if (++flushes == (left_out ? atoi(left_out) : 0)) return 0;
  int status = real(descriptor);
  if (status == 0) record('s', path, NULL, NULL, 0, 0);
  return status;
}

int ftruncate(int descriptor, off_t length) {
  static int (*real)(int, off_t);
  if (!real) real = (int (*)(int, off_t))dlsym(RTLD_NEXT, "ftruncate");
  const char *path = path_of(descriptor);
  if (!path) return real(descriptor, length);
  if (disturb('t') < 0) return -1;
  int status = real(descriptor, length);
  if (status == 0) record('t', path, NULL, NULL, 0, length);
  return status;
}

int close(int descriptor) {
  static int (*real)(int);
  if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "close");
  const char *path = path_of(descriptor);
  if (!path) return real(descriptor);
  int effect = disturb('c');
  // Linux lets go of the descriptor even when close reports an error.
  int error = errno;
  free(paths[descriptor]);
  paths[descriptor] = NULL;
  int status = real(descriptor);
  if (effect >= 0) return status;
  errno = error;
  return -1;
}

ssize_t read(int descriptor, void *bytes, size_t count) {
  static ssize_t (*real)(int, void *, size_t);
  if (!real) real = (ssize_t (*)(int, void *, size_t))dlsym(RTLD_NEXT, "read");
  if (!path_of(descriptor)) return real(descriptor, bytes, count);
  int effect = disturb('r');
  if (effect < 0) return -1;
  return real(descriptor, bytes, effect > 0 && count > 1 ? count / 2 : count);
}

int rename(const char *from, const char *to) {
  static int (*real)(const char *, const char *);
  if (!real) real = (int (*)(const char *, const char *))dlsym(RTLD_NEXT, "rename");
  if (!is_watched(from) && !is_watched(to)) return real(from, to);
  if (disturb('n') < 0) return -1;
  int status = real(from, to);
  if (status == 0) record('n', from, to, NULL, 0, 0);
  return status;
}

int unlink(const char *path) {
  static int (*real)(const char *);
  if (!real) real = (int (*)(const char *))dlsym(RTLD_NEXT, "unlink");
  if (!is_watched(path)) return real(path);
  if (disturb('u') < 0) return -1;
  int status = real(path);
  if (status == 0) record('u', path, NULL, NULL, 0, 0);
  return status;
}
