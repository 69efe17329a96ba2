/* Convoy's plug-in for MPI: moves bytes between the ranks of a training.

   Built where it runs, by the MPI that is there:  mpicc -O2 -shared -fPIC -o convoy-mpi.so mpi-plugin.c
   `convoy mpi build` does that. The program opens the result when a launcher of MPI has started it, and needs no MPI otherwise.

   Nothing is added or compared here, so that no result depends on how an MPI library moves bytes. Calls never wait without an end: they
   ask, sleep, and give up after a limit. All calls come from one thread. */

#include <mpi.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Changes whenever a function below changes. */
#define INTERFACE 3
/* The count of a message is an int. */
#define PIECE ((size_t)1 << 30)
/* Gathers of more bytes than this are left to the library's own algorithms; smaller ones tell who is missing. */
#define SMALL ((size_t)1 << 16)

static MPI_Comm ranks = MPI_COMM_NULL;
static int own, size;
/* Of the exchanges so far. Messages bear it, so that none is ever taken for one of another exchange. */
static int number;
#define NUMBERS 0x7fff

int convoy_mpi_interface(void) { return INTERFACE; }

/* The name and version of the library; may be called before the start. */
int convoy_mpi_library(char *text, int capacity) {
  char version[MPI_MAX_LIBRARY_VERSION_STRING];
  int length = 0;
  if (MPI_Get_library_version(version, &length) != MPI_SUCCESS) return 1;
  snprintf(text, (size_t)capacity, "%s", version);
  return 0;
}

/* Joins the others; 0, or an error code of MPI. */
int convoy_mpi_start(int *rank, int *count) {
  int level = MPI_THREAD_SINGLE, is_started = 0;
  MPI_Initialized(&is_started);
  int status = is_started ? MPI_SUCCESS : MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &level);
  if (status == MPI_SUCCESS) status = MPI_Comm_dup(MPI_COMM_WORLD, &ranks);
  if (status != MPI_SUCCESS) return status;
  MPI_Comm_set_errhandler(ranks, MPI_ERRORS_RETURN);
  MPI_Comm_rank(ranks, &own);
  MPI_Comm_size(ranks, &size);
  *rank = own;
  *count = size;
  return 0;
}

/* The text of an error code. */
void convoy_mpi_error(int code, char *text, int capacity) {
  char message[MPI_MAX_ERROR_STRING];
  int length = 0;
  if (MPI_Error_string(code, message, &length) != MPI_SUCCESS) length = 0;
  snprintf(text, (size_t)capacity, "%.*s", length, message);
}

/* Waits for all requests, for `limit` seconds at the most. Returns 0 when they are done, the code of an error, or -1 - r where
   the limit passed while rank r was missing; -1 - size where it is not known who was. `statuses` may be MPI_STATUSES_IGNORE. */
static int wait_all(MPI_Request *requests, MPI_Status *statuses, const int *peers, int count, double limit) {
  double start = MPI_Wtime();
  for (long turn = 0;; turn++) {
    int done = 0;
    int status = MPI_Testall(count, requests, &done, statuses);
    if (status != MPI_SUCCESS) return status;
    if (done) return 0;
    if (turn < 4000) {
      /* Whoever shares a core with this rank gets on. */
      if (turn % 16 == 15) sched_yield();
      continue;
    }
    if (MPI_Wtime() - start > limit) {
      for (int index = 0; index < count; index++) {
        int is_done = 0;
        if (requests[index] == MPI_REQUEST_NULL) continue;
        MPI_Request_get_status(requests[index], &is_done, MPI_STATUS_IGNORE);
        if (!is_done && peers) return -1 - peers[index];
      }
      return -1 - size;
    }
    usleep(turn < 40000 ? 20 : 500);
  }
}

static size_t pieces(size_t bytes) { return (bytes + PIECE - 1) / PIECE; }

/* Exchanges under way. */
#define MOST_EXCHANGES 8
static struct {
  MPI_Request *requests;
  MPI_Status *statuses;
  int *peers, *lengths;
  int count, received;
} exchanges[MOST_EXCHANGES];

/* Begins to send `out_bytes[r]` bytes to each rank r and to receive `in_bytes[r]` from it. The memory belongs to the exchange until
   it is waited for. Gives its place; 0, or the code of an error, after which the caller ends all ranks. */
