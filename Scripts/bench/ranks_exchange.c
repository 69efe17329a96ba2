/* Times Convoy's exchange of a gradient between ranks beside MPI_Allreduce of the same size. See Scripts/bench-ranks.

   mpicc -O3 -march=native -o ranks_exchange ranks_exchange.c;  mpirun -n R ranks_exchange FLOATS…

   What a step does with one partial sum for each rank: everybody sends every other one its slice, the owner adds the partial sums in
   the order of a binary tree, and all get all slices. It is the plug-in's code that moves the bytes. Rounds take turns; a round
   takes as long as its slowest rank. For each size prints the floats, then in milliseconds the shortest and the median round of the exchange
   and of MPI_Allreduce, and how many elements of MPI_Allreduce's sum differ from the tree's. */

#include "../mpi-plugin.c"

static int by_size(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

static double slowest(double seconds) {
  double most = 0;
  MPI_Allreduce(&seconds, &most, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
  return most;
}

enum { PART = 2048 };

/* The sum of rows first..<end from `start` on, in the order of a binary tree over `height` rows; in `scratch`, which has a part for
   each level, or in the row itself where there is only one. */
static const float *tree_sum(const float *const *rows, int first, int height, int end, size_t start, size_t count,
                             float *scratch) {
  if (height == 1) return rows[first] + start;
  int half = height / 2;
  const float *left = tree_sum(rows, first, half, end, start, count, scratch);
  if (first + half >= end) return left;
  const float *right = tree_sum(rows, first + half, half, end, start, count, scratch + PART);
  for (size_t index = 0; index < count; index++) scratch[index] = left[index] + right[index];
  return scratch;
}

/* Adds rows of `count` floats into `sum`, a part that fits into a first-level cache after the other. */
static void add_rows(float *sum, const float *const *rows, int rank_count, size_t count) {
  float scratch[16 * PART];
  int height = 1;
  while (height < rank_count) height *= 2;
  for (size_t start = 0; start < count; start += PART) {
    size_t length = count - start < PART ? count - start : PART;
    memcpy(sum + start, tree_sum(rows, 0, height, rank_count, start, length, scratch), length * sizeof *sum);
  }
}

int main(int argc, char **argv) {
  int rank, count;
  if (convoy_mpi_start(&rank, &count)) return 1;
  enum { ROUNDS = 21 };
  for (int argument = 1; argument < argc; argument++) {
    size_t floats = strtoull(argv[argument], NULL, 10);
    float *gradient = malloc(floats * sizeof *gradient), *parameters = malloc(floats * sizeof *parameters);
    float *theirs = malloc(floats * sizeof *theirs);
    size_t starts[count], ends[count], out_bytes[count], in_bytes[count];
    const void *out[count];
    void *in[count];
    const float *rows[count];
    for (int r = 0; r < count; r++) {
      starts[r] = floats * r / count * sizeof(float);
      ends[r] = floats * (r + 1) / count * sizeof(float);
    }
    size_t part = ends[rank] - starts[rank];
    for (int r = 0; r < count; r++) {
      out[r] = (char *)gradient + starts[r];
      out_bytes[r] = r == rank ? 0 : ends[r] - starts[r];
      in[r] = r == rank ? NULL : malloc(part + 64);
      rows[r] = r == rank ? (float *)((char *)gradient + starts[rank]) : in[r];
      in_bytes[r] = r == rank ? 0 : part;
    }
    double ours[ROUNDS], library[ROUNDS];
    long differ = 0;
    for (int round = -2; round < ROUNDS; round++) {
      unsigned state = 1 + 7919 * (unsigned)rank;
      for (size_t index = 0; index < floats; index++) {
        state = state * 1664525u + 1013904223u;
        gradient[index] = (float)(int)state * 0x1p-31f;
      }
      MPI_Barrier(MPI_COMM_WORLD);
      double start = MPI_Wtime();
      int status = exchange(out, out_bytes, in, in_bytes, 60);
      add_rows((float *)((char *)parameters + starts[rank]), rows, count, part / sizeof(float));
      if (!status) status = convoy_mpi_gather(parameters, starts, ends, 60);
      double seconds = slowest(MPI_Wtime() - start);
      if (status) convoy_mpi_abort(1);
      MPI_Barrier(MPI_COMM_WORLD);
      start = MPI_Wtime();
      MPI_Allreduce(gradient, theirs, (int)floats, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
      double other = slowest(MPI_Wtime() - start);
      if (round < 0) continue;
      ours[round] = seconds;
      library[round] = other;
      differ = 0;
      for (size_t index = 0; index < floats; index++) differ += memcmp(&theirs[index], &parameters[index], 4) != 0;
    }
    qsort(ours, ROUNDS, sizeof *ours, by_size);
    qsort(library, ROUNDS, sizeof *library, by_size);
    if (rank == 0)
      printf("%zu %.4f %.4f %.4f %.4f %ld\n", floats, ours[0] * 1e3, ours[ROUNDS / 2] * 1e3, library[0] * 1e3,
             library[ROUNDS / 2] * 1e3, differ);
    fflush(stdout);
    for (int r = 0; r < count; r++) free(in[r]);
    free(gradient);
    free(parameters);
    free(theirs);
  }
  convoy_mpi_finish();
  return 0;
}
