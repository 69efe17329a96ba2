#ifndef CHDF5_SHIM_H
#define CHDF5_SHIM_H

// Debian's HDF5 maps unversioned names to the 1.8 API; the wrapper calls versioned symbols only.
#include <hdf5.h>

#endif
