// Stands between a program and libhdf5 (LD_PRELOAD): in the process that was started, and in no copy of it or other program that it
// starts, what HANGS names is read for ever: "datasets", the first that is opened, or "strings", the first of any length that are read.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static pid_t started;
static bool hangs_at_datasets, hangs_at_strings;

__attribute__((constructor)) static void prepare(void) {
  const char *what = getenv("HANGS");
  hangs_at_datasets = what && strcmp(what, "datasets") == 0;
  hangs_at_strings = what && strcmp(what, "strings") == 0;
  started = getpid();
  unsetenv("LD_PRELOAD");
}

static void hang_if(bool is_meant) {
  while (is_meant && getpid() == started) {
  }
}

static bool has_any_length(int64_t type) {
  int (*is_variable)(int64_t) = dlsym(RTLD_NEXT, "H5Tis_variable_str");
  return is_variable(type) > 0;
}

int64_t H5Dopen2(int64_t place, const char *name, int64_t access) {
  hang_if(hangs_at_datasets);
  int64_t (*actual)(int64_t, const char *, int64_t) = dlsym(RTLD_NEXT, "H5Dopen2");
  return actual(place, name, access);
}

int H5Aread(int64_t attribute, int64_t type, void *values) {
  hang_if(hangs_at_strings && has_any_length(type));
  int (*actual)(int64_t, int64_t, void *) = dlsym(RTLD_NEXT, "H5Aread");
  return actual(attribute, type, values);
}

int H5Dread(int64_t dataset, int64_t type, int64_t memory, int64_t file, int64_t properties, void *values) {
  hang_if(hangs_at_strings && has_any_length(type));
  int (*actual)(int64_t, int64_t, int64_t, int64_t, int64_t, void *) = dlsym(RTLD_NEXT, "H5Dread");
  return actual(dataset, type, memory, file, properties, values);
}
