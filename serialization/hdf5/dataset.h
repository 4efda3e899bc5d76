#ifndef SEQGRAPH_SERIALIZATION_HDF5_DATASET_H_
#define SEQGRAPH_SERIALIZATION_HDF5_DATASET_H_

#include "absl/status/status.h"
#include "serialization/hdf5/global_heap.h"
#include "serialization/hdf5/object_header.h"
#include "serialization/hdf5/tree.h"

namespace seqgraph::hdf5 {

/// Reads the elements of the dataset with this header into node->value, or says in
/// node->unreadable why they cannot be given.
absl::Status ReadDataset(absl::string_view file, const ObjectHeader& header, Budget* budget,
                         Node* node);

}  // namespace seqgraph::hdf5

#endif  // SEQGRAPH_SERIALIZATION_HDF5_DATASET_H_
