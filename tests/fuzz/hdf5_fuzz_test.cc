// Damaged HDF5 files with chunks and filters, which only the HDF5 library writes. Each must give an
// error or a tree; never a crash, never much memory.

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "serialization/hdf5/reader.h"
#include "serialization/hdf5/testing/library.h"
#include "tests/fuzz/allocation_meter.h"
#include "tests/fuzz/mutator.h"
#include "tests/testing.h"

namespace seqgraph::hdf5 {
namespace {

// As of Keras's files; and the buffers of inflating, whatever is read.
int64_t MemoryLimit(size_t bytes) { return 64 * static_cast<int64_t>(bytes) + (int64_t{1} << 20); }

// 6 x 5 numbers in chunks of 4 x 3, with filters by their bits, of which the check sum (4) would
// hide most damage from what comes behind it.
std::string Chunked(int filters) {
  std::vector<float> values(30);
  for (size_t i = 0; i < values.size(); ++i) values[i] = 0.25f * static_cast<float>(i);
  return LibraryFile(false, [&](hid_t file) {
    const hsize_t extents[] = {6, 5}, chunk[] = {4, 3};
    const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(creation, 2, chunk);
    if (filters & 1) H5Pset_shuffle(creation);
    if (filters & 2) H5Pset_deflate(creation, 9);
    if (filters & 4) H5Pset_fletcher32(creation);
    const hid_t space = H5Screate_simple(2, extents, nullptr);
    const hid_t set =
        H5Dcreate2(file, "x", H5T_IEEE_F32LE, space, H5P_DEFAULT, creation, H5P_DEFAULT);
    H5Dwrite(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
    H5Dclose(set);
    H5Sclose(space);
    H5Pclose(creation);
  });
}

TEST(Hdf5FuzzTest, MutatedChunksGiveErrorsOrTrees) {
  Mutator mutator(FuzzSeed(20261128));
  const int count = FuzzCount(6000);
  std::vector<std::string> files;
  std::vector<std::vector<size_t>> used(8);  // places that are not padding
  for (int filters = 0; filters < 8; ++filters) {
    files.push_back(Chunked(filters));
    for (size_t i = 0; i < files.back().size(); ++i) {
      if (files.back()[i] != 0) used[filters].push_back(i);
    }
  }
  int errors = 0, trees = 0, tensors = 0;
  for (int i = 0; i < count; ++i) {
    const size_t which = mutator.Below(files.size());
    std::string bytes = files[which];
    for (uint64_t changes = 1 + mutator.Below(3); changes > 0; --changes) {
      const size_t at = used[which][mutator.Below(used[which].size())];
      bytes[at] = static_cast<char>(mutator.Below(256));
    }
    if (i % 8 == 0) bytes = mutator.Bytes(std::move(bytes));
    AllocationMeter meter;
    const auto tree = ReadTree(bytes);
    ASSERT_LE(meter.peak(), MemoryLimit(bytes.size())) << "mutation " << i;
    ++(tree.ok() ? trees : errors);
    if (!tree.ok()) {
      ASSERT_FALSE(tree.status().message().empty());
      continue;
    }
    const auto child = tree->Find("x");
    tensors += child != nullptr && child->Value("x").ok();
  }
  std::printf("%d errors, %d trees, of which %d have their numbers\n", errors, trees, tensors);
  EXPECT_GT(errors, count / 20);
  EXPECT_GT(tensors, count / 20);
  EXPECT_GT(trees - tensors, count / 100);  // a chunk that cannot be read
}

}  // namespace
}  // namespace seqgraph::hdf5