int convoy_mpi_exchange_start(const void *const *out, const size_t *out_bytes, void *const *in, const size_t *in_bytes,
                              int *place) {
  int free_place = 0;
  while (free_place < MOST_EXCHANGES && exchanges[free_place].requests) free_place++;
  if (free_place == MOST_EXCHANGES) return MPI_ERR_OTHER;
  size_t most = 0;
  for (int rank = 0; rank < size; rank++) most += pieces(out_bytes[rank]) + pieces(in_bytes[rank]);
  MPI_Request *requests = malloc((most + 1) * sizeof *requests);
  MPI_Status *statuses = malloc((most + 1) * sizeof *statuses);
  int *peers = calloc(most + 1, sizeof *peers), *lengths = malloc((most + 1) * sizeof *lengths);
  int count = 0, received = 0, tag = number;
  int status = requests && statuses && peers && lengths ? MPI_SUCCESS : MPI_ERR_NO_MEM;
  number = (number + 1) % NUMBERS;
  for (int step = 1; step < size && status == MPI_SUCCESS; step++) {
    int rank = (own + size - step) % size;
    for (size_t start = 0; start < in_bytes[rank] && status == MPI_SUCCESS; start += PIECE) {
      size_t rest = in_bytes[rank] - start;
      peers[count] = rank;
      lengths[count] = (int)(rest < PIECE ? rest : PIECE);
      status = MPI_Irecv((char *)in[rank] + start, lengths[count], MPI_BYTE, rank, tag, ranks, &requests[count]);
      count++;
    }
  }
  received = count;
  for (int step = 1; step < size && status == MPI_SUCCESS; step++) {
    int rank = (own + step) % size;
    for (size_t start = 0; start < out_bytes[rank] && status == MPI_SUCCESS; start += PIECE) {
      size_t rest = out_bytes[rank] - start;
      peers[count] = rank;
      status = MPI_Isend((const char *)out[rank] + start, (int)(rest < PIECE ? rest : PIECE), MPI_BYTE, rank, tag,
                         ranks, &requests[count++]);
    }
  }
  if (status != MPI_SUCCESS) return status;
  exchanges[free_place].requests = requests;
  exchanges[free_place].statuses = statuses;
  exchanges[free_place].peers = peers;
  exchanges[free_place].lengths = lengths;
  exchanges[free_place].count = count;
  exchanges[free_place].received = received;
  *place = free_place;
  return 0;
}

/* Waits for an exchange; results as of wait_all. */
int convoy_mpi_exchange_wait(int place, double limit) {
  int count = exchanges[place].count;
  MPI_Status *statuses = exchanges[place].statuses;
  int status = wait_all(exchanges[place].requests, statuses, exchanges[place].peers, count, limit);
  /* What still travels keeps its memory: the caller ends all ranks. */
  if (status < 0) return status;
  for (int index = 0; index < exchanges[place].received && status == MPI_SUCCESS; index++) {
    int bytes = 0;
    MPI_Get_count(&statuses[index], MPI_BYTE, &bytes);
    if (bytes != exchanges[place].lengths[index]) status = MPI_ERR_TRUNCATE;
  }
  free(exchanges[place].requests);
  free(statuses);
  free(exchanges[place].peers);
  free(exchanges[place].lengths);
  exchanges[place].requests = NULL;
  return status;
}

/* Both, one after the other. */
static int exchange(const void *const *out, const size_t *out_bytes, void *const *in, const size_t *in_bytes,
                    double limit) {
  int place = 0;
  int status = convoy_mpi_exchange_start(out, out_bytes, in, in_bytes, &place);
  return status ? status : convoy_mpi_exchange_wait(place, limit);
}

/* Gives every rank the bytes starts[r] to ends[r] of `base` that rank r has. Results as of wait_all. */
int convoy_mpi_gather(void *base, const size_t *starts, const size_t *ends, double limit) {
  size_t total = 0, end = 0;
  for (int rank = 0; rank < size; rank++) {
    total += ends[rank] - starts[rank];
    if (ends[rank] > end) end = ends[rank];
  }
  if (total > SMALL && end < PIECE) {
    int *counts = malloc((size_t)size * sizeof *counts), *places = malloc((size_t)size * sizeof *places);
    MPI_Request request;
    int status = counts && places ? MPI_SUCCESS : MPI_ERR_NO_MEM;
    if (status == MPI_SUCCESS) {
      for (int rank = 0; rank < size; rank++) {
        counts[rank] = (int)(ends[rank] - starts[rank]);
        places[rank] = (int)starts[rank];
      }
      status = MPI_Iallgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, base, counts, places, MPI_BYTE, ranks, &request);
    }
    if (status == MPI_SUCCESS) status = wait_all(&request, MPI_STATUSES_IGNORE, NULL, 1, limit);
    free(counts);
    free(places);
    return status;
  }
  const void **out = malloc((size_t)size * sizeof *out);
  void **in = malloc((size_t)size * sizeof *in);
  size_t *out_bytes = malloc((size_t)size * sizeof *out_bytes), *in_bytes = malloc((size_t)size * sizeof *in_bytes);
  int status = MPI_ERR_NO_MEM;
  if (out && in && out_bytes && in_bytes) {
    for (int rank = 0; rank < size; rank++) {
      out[rank] = (char *)base + starts[own];
      in[rank] = (char *)base + starts[rank];
      out_bytes[rank] = rank == own ? 0 : ends[own] - starts[own];
      in_bytes[rank] = rank == own ? 0 : ends[rank] - starts[rank];
    }
    status = exchange(out, out_bytes, in, in_bytes, limit);
  }
  free(out);
  free(in);
  free(out_bytes);
  free(in_bytes);
  return status;
}

/* Lets the library answer other ranks, without a message of our own. */
void convoy_mpi_progress(void) {
  int flag = 0;
  if (ranks != MPI_COMM_NULL) MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, ranks, &flag, MPI_STATUS_IGNORE);
}

/* Ends all ranks. */
void convoy_mpi_abort(int code) { MPI_Abort(ranks == MPI_COMM_NULL ? MPI_COMM_WORLD : ranks, code); }

/* Leaves the others, who leave, too. */
void convoy_mpi_finish(void) {
  if (ranks != MPI_COMM_NULL) MPI_Comm_free(&ranks);
  MPI_Finalize();
}
