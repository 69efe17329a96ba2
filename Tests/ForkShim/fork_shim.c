// Stands between a program and the C library (LD_PRELOAD) and makes copies of the program: where it first touches a file of one folder
// it stops, and goes on in a copy each time it is asked.
//
//   FORK_ROOT   the folder; paths are compared as given, so it must be absolute
//   FORK_LOG    file that takes what a copy prints; made anew by each
//
// Descriptor 198 is read, 199 written. When the program has come to the folder, it writes one byte. Each byte that it reads then makes a
// copy; its process number is written (4 bytes), and when it has ended its status (4 bytes) and its peak of memory in KiB (8 bytes). The
// program ends when no byte comes any more, with 97 where it has threads, which a copy would lack.

#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { requests = 198, answers = 199 };

static char *root;
static char *log_path;

// Before main: programs that this one starts are to read files as usual.
__attribute__((constructor)) static void prepare(void) {
  const char *folder = getenv("FORK_ROOT"), *log = getenv("FORK_LOG");
  if (!folder || !log) return;
  log_path = strdup(log);
  root = strdup(folder);
  unsetenv("FORK_ROOT");
  unsetenv("FORK_LOG");
  unsetenv("LD_PRELOAD");
}

static int thread_count(void) {
  int count = 0;
  DIR *folder = opendir("/proc/self/task");
  if (!folder) return -1;
  for (struct dirent *entry; (entry = readdir(folder));) count += entry->d_name[0] != '.';
  closedir(folder);
  return count;
}

static void answer(const void *bytes, size_t count) {
  if (write(answers, bytes, count) != (ssize_t)count) _exit(98);
}

// Swift's runtime asks once for the number of a thread, by which the kernel knows who holds a lock, and remembers it in variables of the
// thread: 0 before. A copy has another number.
static int forget_number(struct dl_phdr_info *library, size_t size, void *data) {
  pid_t former = *(pid_t *)data;
  // The C library sees to its own.
  if (!library->dlpi_tls_data || strstr(library->dlpi_name, "/libc.so") || strstr(library->dlpi_name, "/ld-linux")) return 0;
  for (int i = 0; i < library->dlpi_phnum; i++) {
    if (library->dlpi_phdr[i].p_type != PT_TLS) continue;
    pid_t *words = library->dlpi_tls_data;
    for (size_t k = 0; k < library->dlpi_phdr[i].p_memsz / sizeof *words; k++) {
      if (words[k] == former) words[k] = 0;
    }
  }
  return 0;
}

// Of two processes, the copy returns.
static void serve(void) {
  if (thread_count() != 1) _exit(97);
  pid_t own = getpid();
  answer("", 1);
  for (char request;;) {
    if (read(requests, &request, 1) != 1) _exit(0);
    pid_t pid = fork();
    if (pid < 0) _exit(98);
    if (pid == 0) break;
    int32_t number = pid;
    answer(&number, sizeof number);
    int status;
    struct rusage usage;
    while (wait4(pid, &status, 0, &usage) < 0) {}
    int32_t ending = status;
    int64_t peak = usage.ru_maxrss;
    answer(&ending, sizeof ending);
    answer(&peak, sizeof peak);
  }
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  dl_iterate_phdr(forget_number, &own);
  close(requests);
  close(answers);
  int output = (int)syscall(SYS_openat, AT_FDCWD, log_path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (output < 0) _exit(98);
  dup2(output, 1);
  dup2(output, 2);
  close(output);
}

static void meet(const char *path) {
  if (!root || !path) return;
  size_t length = strlen(root);
  if (strncmp(path, root, length) != 0 || (path[length] != '/' && path[length] != 0)) return;
  root = NULL;
  serve();
}

#define NEXT(name) __typeof__(&name) next = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

int stat(const char *path, struct stat *status) {
  meet(path);
  NEXT(stat);
  return next(path, status);
}

int stat64(const char *path, struct stat64 *status) {
  meet(path);
  NEXT(stat64);
  return next(path, status);
}

int lstat(const char *path, struct stat *status) {
  meet(path);
  NEXT(lstat);
  return next(path, status);
}

int lstat64(const char *path, struct stat64 *status) {
  meet(path);
  NEXT(lstat64);
  return next(path, status);
}

int fstatat(int folder, const char *path, struct stat *status, int flags) {
  meet(path);
  NEXT(fstatat);
  return next(folder, path, status, flags);
}

int fstatat64(int folder, const char *path, struct stat64 *status, int flags) {
  meet(path);
  NEXT(fstatat64);
  return next(folder, path, status, flags);
}

int statx(int folder, const char *path, int flags, unsigned mask, struct statx *status) {
  meet(path);
  NEXT(statx);
  return next(folder, path, flags, mask, status);
}

int access(const char *path, int mode) {
  meet(path);
  NEXT(access);
  return next(path, mode);
}

ssize_t readlink(const char *path, char *target, size_t size) {
  meet(path);
  NEXT(readlink);
  return next(path, target, size);
}

DIR *opendir(const char *path) {
  meet(path);
  NEXT(opendir);
  return next(path);
}

int mkdir(const char *path, mode_t mode) {
  meet(path);
  NEXT(mkdir);
  return next(path, mode);
}

FILE *fopen(const char *path, const char *mode) {
  meet(path);
  NEXT(fopen);
  return next(path, mode);
}

FILE *fopen64(const char *path, const char *mode) {
  meet(path);
  NEXT(fopen64);
  return next(path, mode);
}

// The last argument is there where a file may be made.
#define MODE(flags)                                                        \
  mode_t mode = 0;                                                         \
  if (((flags) & O_CREAT) || ((flags) & O_TMPFILE) == O_TMPFILE) {         \
    va_list arguments;                                                     \
    va_start(arguments, flags);                                            \
    mode = (mode_t)va_arg(arguments, int);                                 \
    va_end(arguments);                                                     \
  }

int open(const char *path, int flags, ...) {
  MODE(flags)
  meet(path);
  NEXT(open);
  return next(path, flags, mode);
}

int open64(const char *path, int flags, ...) {
  MODE(flags)
  meet(path);
  NEXT(open64);
  return next(path, flags, mode);
}

int openat(int folder, const char *path, int flags, ...) {
  MODE(flags)
  meet(path);
  NEXT(openat);
  return next(folder, path, flags, mode);
}

int openat64(int folder, const char *path, int flags, ...) {
  MODE(flags)
  meet(path);
  NEXT(openat64);
  return next(folder, path, flags, mode);
}
