// Stands between a program and libhdf5 (LD_PRELOAD): in the process that was started, and in no copy of it or other program that it
// starts, the first dataset that is opened is read for ever.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

static pid_t started;

__attribute__((constructor)) static void prepare(void) {
  started = getpid();
  unsetenv("LD_PRELOAD");
}

int64_t H5Dopen2(int64_t place, const char *name, int64_t access) {
  while (getpid() == started) {
  }
  int64_t (*actual)(int64_t, const char *, int64_t) = dlsym(RTLD_NEXT, "H5Dopen2");
  return actual(place, name, access);
}
