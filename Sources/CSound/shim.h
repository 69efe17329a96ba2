#ifndef CSOUND_SHIM_H
#define CSOUND_SHIM_H

#include <stdlib.h>
#include <string.h>

#include <kissfft/kiss_fftr.h>
#include <samplerate.h>
#include <sndfile.h>

// A macro in the library.
static inline void csound_free_plan(kiss_fftr_cfg plan) { kiss_fftr_free(plan); }

// Sound files in memory: libsndfile reads them through functions that are given a place in the bytes.

typedef struct {
  const unsigned char *bytes;
  sf_count_t count;
  sf_count_t position;
} csound_memory;

static inline sf_count_t csound_memory_length(void *data) { return ((csound_memory *)data)->count; }

static inline sf_count_t csound_memory_seek(sf_count_t offset, int whence, void *data) {
  csound_memory *memory = (csound_memory *)data;
  sf_count_t start = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? memory->position : memory->count;
  // Neither end is passed, whatever a damaged file asks for.
  if (offset < -start) offset = -start;
  if (offset > memory->count - start) offset = memory->count - start;
  memory->position = start + offset;
  return memory->position;
}

static inline sf_count_t csound_memory_read(void *target, sf_count_t count, void *data) {
  csound_memory *memory = (csound_memory *)data;
  if (count > memory->count - memory->position) count = memory->count - memory->position;
  if (count <= 0) return 0;
  memcpy(target, memory->bytes + memory->position, (size_t)count);
  memory->position += count;
  return count;
}

static inline sf_count_t csound_memory_write(const void *source, sf_count_t count, void *data) {
  (void)source;
  (void)count;
  (void)data;
  return 0;
}

static inline sf_count_t csound_memory_tell(void *data) { return ((csound_memory *)data)->position; }

// `bytes` must stay until the file is closed; `memory` is freed by csound_close.
static inline SNDFILE *csound_open(const unsigned char *bytes, size_t count, SF_INFO *info, csound_memory **memory) {
  *memory = (csound_memory *)calloc(1, sizeof(csound_memory));
  if (!*memory) return NULL;
  (*memory)->bytes = bytes;
  (*memory)->count = (sf_count_t)count;
  SF_VIRTUAL_IO functions = {
      csound_memory_length, csound_memory_seek, csound_memory_read, csound_memory_write, csound_memory_tell};
  memset(info, 0, sizeof *info);
  return sf_open_virtual(&functions, SFM_READ, info, *memory);
}

static inline void csound_close(SNDFILE *file, csound_memory *memory) {
  if (file) sf_close(file);
  free(memory);
}

#endif
