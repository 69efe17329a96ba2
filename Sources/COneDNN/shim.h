#ifndef CONEDNN_SHIM_H
#define CONEDNN_SHIM_H

#include <oneapi/dnnl/dnnl.h>

// From libgomp, whose omp.h lives in GCC's private folder. Sets the width of parallel regions that the
// *calling thread* starts; every worker calls it before it runs a primitive.
void omp_set_num_threads(int threads);
int omp_get_max_threads(void);

#endif
