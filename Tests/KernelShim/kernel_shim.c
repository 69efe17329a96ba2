// Gives every CPU convolutions by "Winograd" that round differently from direct ones. README.md says what for.
//
// Where the library has no kernel for Winograd, the list of kernels begins with the second one of the direct convolution.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <dnnl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *library(const char *name) {
  void *function = dlsym(RTLD_NEXT, name);
  if (function == NULL) {
    fprintf(stderr, "kernel shim: the library has no %s\n", name);
    abort();
  }
  return function;
}

#define REAL(name) __typeof__(&name) real = library(#name)

// Of the implementation an iterator stands at; "" behind the last one.
static void name_of_current(dnnl_primitive_desc_iterator_t iterator, char *name, size_t size) {
  name[0] = 0;
  dnnl_primitive_desc_t current = dnnl_primitive_desc_iterator_fetch(iterator);
  if (current == NULL) return;
  const char *found = "";
  dnnl_primitive_desc_query(current, dnnl_query_impl_info_str, 0, &found);
  snprintf(name, size, "%s", found);
  dnnl_primitive_desc_destroy(current);
}

static int is_kernel(const char *name) { return name[0] != 0 && strncmp(name, "ref", 3) != 0; }

dnnl_status_t dnnl_primitive_desc_iterator_create(
    dnnl_primitive_desc_iterator_t *iterator, const_dnnl_op_desc_t operation, const_dnnl_primitive_attr_t attributes,
    dnnl_engine_t engine, const_dnnl_primitive_desc_t hint) {
  REAL(dnnl_primitive_desc_iterator_create);
  char first[256], name[256];
  dnnl_status_t status = real(iterator, operation, attributes, engine, hint);
  const dnnl_convolution_desc_t *convolution = operation;
  if (convolution->primitive_kind != dnnl_convolution || convolution->alg_kind != dnnl_convolution_winograd)
    return status;
  if (status == dnnl_success) {
    name_of_current(*iterator, name, sizeof name);
    if (is_kernel(name)) return status;
    dnnl_primitive_desc_iterator_destroy(*iterator);
  }
  // The iterator goes on to read the description, so that it is never freed.
  dnnl_convolution_desc_t *direct = malloc(sizeof *direct);
  if (direct == NULL) return dnnl_out_of_memory;
  *direct = *convolution;
  direct->alg_kind = dnnl_convolution_direct;
  status = real(iterator, direct, attributes, engine, hint);
  if (status != dnnl_success) return status;
  name_of_current(*iterator, first, sizeof first);
  while (dnnl_primitive_desc_iterator_next(*iterator) == dnnl_success) {
    name_of_current(*iterator, name, sizeof name);
    if (is_kernel(name) && strcmp(name, first) != 0) return dnnl_success;
  }
  dnnl_primitive_desc_iterator_destroy(*iterator);
  *iterator = NULL;
  return dnnl_unimplemented;
}
