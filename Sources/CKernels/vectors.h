// Operations that Swift's library has element by element: the compiler puts vectors together again, and some in parts of fewer
// elements. Here each is one operation for the CPU that the calling module is compiled for.
#pragma once

#define KERNELS_OPERATION static inline __attribute__((always_inline))

typedef float kernels_float8 __attribute__((ext_vector_type(8)));
typedef float kernels_float16 __attribute__((ext_vector_type(16)));

// a · b + c, rounded once.
KERNELS_OPERATION kernels_float8 kernels_fused8(kernels_float8 a, kernels_float8 b, kernels_float8 c) {
  return __builtin_elementwise_fma(a, b, c);
}

KERNELS_OPERATION kernels_float16 kernels_fused16(kernels_float16 a, kernels_float16 b, kernels_float16 c) {
  return __builtin_elementwise_fma(a, b, c);
}

// Zero where a is below it. Not a maximum, which would turn what is not a number into zero.
KERNELS_OPERATION kernels_float8 kernels_rectified8(kernels_float8 a) { return a < 0 ? 0 : a; }

KERNELS_OPERATION kernels_float16 kernels_rectified16(kernels_float16 a) { return a < 0 ? 0 : a; }

// Brings the line of memory at a place into the caches; the place may be anywhere.
KERNELS_OPERATION void kernels_fetch(const float *place) { __builtin_prefetch(place); }

#undef KERNELS_OPERATION
