// Our reader and writer against the HDF5 library.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "serialization/hdf5/messages.h"
#include "serialization/hdf5/reader.h"
#include "serialization/hdf5/testing/library.h"
#include "serialization/hdf5/writer.h"
#include "tests/testing.h"

namespace seqgraph::hdf5 {
namespace {

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

void AddFloats(hid_t where, const char* name, std::vector<hsize_t> extents,
               const std::vector<float>& values, hid_t file_type, hid_t creation = H5P_DEFAULT) {
  const hid_t space = H5Screate_simple(static_cast<int>(extents.size()), extents.data(), nullptr);
  const hid_t set = H5Dcreate2(where, name, file_type, space, H5P_DEFAULT, creation, H5P_DEFAULT);
  ASSERT_GE(H5Dwrite(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), 0);
  H5Dclose(set);
  H5Sclose(space);
}

void AddText(hid_t where, const char* name, std::vector<const char*> texts, bool scalar) {
  const hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, H5T_VARIABLE);
  hsize_t count = texts.size();
  const hid_t space = scalar ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, &count, nullptr);
  const hid_t attribute = H5Acreate2(where, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
  ASSERT_GE(H5Awrite(attribute, type, texts.data()), 0);
  H5Aclose(attribute);
  H5Sclose(space);
  H5Tclose(type);
}

void AddFixedTexts(hid_t where, const char* name, const std::string& bytes, size_t each) {
  const hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, each);
  hsize_t count = bytes.size() / each;
  const hid_t space = H5Screate_simple(1, &count, nullptr);
  const hid_t attribute = H5Acreate2(where, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
  ASSERT_GE(H5Awrite(attribute, type, bytes.data()), 0);
  H5Aclose(attribute);
  H5Sclose(space);
  H5Tclose(type);
}

// What Keras's files are made of, and integers and halves beside.
std::string LibraryExample(bool latest) {
  return LibraryFile(latest, [](hid_t file) {
    AddText(file, "config", {"{\"caf\xC3\xA9\": 1}"}, true);
    AddText(file, "names", {"a", "", "long enough to be elsewhere"}, false);
    AddFixedTexts(file, "fixed", std::string("one\0two\0four", 12), 4);
    const hid_t group = H5Gcreate2(file, "g", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    const hid_t inner = H5Gcreate2(group, "inner", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Gclose(inner);
    AddFloats(group, "f4", {2, 3}, {1, -2, 3.5, 4, 5, 1e-30f}, H5T_IEEE_F32LE);
    AddFloats(group, "f8", {1}, {0.5}, H5T_IEEE_F64LE);
    AddFloats(group, "i1", {3}, {-128, 0, 127}, H5T_STD_I8LE);
    AddFloats(group, "u2", {1}, {65535}, H5T_STD_U16LE);
    AddFloats(group, "u4", {1}, {4294967040.0f}, H5T_STD_U32LE);
    AddFloats(group, "i8", {1}, {-1099511627776.0f}, H5T_STD_I64LE);
    AddFloats(group, "big", {2}, {1, -2.5}, H5T_IEEE_F32BE);
    AddFloats(file, "big2", {2}, {1, -2}, H5T_STD_I16BE);
    AddFloats(file, "scalar", {}, {7}, H5T_STD_I32LE);
    const hid_t compact = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_layout(compact, H5D_COMPACT);
    AddFloats(file, "compact", {2}, {8, 9}, H5T_IEEE_F32LE, compact);
    H5Pclose(compact);
    const hid_t half = H5Tcopy(H5T_IEEE_F32LE);
    H5Tset_fields(half, 15, 10, 5, 0, 10);
    H5Tset_size(half, 2);
    H5Tset_ebias(half, 15);
    AddFloats(file, "half", {6}, {1.5, -65504, 6.103515625e-5f, 5.960464477539063e-8f, 0, -0.25},
              half);
    H5Tclose(half);
    H5Gclose(group);
  });
}

class LibraryFileTest : public ::testing::TestWithParam<bool> {};

TEST_P(LibraryFileTest, IsReadWhole) {
  SEQ_ASSERT_OK_AND_ASSIGN(const Node root, ReadTree(LibraryExample(GetParam())));
  ASSERT_NE(root.FindAttribute("config"), nullptr);
  EXPECT_TRUE(root.FindAttribute("config")->scalar);
  EXPECT_EQ(root.FindAttribute("config")->texts[0], "{\"caf\xC3\xA9\": 1}");
  EXPECT_EQ(root.FindAttribute("names")->texts,
            (std::vector<std::string>{"a", "", "long enough to be elsewhere"}));
  EXPECT_EQ(root.FindAttribute("fixed")->texts, (std::vector<std::string>{"one", "two", "four"}));
  EXPECT_TRUE(root.Find("g/inner")->is_group());
  EXPECT_EQ(root.Find("g/none"), nullptr);
  const auto expect = [&](const char* path, const Tensor& tensor) {
    const Node* node = root.Find(path);
    ASSERT_NE(node, nullptr) << path;
    ASSERT_TRUE(node->value.has_value()) << path << " " << node->unreadable;
    EXPECT_TRUE(node->value->BitwiseEquals(tensor)) << path;
  };
  expect("g/f4", Tensor::Of<float>({2, 3}, {1, -2, 3.5, 4, 5, 1e-30f}));
  expect("g/f8", Tensor::Of<double>({1}, {0.5}));
  expect("g/i1", Tensor::Of<int32_t>({3}, {-128, 0, 127}));
  expect("g/u2", Tensor::Of<int32_t>({1}, {65535}));
  expect("g/u4", Tensor::Of<int64_t>({1}, {4294967040}));
  expect("g/i8", Tensor::Of<int64_t>({1}, {-1099511627776}));
  expect("scalar", Tensor::Scalar<int32_t>(7));
  expect("compact", Tensor::Of<float>({2}, {8, 9}));
  expect("half",
         Tensor::Of<float>({6}, {1.5, -65504, 6.103515625e-5f, 5.960464477539063e-8f, 0, -0.25}));
  expect("g/big", Tensor::Of<float>({2}, {1, -2.5}));
  expect("big2", Tensor::Of<int32_t>({2}, {1, -2}));
  EXPECT_THAT(root.Find("g")->Value("g"), StatusIs(kInvalid, "is a group"));
}

INSTANTIATE_TEST_SUITE_P(Formats, LibraryFileTest, ::testing::Bool(), [](const auto& info) {
  return std::string(info.param ? "Latest" : "Earliest");
});

// 5 x 7 numbers in chunks that do not divide the extents, with filters by their bits.
TEST(ReaderTest, ChunksAreReadWithEveryFilter) {
  std::vector<float> values(35);
  for (size_t i = 0; i < values.size(); ++i) values[i] = 0.5f * static_cast<float>(i);
  for (const std::vector<hsize_t>& chunk :
       std::vector<std::vector<hsize_t>>{{1, 1}, {2, 3}, {5, 7}, {4, 7}, {5, 2}}) {
    for (int filters = 0; filters < 8; ++filters) {
      SCOPED_TRACE(absl::StrCat(chunk[0], " x ", chunk[1], ", filters ", filters));
      const auto file = LibraryFile(false, [&](hid_t file) {
        const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
        H5Pset_chunk(creation, 2, chunk.data());
        if (filters & 1) H5Pset_shuffle(creation);
        if (filters & 2) H5Pset_deflate(creation, 9);
        if (filters & 4) H5Pset_fletcher32(creation);
        AddFloats(file, "x", {5, 7}, values, H5T_IEEE_F32LE, creation);
        H5Pclose(creation);
      });
      SEQ_ASSERT_OK_AND_ASSIGN(const Node root, ReadTree(file));
      SEQ_ASSERT_OK_AND_ASSIGN(const Tensor* x, root.Child("x")->Value("x"));
      EXPECT_TRUE(x->BitwiseEquals(Tensor::Of<float>({5, 7}, absl::MakeConstSpan(values))));
    }
  }
}

// A chunk that is all of the dataset needs no tree in HDF5's latest format; others have one there
// that is not read.
TEST(ReaderTest, WhatIsNotReadIsNamed) {
  const auto chunked = LibraryFile(true, [](hid_t file) {
    for (const hsize_t chunk : {2, 1}) {
      const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
      H5Pset_chunk(creation, 1, &chunk);
      H5Pset_deflate(creation, 9);
      AddFloats(file, chunk == 2 ? "one" : "two", {2}, {1, 2}, H5T_IEEE_F32LE, creation);
      H5Pclose(creation);
    }
    const hid_t packed = H5Pcreate(H5P_DATASET_CREATE);
    const hsize_t chunk = 1;
    H5Pset_chunk(packed, 1, &chunk);
    H5Pset_nbit(packed);
    AddFloats(file, "packed", {2}, {1, 2}, H5T_IEEE_F32LE, packed);
    H5Pclose(packed);
  });
  SEQ_ASSERT_OK_AND_ASSIGN(const Node root, ReadTree(chunked));
  SEQ_ASSERT_OK_AND_ASSIGN(const Tensor* one, root.Child("one")->Value("one"));
  EXPECT_TRUE(one->BitwiseEquals(Tensor::Of<float>({2}, {1, 2})));
  EXPECT_THAT(root.Child("two")->Value("two"), StatusIs(kInvalid, "chunks with an index of kind"));
  EXPECT_THAT(root.Child("packed")->Value("packed"), StatusIs(kInvalid, "HDF5's filter 5"));
  EXPECT_THAT(ReadTree(LibraryFile(false,
                                   [](hid_t file) {
                                     H5Lcreate_external("/etc/passwd", "/", file, "out",
                                                        H5P_DEFAULT, H5P_DEFAULT);
                                   })),
              StatusIs(kInvalid, "out: is a link to another file"));
  EXPECT_THAT(
      ReadTree(LibraryFile(
          false, [](hid_t file) { H5Lcreate_soft("/g", file, "soft", H5P_DEFAULT, H5P_DEFAULT); })),
      StatusIs(kInvalid, "soft: is a soft link"));
  // The latest format keeps more than eight links in a heap.
  EXPECT_THAT(ReadTree(LibraryFile(true,
                                   [](hid_t file) {
                                     for (int i = 0; i < 9; ++i) {
                                       AddFloats(file, absl::StrCat(i).c_str(), {1}, {1},
                                                 H5T_IEEE_F32LE);
                                     }
                                   })),
              StatusIs(kInvalid, "keeps its links in a heap"));
  EXPECT_THAT(ReadTree("PK"), StatusIs(kInvalid, "not an HDF5 file"));
}

TEST(ReaderTest, LoopsAndRepetitionEnd) {
  EXPECT_THAT(
      ReadTree(LibraryFile(
          false,
          [](hid_t file) { H5Lcreate_hard(file, "/", file, "self", H5P_DEFAULT, H5P_DEFAULT); })),
      StatusIs(kInvalid, "more than 32 deep"));
  // One array under many names would take many times the file's memory.
  const std::string repeated = LibraryFile(false, [](hid_t file) {
    AddFloats(file, "a", {10000}, std::vector<float>(10000), H5T_IEEE_F32LE);
    for (int i = 0; i < 50; ++i) {
      H5Lcreate_hard(file, "/a", file, absl::StrCat("b", i).c_str(), H5P_DEFAULT, H5P_DEFAULT);
    }
  });
  EXPECT_THAT(ReadTree(repeated),
              StatusIs(absl::StatusCode::kResourceExhausted, "the same bytes over and over"));
}

// Its extents would say of how many elements it is.
TEST(ReaderTest, AScalarWithExtentsIsRefused) {
  const auto parse = [](char rank, char kind) {
    return ParseDataspace(std::string{2, rank, 0, kind} + std::string(8 * rank, '\0'));
  };
  EXPECT_THAT(parse(1, 0), StatusIs(kInvalid, "a scalar of rank 1"));
  EXPECT_THAT(parse(0, 3), StatusIs(kInvalid, "kind"));
  for (const char kind : {0, 1}) {
    SEQ_ASSERT_OK_AND_ASSIGN(const Dataspace space, parse(0, kind));
    EXPECT_TRUE(space.scalar && !space.null && space.extents.empty());
  }
  SEQ_ASSERT_OK_AND_ASSIGN(const Dataspace list, parse(1, 1));
  EXPECT_FALSE(list.scalar);
}

// A group of many members, long and odd texts, every type, nothing at all.
Node WriterExample() {
  Node root;
  root.SetText("config", std::string(100000, 'x'));
  root.SetTexts("none", {});
  std::vector<std::string> names;
  for (int i = 0; i < 1000; ++i) names.push_back(absl::StrFormat("name%d", i));
  root.SetTexts("names", names);
  root.Group("empty").SetText("text", "");
  for (int i = 0; i < 700; ++i) {
    root.Put(absl::StrCat("many/", i), Tensor::Scalar<int64_t>(i));
  }
  root.Put("types/f4", Tensor::Of<float>({2, 2}, {1, -0.0f, 1e-45f, 3e38f}));
  root.Put("types/f8", Tensor::Of<double>({1}, {0.1}));
  root.Put("types/i4", Tensor::Of<int32_t>({2}, {-1, 7}));
  root.Put("types/nothing", Tensor::Of<float>({0, 3}, {}));
  return root;
}

TEST(WriterTest, TheLibraryReadsEverything) {
  SEQ_ASSERT_OK_AND_ASSIGN(const std::string bytes, WriteTree(WriterExample()));
  const auto text = [](hid_t file, const char* name, std::vector<std::string>* texts) {
    const hid_t attribute = H5Aopen(file, name, H5P_DEFAULT);
    ASSERT_GE(attribute, 0) << name;
    const hid_t type = H5Aget_type(attribute);
    const hid_t space = H5Aget_space(attribute);
    std::vector<char*> found(H5Sget_simple_extent_npoints(space));
    if (!found.empty()) {
      ASSERT_GE(H5Aread(attribute, type, found.data()), 0);
    }
    for (char* each : found) texts->push_back(each == nullptr ? "" : each);
    H5Dvlen_reclaim(type, space, H5P_DEFAULT, found.data());
    H5Sclose(space);
    H5Tclose(type);
    H5Aclose(attribute);
  };
  const auto looked = LookAtFile(bytes, [&](hid_t file) {
    std::vector<std::string> config, names, none;
    text(file, "config", &config);
    text(file, "names", &names);
    text(file, "none", &none);
    EXPECT_EQ(config, std::vector<std::string>{std::string(100000, 'x')});
    ASSERT_EQ(names.size(), 1000u);
    EXPECT_EQ(names[999], "name999");
    EXPECT_TRUE(none.empty());
    for (int i = 0; i < 700; ++i) {
      const hid_t set = H5Dopen2(file, absl::StrCat("/many/", i).c_str(), H5P_DEFAULT);
      ASSERT_GE(set, 0) << i;
      int64_t value = -1;
      ASSERT_GE(H5Dread(set, H5T_NATIVE_INT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, &value), 0);
      EXPECT_EQ(value, i);
      H5Dclose(set);
    }
    const hid_t set = H5Dopen2(file, "/types/f4", H5P_DEFAULT);
    const hid_t type = H5Dget_type(set);
    EXPECT_GT(H5Tequal(type, H5T_IEEE_F32LE), 0);
    float values[4];
    ASSERT_GE(H5Dread(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values), 0);
    EXPECT_EQ(values[2], 1e-45f);
    H5Tclose(type);
    H5Dclose(set);
    for (const auto& [name, expected] :
         {std::pair{"f8", H5T_IEEE_F64LE}, {"i4", H5T_STD_I32LE}, {"nothing", H5T_IEEE_F32LE}}) {
      const hid_t other = H5Dopen2(file, absl::StrCat("/types/", name).c_str(), H5P_DEFAULT);
      ASSERT_GE(other, 0) << name;
      const hid_t found = H5Dget_type(other);
      EXPECT_GT(H5Tequal(found, expected), 0) << name;
      H5Tclose(found);
      H5Dclose(other);
    }
  });
  EXPECT_TRUE(looked);
}

TEST(WriterTest, OurReaderGivesItBackAndTheBytesAreTheSame) {
  const Node root = WriterExample();
  SEQ_ASSERT_OK_AND_ASSIGN(const std::string bytes, WriteTree(root));
  SEQ_ASSERT_OK_AND_ASSIGN(const Node read, ReadTree(bytes));
  EXPECT_EQ(read.children.size(), root.children.size());
  EXPECT_TRUE(read.Find("types/f4")->value->BitwiseEquals(*root.Find("types/f4")->value));
  SEQ_ASSERT_OK_AND_ASSIGN(const std::string again, WriteTree(read));
  EXPECT_TRUE(again == bytes);
}

TEST(WriterTest, WhatTheFormatCannotHoldIsRefused) {
  Node many;
  many.SetTexts("names", std::vector<std::string>(4001, "x"));
  EXPECT_THAT(WriteTree(many), StatusIs(kInvalid, "attribute names has 4001 texts"));
  Node slash;
  slash.Group("a/b");
  EXPECT_THAT(WriteTree(slash), StatusIs(kInvalid, "a slash"));
  // As an attribute of numbers is read.
  Node number;
  number.attributes.push_back({.name = "count", .is_text = false});
  EXPECT_THAT(WriteTree(number), StatusIs(kInvalid, "attribute count is not one text"));
  Node none;
  none.attributes.push_back({.name = "none", .scalar = true});
  EXPECT_THAT(WriteTree(none), StatusIs(kInvalid, "attribute none is not one text"));
}

}  // namespace
}  // namespace seqgraph::hdf5
