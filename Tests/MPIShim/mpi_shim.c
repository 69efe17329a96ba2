/* A plug-in for MPI that stands between a rank and the real one, and loses or delays what ranks tell each other.

   CONVOY_MPI names this file, MPI_SHIM_PLUG_IN the real plug-in, and MPI_SHIM what happens, on rank MPI_SHIM_RANK alone:
     delay:MS     each call begins up to so many milliseconds late (on all ranks)
     lose:CALL    of the exchange with this number, from 0, what the next rank gets is lost; those in which it gets nothing do not count
     hang:CALL    the call with this number never ends
     late:S       the rank joins the others so many seconds late
     bad:CALL     the first four bytes that this rank sends in the exchange with this number are those of a NaN */

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *real;
static int own, size;
static long calls, exchanges;
static unsigned long dice;

static void *function(const char *name) {
  if (!real) {
    const char *path = getenv("MPI_SHIM_PLUG_IN");
    real = path ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
    if (!real) {
      fprintf(stderr, "shim: MPI_SHIM_PLUG_IN: %s\n", path ? dlerror() : "is not set");
      abort();
    }
  }
  void *found = dlsym(real, name);
  if (!found) abort();
  return found;
}

/* The number behind a word of MPI_SHIM; -1 where something else is asked for. */
static long asked(const char *word) {
  const char *text = getenv("MPI_SHIM");
  size_t length = strlen(word);
  if (!text || strncmp(text, word, length) || text[length] != ':') return -1;
  return atol(text + length + 1);
}

static int is_chosen(void) {
  const char *rank = getenv("MPI_SHIM_RANK");
  return own == (rank ? atoi(rank) : 0);
}

static void begin_call(void) {
  long most = asked("delay");
  if (most > 0) {
    dice = dice * 6364136223846793005ul + 1442695040888963407ul;
    usleep((useconds_t)((dice >> 33) % (unsigned long)(most * 1000)));
  }
  if (calls++ == asked("hang") && is_chosen())
    for (;;) pause();
}

int convoy_mpi_interface(void) { return ((int (*)(void))function("convoy_mpi_interface"))(); }

int convoy_mpi_library(char *text, int capacity) {
  return ((int (*)(char *, int))function("convoy_mpi_library"))(text, capacity);
}

int convoy_mpi_start(int *rank, int *count) {
  const char *names[] = {"OMPI_COMM_WORLD_RANK", "PMI_RANK", "SLURM_PROCID"};
  for (int index = 2; index >= 0; index--)
    if (getenv(names[index])) own = atoi(getenv(names[index]));
  long seconds = asked("late");
  if (seconds > 0 && is_chosen()) sleep((unsigned)seconds);
  int status = ((int (*)(int *, int *))function("convoy_mpi_start"))(rank, count);
  own = *rank;
  size = *count;
  dice = (unsigned long)own + 1;
  return status;
}

void convoy_mpi_error(int code, char *text, int capacity) {
  ((void (*)(int, char *, int))function("convoy_mpi_error"))(code, text, capacity);
}

typedef int (*start_type)(const void *const *, const size_t *, void *const *, const size_t *, int *);

int convoy_mpi_exchange_start(const void *const *out, const size_t *out_bytes, void *const *in, const size_t *in_bytes,
                              int *place) {
  begin_call();
  start_type start = (start_type)function("convoy_mpi_exchange_start");
  int next = (own + 1) % size;
  long number = out_bytes[next] >= 4 ? exchanges++ : -2;
  if (number == asked("lose") && is_chosen()) {
    size_t fewer[size];
    memcpy(fewer, out_bytes, sizeof fewer);
    fewer[next] = 0;
    return start(out, fewer, in, in_bytes, place);
  }
  if (number == asked("bad") && is_chosen()) {
    const void *other[size];
    memcpy(other, out, sizeof other);
    /* The message travels on after this returns, so its memory is kept. */
    char *copy = malloc(out_bytes[next]);
    if (!copy) abort();
    memcpy(copy, out[next], out_bytes[next]);
    memcpy(copy, "\x00\x00\xc0\x7f", 4);
    other[next] = copy;
    return start(other, out_bytes, in, in_bytes, place);
  }
  return start(out, out_bytes, in, in_bytes, place);
}

int convoy_mpi_exchange_wait(int place, double limit) {
  begin_call();
  return ((int (*)(int, double))function("convoy_mpi_exchange_wait"))(place, limit);
}

int convoy_mpi_gather(void *base, const size_t *starts, const size_t *ends, double limit) {
  begin_call();
  return ((int (*)(void *, const size_t *, const size_t *, double))function("convoy_mpi_gather"))(base, starts, ends,
                                                                                                   limit);
}

void convoy_mpi_progress(void) { ((void (*)(void))function("convoy_mpi_progress"))(); }

void convoy_mpi_abort(int code) { ((void (*)(int))function("convoy_mpi_abort"))(code); }

void convoy_mpi_finish(void) { ((void (*)(void))function("convoy_mpi_finish"))(); }
