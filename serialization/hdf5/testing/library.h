#pragma once

// The HDF5 library itself, for tests: the oracle of what files mean.

#include <hdf5.h>

#include <functional>
#include <string>

#include "absl/strings/string_view.h"

namespace seqgraph::hdf5 {

/// A file in memory that `fill` makes, in the earliest format or the latest.
std::string LibraryFile(bool latest, const std::function<void(hid_t file)>& fill);

/// Opens bytes as a file and calls `look`; false if the library refuses them.
bool LookAtFile(absl::string_view bytes, const std::function<void(hid_t file)>& look);

}  // namespace seqgraph::hdf5
