#ifndef CZLIB_SHIM_H
#define CZLIB_SHIM_H

#include <zlib.h>

// The initialisers are macros that add the version and the size of the structure.
static inline int czlib_inflate_init(z_stream *stream) { return inflateInit(stream); }
// 15 is the largest window; 16 more asks for a gzip header and trailer.
static inline int czlib_inflate_init_gzip(z_stream *stream) { return inflateInit2(stream, 15 + 16); }

// Deflate alone, as in ZIP archives.
static inline int czlib_inflate_init_raw(z_stream *stream) { return inflateInit2(stream, -15); }

#endif
