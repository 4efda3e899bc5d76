// Damaged files of arrays (.npy, .npz, CSV): every prefix, and thousands of random changes. Each
// must give an error or arrays; never a crash, never much memory.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/byte_cursor.h"
#include "base/memory_limit.h"
#include "base/zip.h"
#include "data/npy.h"
#include "data/testing/test_util.h"
#include "tests/fuzz/allocation_meter.h"
#include "tests/fuzz/mutator.h"
#include "tests/testing.h"
#include "tools/array_files.h"

namespace seqgraph {
namespace {

// Elements of one byte become four, beside what the file has; CSV's "1," a double and its text;
// what libarchive needs, and the buffers of streams, whatever is read.
int64_t MostMemory(size_t bytes) { return 64 * static_cast<int64_t>(bytes) + (int64_t{1} << 20); }

std::string Npy(const std::string& header, const std::string& elements, char version = 1) {
  return absl::StrCat("\x93NUMPY", std::string{version, '\0'},
                      NumberBytes(header.size(), version == 1 ? 2 : 4), header, elements);
}

std::string Header(const std::string& descr, const std::string& order) {
  return absl::StrCat("{'descr': '", descr, "', 'fortran_order': ", order, ", 'shape': (2, 3), }");
}

class NpyFuzzTest : public ::testing::Test {
 protected:
  NpyFuzzTest() : mutator_(FuzzSeed(20261128)) {
    const std::vector<float> values = {1, 2, 3, 4, 5, 6};
    const std::string plain = *data::NpyFile(absl::MakeConstSpan(values), {2, 3});
    files_ = {plain,
              Npy(Header(">f8", "True"), std::string(48, '\1')),
              Npy(Header("|u1", "False"), "abcdef", 2),
              Npy(Header("<f2", "True"), std::string(12, '\2'), 3),
              Npy(Header("<u8", "False"), std::string(48, '\3')),
              *WriteZip({{"a.npy", plain}, {"b.npy", plain}}),
              "time,value\n1,2.5\n-3e2,\"4\"\n5,nan\n"};
  }

  void TearDown() override {
    std::printf("%d errors, %d valid files, at most %.1f bytes of memory a byte of file\n", errors_,
                valid_, largest_ratio_);
  }

  void Check(const std::string& bytes) {
    std::ofstream(path_, std::ios::binary) << bytes;
    AllocationMeter meter;
    const auto arrays = tools::ReadArrayFile(path_);
    const int64_t peak = meter.peak();
    EXPECT_LE(peak, MostMemory(bytes.size())) << bytes.size() << " bytes";
    if (bytes.size() >= 1024) {
      largest_ratio_ = std::max(largest_ratio_, static_cast<double>(peak) / bytes.size());
    }
    ++(arrays.ok() ? valid_ : errors_);
    if (!arrays.ok()) {
      EXPECT_FALSE(arrays.status().message().empty());
      return;
    }
    for (const tools::FileArray& array : *arrays) ExpectComesBack(array.tensor);
  }

  // Written by us it is the same.
  static void ExpectComesBack(const Tensor& tensor) {
    SEQ_ASSERT_OK_AND_ASSIGN(const std::string bytes, tools::NpyOf(tensor));
    SEQ_ASSERT_OK_AND_ASSIGN(const data::NpyArray array, data::ParseNpy(bytes, "again"));
    SEQ_ASSERT_OK_AND_ASSIGN(const Tensor again, tools::TensorOf(array));
    EXPECT_TRUE(again.BitwiseEquals(tensor));
  }

  Mutator mutator_;
  std::vector<std::string> files_;
  const std::string path_ = absl::StrCat(MakeTempDir(), "/damaged");
  int errors_ = 0;
  int valid_ = 0;
  double largest_ratio_ = 0;
};

TEST_F(NpyFuzzTest, TheUndamagedFilesAreValid) {
  for (const std::string& file : files_) Check(file);
  EXPECT_EQ(valid_, static_cast<int>(files_.size()));
}

TEST_F(NpyFuzzTest, EveryPrefixIsAnErrorOrArrays) {
  for (const std::string& file : files_) {
    for (size_t n = 0; n < file.size(); ++n) {
      Check(file.substr(0, n));
      if (HasFailure()) FAIL() << "the first " << n << " bytes";
    }
  }
  EXPECT_GT(errors_, 10 * valid_);
}

TEST_F(NpyFuzzTest, MutationsGiveErrorsOrArrays) {
  const int count = FuzzCount(8000);
  for (int i = 0; i < count; ++i) {
    Check(mutator_.Bytes(files_[static_cast<size_t>(i) % files_.size()]));
    if (HasFailure()) FAIL() << "mutation " << i;
  }
  EXPECT_GT(errors_, count / 4);
  EXPECT_GT(valid_, count / 8);
}

// Behind the length of a header, and behind the zip's check sum.
TEST_F(NpyFuzzTest, MutatedHeadersGiveErrorsOrArrays) {
  const int count = FuzzCount(8000);
  for (int i = 0; i < count; ++i) {
    const std::string descr = std::vector<std::string>{"<f4", ">i8", "|b1", "<f2"}[i % 4];
    const std::string header = mutator_.Bytes(Header(descr, i % 3 == 0 ? "True" : "False"));
    const std::string elements(6 * static_cast<size_t>(descr[2] - '0'), '\1');
    const std::string file = Npy(header, elements, static_cast<char>(1 + i % 3));
    Check(i % 2 == 0 ? file : *WriteZip({{"a.npy", file}}));
    if (HasFailure()) FAIL() << "mutation " << i;
  }
  EXPECT_GT(errors_, count / 4);
  EXPECT_GT(valid_, 0);  // few changes of a header leave one
}

// Sizes are believed only as far as the elements are there.
TEST_F(NpyFuzzTest, HugeShapesTakeNoMemory) {
  for (const char* shape : {"(99999999999,)", "(4294967296, 4294967296, 4294967296)",
                            "(0, 9223372036854775807)", "(1, 1, 1, 1, 1, 1, 1, 1, 1)"}) {
    Check(
        Npy(absl::StrCat("{'descr': '<f4', 'fortran_order': True, 'shape': ", shape, "}"), "1234"));
  }
  EXPECT_EQ(valid_, 0);
}

// Deflated zeros, a thousandth of them: before they are unpacked the header is asked, and the
// limit.
TEST_F(NpyFuzzTest, WhatExceedsTheHeaderOrTheLimitIsNotUnpacked) {
  constexpr int64_t kBytes = int64_t{64} << 20, kLimit = int64_t{32} << 20;
  const std::string zeros(kBytes, '\0');
  const int64_t before = MemoryLimit();
  for (const bool lies : {false, true}) {
    const std::string header = data::NpyHeader(data::NpyType::kFloat32, {lies ? 4 : kBytes / 4});
    const std::string zip =
        data::MakeArchive({{"x.npy", header + zeros}}, data::Packing::kDeflatedZip);
    std::ofstream(path_, std::ios::binary) << zip;
    SetMemoryLimit(lies ? kNoMemoryLimit : kLimit);
    AllocationMeter meter;
    EXPECT_THAT(tools::ReadArrayFile(path_),
                StatusIs(absl::StatusCode::kResourceExhausted,
                         lies ? "it holds more than the 144 bytes" : "array x takes 134217856"));
    EXPECT_LE(meter.peak(), int64_t{2} << 20);
  }
  SetMemoryLimit(before);
}

}  // namespace
}  // namespace seqgraph
