// Stands between a program and the C library (LD_PRELOAD) and sends its signals at a bad moment: while the stack's register points
// into data, as it does inside some of oneDNN's kernels. Signals that a process sends to itself by kill() go this way; the process
// ends with 98 when a handler wrote over the data.

#define _GNU_SOURCE
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { size = 1 << 20, pattern = 0xA5 };

static long kill_amid_data(long process, long number, char *data) {
  long result;
#if defined(__x86_64__)
  __asm__ volatile(
      "movq %%rsp, %%r12\n\t"
      "movq %[data], %%rsp\n\t"
      "syscall\n\t"
      "movq %%r12, %%rsp\n\t"
      : "=a"(result)
      : "a"((long)SYS_kill), "D"(process), "S"(number), [data] "r"(data)
      : "r12", "rcx", "r11", "memory");
#else
  (void)data;
  result = syscall(SYS_kill, process, number);
#endif
  return result;
}

int kill(pid_t process, int number) {
  if (process != getpid()) return (int)syscall(SYS_kill, process, number);
  unsigned char *data = malloc(size);
  memset(data, pattern, size);
  long result = kill_amid_data(process, number, (char *)data + size / 2);
  for (int i = 0; i < size; i++) {
    if (data[i] != pattern) _exit(98);
  }
  free(data);
  return (int)result;
}
