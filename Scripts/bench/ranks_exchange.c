/* Times Convoy's exchange of a gradient between ranks beside MPI_Allreduce of the same size. See Scripts/bench-ranks.

   mpicc -O3 -march=native -o ranks_exchange ranks_exchange.c;  mpirun -n R ranks_exchange FLOATS…

   What a step does with one partial sum for each rank: everybody sends every other one its slice, the owner adds the partial sums in
   the order of a binary tree, and all get all slices. It is the plug-in's code that moves the bytes. Rounds take turns; a round
   takes as long as its slowest rank. Prints the medians in milliseconds, and how many elements of MPI_Allreduce's sum differ from the tree's. */

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

/* Adds rows of `count` floats in the order of a binary tree, into the first. */
static void add_rows(float **rows, int height, size_t count) {
  enum { PART = 2048 };
  for (size_t start = 0; start < count; start += PART) {
    size_t end = start + PART < count ? start + PART : count;
    for (int step = 1; step < height; step *= 2)
      for (int row = 0; row + step < height; row += 2 * step)
        for (size_t index = start; index < end; index++) rows[row][index] += rows[row + step][index];
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
    float *rows[count];
    for (int r = 0; r < count; r++) {
      starts[r] = floats * r / count * sizeof(float);
      ends[r] = floats * (r + 1) / count * sizeof(float);
    }
    size_t part = ends[rank] - starts[rank];
    for (int r = 0; r < count; r++) {
      out[r] = (char *)gradient + starts[r];
      out_bytes[r] = r == rank ? 0 : ends[r] - starts[r];
      rows[r] = malloc(part + 64);
      in[r] = rows[r];
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
      int status = convoy_mpi_exchange(out, out_bytes, in, in_bytes, 60);
      memcpy(rows[rank], (char *)gradient + starts[rank], part);
      add_rows(rows, count, part / sizeof(float));
      memcpy((char *)parameters + starts[rank], rows[0], part);
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
      printf("%zu %.4f %.4f %ld\n", floats, ours[ROUNDS / 2] * 1e3, library[ROUNDS / 2] * 1e3, differ);
    fflush(stdout);
    for (int r = 0; r < count; r++) free(rows[r]);
    free(gradient);
    free(parameters);
    free(theirs);
  }
  convoy_mpi_finish();
  return 0;
}
