// What the processor can do, as the operating system lets programs use it.
#pragma once

/// 4: x86-64-v4 (AVX-512); 3: x86-64-v3 (AVX2 with fused multiply-adds); 1: no more than every x86-64 CPU can do.
static inline int kernels_processor_level(void) {
  __builtin_cpu_init();
  if (__builtin_cpu_supports("x86-64-v4")) return 4;
  if (__builtin_cpu_supports("x86-64-v3")) return 3;
  return 1;
}
