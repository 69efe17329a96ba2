#ifndef CIMAGECODECS_SHIM_H
#define CIMAGECODECS_SHIM_H

#include <setjmp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>

#include <jpeglib.h>

#include <jerror.h>

// libjpeg reports errors by calling a function that must not return, so it has to jump, and Swift has no setjmp. Each
// function below makes one call to the library, or the few that always go together, and returns 0 where the library
// jumped out of it; `message` then says why.

typedef struct {
  struct jpeg_error_mgr manager;
  jmp_buf escape;
  char message[JMSG_LENGTH_MAX];
} cimagecodecs_jpeg_errors;

static inline void cimagecodecs_jpeg_exit(j_common_ptr state) {
  cimagecodecs_jpeg_errors *errors = (cimagecodecs_jpeg_errors *)state->err;
  errors->manager.format_message(state, errors->message);
  longjmp(errors->escape, 1);
}

// The library goes on with grey pixels where data is missing and only warns; here that is an error, too.
static inline void cimagecodecs_jpeg_note(j_common_ptr state, int level) {
  int code = state->err->msg_code;
  if (level < 0 && (code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER)) cimagecodecs_jpeg_exit(state);
}

static inline void cimagecodecs_jpeg_print(j_common_ptr state) { (void)state; }

static inline struct jpeg_error_mgr *cimagecodecs_jpeg_catch(cimagecodecs_jpeg_errors *errors) {
  jpeg_std_error(&errors->manager);
  errors->manager.error_exit = cimagecodecs_jpeg_exit;
  errors->manager.emit_message = cimagecodecs_jpeg_note;
  errors->manager.output_message = cimagecodecs_jpeg_print;
  return &errors->manager;
}

// Reading.

typedef struct {
  cimagecodecs_jpeg_errors errors;
  struct jpeg_decompress_struct state;
} cimagecodecs_jpeg_reader;

static inline cimagecodecs_jpeg_reader *cimagecodecs_jpeg_reader_make(void) {
  return (cimagecodecs_jpeg_reader *)calloc(1, sizeof(cimagecodecs_jpeg_reader));
}

static inline void cimagecodecs_jpeg_reader_free(cimagecodecs_jpeg_reader *reader) {
  jpeg_destroy_decompress(&reader->state);
  free(reader);
}

static inline const char *cimagecodecs_jpeg_reader_message(const cimagecodecs_jpeg_reader *reader) {
  return reader->errors.message;
}

// `bytes` must stay until the reader is freed.
static inline int cimagecodecs_jpeg_read_header(
    cimagecodecs_jpeg_reader *reader, const unsigned char *bytes, size_t count) {
  reader->state.err = cimagecodecs_jpeg_catch(&reader->errors);
  if (setjmp(reader->errors.escape)) return 0;
  jpeg_create_decompress(&reader->state);
  jpeg_mem_src(&reader->state, bytes, (unsigned long)count);
  jpeg_read_header(&reader->state, TRUE);
  return 1;
}

static inline int cimagecodecs_jpeg_start_reading(cimagecodecs_jpeg_reader *reader) {
  if (setjmp(reader->errors.escape)) return 0;
  jpeg_start_decompress(&reader->state);
  return 1;
}

static inline int cimagecodecs_jpeg_read_row(cimagecodecs_jpeg_reader *reader, unsigned char *row) {
  if (setjmp(reader->errors.escape)) return 0;
  return jpeg_read_scanlines(&reader->state, &row, 1) == 1;
}

static inline int cimagecodecs_jpeg_finish_reading(cimagecodecs_jpeg_reader *reader) {
  if (setjmp(reader->errors.escape)) return 0;
  jpeg_finish_decompress(&reader->state);
  return 1;
}

// Writing.

typedef struct {
  cimagecodecs_jpeg_errors errors;
  struct jpeg_compress_struct state;
  unsigned char *bytes;
  unsigned long count;
} cimagecodecs_jpeg_writer;

static inline cimagecodecs_jpeg_writer *cimagecodecs_jpeg_writer_make(void) {
  return (cimagecodecs_jpeg_writer *)calloc(1, sizeof(cimagecodecs_jpeg_writer));
}

static inline void cimagecodecs_jpeg_writer_free(cimagecodecs_jpeg_writer *writer) {
  jpeg_destroy_compress(&writer->state);
  free(writer->bytes);
  free(writer);
}

static inline const char *cimagecodecs_jpeg_writer_message(const cimagecodecs_jpeg_writer *writer) {
  return writer->errors.message;
}

static inline int cimagecodecs_jpeg_start_writing(
    cimagecodecs_jpeg_writer *writer, unsigned width, unsigned height, int channels, int quality) {
  writer->state.err = cimagecodecs_jpeg_catch(&writer->errors);
  if (setjmp(writer->errors.escape)) return 0;
  jpeg_create_compress(&writer->state);
  jpeg_mem_dest(&writer->state, &writer->bytes, &writer->count);
  writer->state.image_width = width;
  writer->state.image_height = height;
  writer->state.input_components = channels;
  writer->state.in_color_space = channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(&writer->state);
  jpeg_set_quality(&writer->state, quality, TRUE);
  jpeg_start_compress(&writer->state, TRUE);
  return 1;
}

static inline int cimagecodecs_jpeg_write_row(cimagecodecs_jpeg_writer *writer, const unsigned char *row) {
  if (setjmp(writer->errors.escape)) return 0;
  JSAMPROW rows = (JSAMPROW)row;
  return jpeg_write_scanlines(&writer->state, &rows, 1) == 1;
}

static inline int cimagecodecs_jpeg_finish_writing(cimagecodecs_jpeg_writer *writer) {
  if (setjmp(writer->errors.escape)) return 0;
  jpeg_finish_compress(&writer->state);
  return 1;
}

// The message of libpng's simplified interface: a fixed array, which Swift would import as a tuple.
static inline const char *cimagecodecs_png_message(const png_image *image) { return image->message; }

#endif
