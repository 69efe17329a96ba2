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

// A picture of four inks is given as it is stored: the library knows no way from there to red, green and blue.
static inline void cimagecodecs_jpeg_set_colors(cimagecodecs_jpeg_reader *reader, J_COLOR_SPACE space) {
  reader->state.out_color_space = space;
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

// Reading PNG. The library's simplified interface converts colours by what a file says of its gamma and its profile;
// this one leaves those chunks out. It jumps as libjpeg does.

typedef struct {
  png_structp png;
  png_infop info;
  const unsigned char *bytes;
  size_t count;
  size_t position;
  char message[128];
} cimagecodecs_png_reader;

static inline void cimagecodecs_png_exit(png_structp png, png_const_charp text) {
  cimagecodecs_png_reader *reader = (cimagecodecs_png_reader *)png_get_error_ptr(png);
  snprintf(reader->message, sizeof reader->message, "%s", text);
  png_longjmp(png, 1);
}

static inline void cimagecodecs_png_note(png_structp png, png_const_charp text) {
  (void)png;
  (void)text;
}

static inline void cimagecodecs_png_take(png_structp png, png_bytep target, size_t count) {
  cimagecodecs_png_reader *reader = (cimagecodecs_png_reader *)png_get_io_ptr(png);
  if (count > reader->count - reader->position) png_error(png, "it ends early");
  memcpy(target, reader->bytes + reader->position, count);
  reader->position += count;
}

// `bytes` must stay until the reader is freed.
static inline cimagecodecs_png_reader *cimagecodecs_png_reader_make(const unsigned char *bytes, size_t count) {
  cimagecodecs_png_reader *reader = (cimagecodecs_png_reader *)calloc(1, sizeof(cimagecodecs_png_reader));
  if (!reader) return NULL;
  reader->bytes = bytes;
  reader->count = count;
  reader->png = png_create_read_struct(
      PNG_LIBPNG_VER_STRING, reader, cimagecodecs_png_exit, cimagecodecs_png_note);
  if (reader->png) reader->info = png_create_info_struct(reader->png);
  if (reader->info) return reader;
  png_destroy_read_struct(&reader->png, NULL, NULL);
  free(reader);
  return NULL;
}

static inline void cimagecodecs_png_reader_free(cimagecodecs_png_reader *reader) {
  png_destroy_read_struct(&reader->png, &reader->info, NULL);
  free(reader);
}

static inline const char *cimagecodecs_png_reader_message(const cimagecodecs_png_reader *reader) {
  return reader->message;
}

static inline int cimagecodecs_png_read_header(cimagecodecs_png_reader *reader) {
  if (setjmp(png_jmpbuf(reader->png))) return 0;
  png_set_read_fn(reader->png, reader, cimagecodecs_png_take);
  // Of all chunks those alone that pixels are made of: header, palette, transparency, data, end.
  png_set_keep_unknown_chunks(reader->png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
  png_read_info(reader->png, reader->info);
  return 1;
}

static inline unsigned cimagecodecs_png_width(const cimagecodecs_png_reader *reader) {
  return png_get_image_width(reader->png, reader->info);
}

static inline unsigned cimagecodecs_png_height(const cimagecodecs_png_reader *reader) {
  return png_get_image_height(reader->png, reader->info);
}

static inline int cimagecodecs_png_is_colored(const cimagecodecs_png_reader *reader) {
  return (png_get_color_type(reader->png, reader->info) & PNG_COLOR_MASK_COLOR) != 0;
}

static inline int cimagecodecs_png_is_transparent(const cimagecodecs_png_reader *reader) {
  return (png_get_color_type(reader->png, reader->info) & PNG_COLOR_MASK_ALPHA) != 0
      || png_get_valid(reader->png, reader->info, PNG_INFO_tRNS) != 0;
}

// Rows of one byte a channel, `stride` bytes from one to the next.
static inline int cimagecodecs_png_read_rows(
    cimagecodecs_png_reader *reader, unsigned char *pixels, size_t stride) {
  if (setjmp(png_jmpbuf(reader->png))) return 0;
  png_set_expand(reader->png);
  png_set_strip_16(reader->png);
  if (cimagecodecs_png_is_transparent(reader)) png_set_gray_to_rgb(reader->png);
  int passes = png_set_interlace_handling(reader->png);
  png_read_update_info(reader->png, reader->info);
  if (png_get_rowbytes(reader->png, reader->info) != stride) png_error(reader->png, "its rows are of another length");
  for (int pass = 0; pass < passes; pass++) {
    for (png_uint_32 row = 0; row < png_get_image_height(reader->png, reader->info); row++) {
      png_read_row(reader->png, pixels + row * stride, NULL);
    }
  }
  return 1;
}

// The message of libpng's simplified interface: a fixed array, which Swift would import as a tuple.
static inline const char *cimagecodecs_png_message(const png_image *image) { return image->message; }

#endif
