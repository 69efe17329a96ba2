#ifndef CHDF5_SHIM_H
#define CHDF5_SHIM_H

// What Swift cannot import from libhdf5: macros that expand to calls, casts or global ids, and unions.
// Only symbols with an explicit version are called, because distributions map the unversioned names differently.
#include <hdf5.h>
#include <stdbool.h>
#include <malloc.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

// Memory types of the machine.
static inline hid_t chdf5_native_float(void) { return H5T_NATIVE_FLOAT; }
static inline hid_t chdf5_native_double(void) { return H5T_NATIVE_DOUBLE; }
static inline hid_t chdf5_native_int8(void) { return H5T_NATIVE_INT8; }
static inline hid_t chdf5_native_int16(void) { return H5T_NATIVE_INT16; }
static inline hid_t chdf5_native_int32(void) { return H5T_NATIVE_INT32; }
static inline hid_t chdf5_native_int64(void) { return H5T_NATIVE_INT64; }
static inline hid_t chdf5_native_uint8(void) { return H5T_NATIVE_UINT8; }
static inline hid_t chdf5_native_uint16(void) { return H5T_NATIVE_UINT16; }
static inline hid_t chdf5_native_uint32(void) { return H5T_NATIVE_UINT32; }
static inline hid_t chdf5_native_uint64(void) { return H5T_NATIVE_UINT64; }
static inline hid_t chdf5_native_bits8(void) { return H5T_NATIVE_B8; }
static inline hid_t chdf5_native_bits16(void) { return H5T_NATIVE_B16; }
static inline hid_t chdf5_native_bits32(void) { return H5T_NATIVE_B32; }
static inline hid_t chdf5_native_bits64(void) { return H5T_NATIVE_B64; }

// File types: little-endian everywhere, so that a file's bytes do not depend on the machine.
static inline hid_t chdf5_file_float(void) { return H5T_IEEE_F32LE; }
static inline hid_t chdf5_file_double(void) { return H5T_IEEE_F64LE; }
static inline hid_t chdf5_file_int8(void) { return H5T_STD_I8LE; }
static inline hid_t chdf5_file_int16(void) { return H5T_STD_I16LE; }
static inline hid_t chdf5_file_int32(void) { return H5T_STD_I32LE; }
static inline hid_t chdf5_file_int64(void) { return H5T_STD_I64LE; }
static inline hid_t chdf5_file_uint8(void) { return H5T_STD_U8LE; }
static inline hid_t chdf5_file_uint16(void) { return H5T_STD_U16LE; }
static inline hid_t chdf5_file_uint32(void) { return H5T_STD_U32LE; }
static inline hid_t chdf5_file_uint64(void) { return H5T_STD_U64LE; }
static inline hid_t chdf5_c_string(void) { return H5T_C_S1; }
static inline size_t chdf5_variable_size(void) { return H5T_VARIABLE; }

// Property list classes and defaults.
static inline hid_t chdf5_file_access_class(void) { return H5P_FILE_ACCESS; }
static inline hid_t chdf5_file_create_class(void) { return H5P_FILE_CREATE; }
static inline hid_t chdf5_dataset_create_class(void) { return H5P_DATASET_CREATE; }
static inline hid_t chdf5_group_create_class(void) { return H5P_GROUP_CREATE; }
static inline hid_t chdf5_link_create_class(void) { return H5P_LINK_CREATE; }
static inline hid_t chdf5_default_properties(void) { return H5P_DEFAULT; }
static inline hid_t chdf5_whole_space(void) { return H5S_ALL; }
static inline hid_t chdf5_default_error_stack(void) { return H5E_DEFAULT; }

// Whether the minor number of an error says that there was no room.
static inline bool chdf5_is_about_room(hid_t minor) { return minor == H5E_CANTALLOC || minor == H5E_NOSPACE; }

// Flags and special values.
static inline unsigned chdf5_read_only(void) { return H5F_ACC_RDONLY; }
static inline unsigned chdf5_create_exclusive(void) { return H5F_ACC_EXCL; }
static inline unsigned chdf5_create_or_truncate(void) { return H5F_ACC_TRUNC; }
static inline unsigned chdf5_all_objects(void) { return H5F_OBJ_ALL; }
static inline haddr_t chdf5_undefined_address(void) { return HADDR_UNDEF; }
static inline unsigned chdf5_unfiltered_edge_chunks(void) { return H5D_CHUNK_DONT_FILTER_PARTIAL_CHUNKS; }
static inline unsigned chdf5_object_basic_info(void) { return H5O_INFO_BASIC; }
static inline unsigned chdf5_filter_plugins(void) { return H5PL_FILTER_PLUGIN; }

// H5L_info_t holds a union; the length of a link's value is all that is needed of it.
static inline herr_t chdf5_link_info(hid_t group, const char *name, H5L_type_t *type, size_t *value_size) {
  H5L_info_t info;
  herr_t status = H5Lget_info(group, name, &info, H5P_DEFAULT);
  if (status >= 0) {
    *type = info.type;
    *value_size = info.type == H5L_TYPE_HARD ? 0 : info.u.val_size;
  }
  return status;
}

// An object's type, and the address that tells it from all others of its file.
static inline herr_t chdf5_object_type(hid_t group, const char *name, H5O_type_t *type, haddr_t *address) {
  H5O_info_t info;
  herr_t status = H5Oget_info_by_name2(group, name, &info, H5O_INFO_BASIC, H5P_DEFAULT);
  if (status >= 0) {
    *type = info.type;
    *address = info.addr;
  }
  return status;
}

// What tells an object that is open from all others of its file.
static inline herr_t chdf5_address(hid_t object, haddr_t *address) {
  H5O_info_t info;
  herr_t status = H5Oget_info2(object, &info, H5O_INFO_BASIC);
  if (status >= 0) *address = info.addr;
  return status;
}

// Of the system, for the process that looks into a file first: a call that Swift keeps from programs with threads, one with variable
// arguments, and a variable of the C library.
static inline pid_t chdf5_fork(void) { return fork(); }
static inline int chdf5_end_with_parent(void) { return prctl(PR_SET_PDEATHSIG, SIGKILL); }
// The library follows some numbers of a file, such as an object's place in a heap of texts, to memory that is not its own. What lies there is
// by chance sound in one process and not in the next. Here it never is: what was not written, or was given back, is neither an address nor a
// length, and the heap keeps what was given back.
static inline void chdf5_let_no_memory_look_sound(int has_one_heap) {
#ifdef __GLIBC__
  if (has_one_heap) mallopt(M_ARENA_MAX, 1);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
  mallopt(M_PERTURB, 0x5a);
  malloc_trim(0);
#endif
  H5set_free_list_limits(0, 0, 0, 0, 0, 0);
}
static inline char **chdf5_environment(void) {
  extern char **environ;
  return environ;
}

#endif
