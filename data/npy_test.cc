#include "data/npy.h"

#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include "data/testing/test_util.h"
#include "tests/testing.h"

namespace seqgraph::data {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using namespace std::string_literals;

// What numpy writes for array([[1, 2, 3], [4, 5, -6]], dtype=int32).
std::string LiteralFile() {
  std::string bytes = "\x93NUMPY\x01\x00\x76\x00"s;  // The header behind this takes 118 bytes.
  bytes += "{'descr': '<i4', 'fortran_order': False, 'shape': (2, 3), }";
  bytes.append(58, ' ');
  bytes += "\n\x01\0\0\0\x02\0\0\0\x03\0\0\0\x04\0\0\0\x05\0\0\0\xfa\xff\xff\xff"s;
  return bytes;
}

// A file with this header text and data.
std::string File(const std::string& header, const std::string& data) {
  std::string bytes = "\x93NUMPY\x01\x00"s;
  bytes += static_cast<char>(header.size() & 0xff);
  bytes += static_cast<char>(header.size() >> 8);
  return bytes + header + data;
}

TEST(Npy, WritesTheBytesThatNumpyWrites) {
  const std::vector<int32_t> values = {1, 2, 3, 4, 5, -6};
  SEQ_ASSERT_OK_AND_ASSIGN(const std::string file, NpyFile(absl::MakeConstSpan(values), {2, 3}));
  EXPECT_EQ(file, LiteralFile());
  EXPECT_EQ(LiteralFile().size(), 128u + 24u);
}

TEST(Npy, ReadsTheLiteralFile) {
  SEQ_ASSERT_OK_AND_ASSIGN(NpyArray array, ParseNpy(LiteralFile(), "literal"));
  EXPECT_EQ(array.type, NpyType::kInt32);
  EXPECT_THAT(array.shape, ElementsAre(2, 3));
  SEQ_ASSERT_OK_AND_ASSIGN(absl::Span<const int32_t> values, array.Values<int32_t>());
  EXPECT_THAT(values, ElementsAre(1, 2, 3, 4, 5, -6));
  EXPECT_THAT(array.Values<float>(),
              StatusIs(absl::StatusCode::kInvalidArgument, "type <f4, found <i4"));
}

template <typename T>
void ExpectRoundTrip(std::vector<T> values, std::vector<int64_t> shape) {
  const std::string path = MakeTempDir() + "/a.npy";
  SEQ_ASSERT_OK_AND_ASSIGN(const std::string file, NpyFile(absl::MakeConstSpan(values), shape));
  WriteFileOrDie(path, file);
  SEQ_ASSERT_OK_AND_ASSIGN(NpyArray array, ReadNpy(path));
  EXPECT_EQ(array.shape, shape);
  SEQ_ASSERT_OK_AND_ASSIGN(absl::Span<const T> read, array.Values<T>());
  EXPECT_EQ(read, absl::MakeConstSpan(values));
}

TEST(Npy, EveryTypeAndRankComesBack) {
  ExpectRoundTrip<float>({1.5f, -2.25f}, {2});
  ExpectRoundTrip<double>({0.1}, {});
  ExpectRoundTrip<int64_t>({-(int64_t{1} << 40), 3, 4, 5}, {1, 2, 2});
  ExpectRoundTrip<int32_t>({}, {0, 100});
  ExpectRoundTrip<int32_t>({7}, std::vector<int64_t>(32, 1));
}

TEST(Npy, WritingRefusesAShapeThatDoesNotFit) {
  const std::vector<int32_t> values = {1, 2, 3};
  EXPECT_THAT(NpyFile(absl::MakeConstSpan(values), {2, 2}).status(),
              StatusIs(absl::StatusCode::kInvalidArgument, "shape (2, 2)"));
}

TEST(Npy, ReadsVersions2And3AndKeysInAnyOrder) {
  const std::string header = "{\"shape\": (1,), 'fortran_order':False,'descr':'<i4'}";
  for (char version : {'\x02', '\x03'}) {
    std::string bytes = "\x93NUMPY"s + version + "\x00"s + static_cast<char>(header.size()) +
                        "\0\0\0"s + header + "\x05\0\0\0"s;
    SEQ_ASSERT_OK_AND_ASSIGN(NpyArray array, ParseNpy(bytes, "x"));
    SEQ_ASSERT_OK_AND_ASSIGN(absl::Span<const int32_t> values, array.Values<int32_t>());
    EXPECT_THAT(values, ElementsAre(5));
  }
}

TEST(Npy, FortranOrderIsPutInCOrder) {
  // f[i, j, k] = 100 i + 10 j + k for the shape (2, 3, 2), the first index running fastest.
  std::string data;
  for (char k = 0; k < 2; ++k) {
    for (char j = 0; j < 3; ++j) {
      for (char i = 0; i < 2; ++i) {
        data += static_cast<char>(100 * i + 10 * j + k) + "\0\0\0"s;
      }
    }
  }
  SEQ_ASSERT_OK_AND_ASSIGN(
      NpyArray array,
      ParseNpy(File("{'descr':'<i4','fortran_order':True,'shape':(2,3,2)}", data), "x"));
  EXPECT_THAT(array.shape, ElementsAre(2, 3, 2));
  SEQ_ASSERT_OK_AND_ASSIGN(auto values, array.Values<int32_t>());
  EXPECT_THAT(values, ElementsAre(0, 1, 10, 11, 20, 21, 100, 101, 110, 111, 120, 121));
  SEQ_EXPECT_OK(ParseNpy(File("{'descr':'<i4','fortran_order':True,'shape':(0,3)}", ""), "x"));
}

template <typename T>
std::vector<T> ReadAs(const std::string& descr, int count, const std::string& data,
                      const std::string& order = "False") {
  const absl::StatusOr<NpyArray> array =
      ParseNpy(File("{'descr':'" + descr + "','fortran_order':" + order + ",'shape':(" +
                        std::to_string(count) + ",)}",
                    data),
               "x");
  EXPECT_TRUE(array.ok()) << array.status();
  if (!array.ok()) return {};
  const auto values = array->Values<T>();
  EXPECT_TRUE(values.ok()) << values.status();
  return values.ok() ? std::vector<T>(values->begin(), values->end()) : std::vector<T>();
}

TEST(Npy, OtherElementTypesBecomeTheNextWiderOne) {
  EXPECT_THAT(ReadAs<int32_t>("|b1", 2, "\x00\x01"s), ElementsAre(0, 1));
  EXPECT_THAT(ReadAs<int32_t>("|i1", 2, "\xff\x7f"s), ElementsAre(-1, 127));
  EXPECT_THAT(ReadAs<int32_t>("|u1", 2, "\xff\x7f"s), ElementsAre(255, 127));
  EXPECT_THAT(ReadAs<int32_t>("<i2", 2, "\xfe\xff\x01\x02"s), ElementsAre(-2, 513));
  EXPECT_THAT(ReadAs<int32_t>("<u2", 1, "\xfe\xff"s), ElementsAre(65534));
  EXPECT_THAT(ReadAs<int64_t>("<u4", 1, "\xff\xff\xff\xff"s), ElementsAre(4294967295));
  EXPECT_THAT(ReadAs<int64_t>("<u8", 1, "\xff\xff\xff\xff\xff\xff\xff\x7f"s),
              ElementsAre(std::numeric_limits<int64_t>::max()));
  EXPECT_THAT(ParseNpy(File("{'descr':'<u8','fortran_order':False,'shape':(2,)}",
                            "\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x80"s),
                       "x"),
              StatusIs(absl::StatusCode::kInvalidArgument, "element 1 is 9223372036854775808"));
  // 1, -2, the smallest above 0, the largest below infinity, infinity.
  EXPECT_THAT(
      ReadAs<float>("<f2", 5, "\x00\x3c\x00\xc0\x01\x00\xff\x7b\x00\x7c"s),
      ElementsAre(1.0f, -2.0f, 5.9604645e-8f, 65504.0f, std::numeric_limits<float>::infinity()));
  EXPECT_THAT(ReadAs<float>("<f2", 1, "\x01\x7c"s), ElementsAre(::testing::IsNan()));
}

TEST(Npy, TheOtherByteOrderIsTurned) {
  EXPECT_THAT(ReadAs<int32_t>(">i4", 2, "\0\0\0\x05\xff\xff\xff\xfe"s), ElementsAre(5, -2));
  EXPECT_THAT(ReadAs<float>(">f4", 1, "\x3f\x80\0\0"s), ElementsAre(1.0f));
  EXPECT_THAT(ReadAs<double>(">f8", 1, "\xbf\xf8\0\0\0\0\0\0"s, "True"), ElementsAre(-1.5));
  EXPECT_THAT(ReadAs<int32_t>(">u2", 1, "\x01\x02"s), ElementsAre(258));
}

TEST(Npy, RefusesMalformedHeaders) {
  const auto refused = [](const std::string& header, const std::string& why) {
    EXPECT_THAT(ParseNpy(File(header, "1234"), "FILE"),
                StatusIs(absl::StatusCode::kInvalidArgument, why))
        << header;
  };
  SEQ_EXPECT_OK(ParseNpy(File("{'descr':'<i4','fortran_order':False,'shape':(1,)}", "1234"), "x"));
  refused("", "expected '{'");
  refused("{'descr':'<i5','fortran_order':False,'shape':(1,)}", "found '<i5'");
  refused("{'descr':'<c8','fortran_order':False,'shape':(1,)}", "found '<c8'");
  refused("{'descr':'|i4','fortran_order':False,'shape':(1,)}", "found '|i4'");
  refused("{'descr':'i4','fortran_order':False,'shape':(1,)}", "found 'i4'");
  refused("{'descr':'|O','fortran_order':False,'shape':(1,)}", "found '|O'");
  refused("{'descr':[('a','<i4')],'fortran_order':False,'shape':(1,)}", "not a record type");
  refused("{'descr':'<i4','fortran_order':0,'shape':(1,)}", "True or False");
  refused("{'descr':'<i4','fortran_order':False}", "each of");
  refused("{'descr':'<i4','fortran_order':False,'shape':(1,),'x':1}", "one each of the keys");
  refused("{'descr':'<i4','descr':'<i4','fortran_order':False,'shape':(1,)}", "one each");
  refused("{'descr':'<i4','fortran_order':False,'shape':(-1,)}", "a dimension");
  refused("{'descr':'<i4','fortran_order':False,'shape':(99999999999999999999,)}", "a dimension");
  refused("{'descr':'<i4','fortran_order':False,'shape':(1,)", "',' or '}'");
  refused("{'descr':'<i4','fortran_order':False,'shape':(1,)} x", "the end of the header");
  refused("{'descr':'<i4','fortran_order':False,'shape':(2,)}", "expected 8 bytes");
  refused("{'descr':'<i4','fortran_order':False,'shape':(4294967296,4294967296)}",
          "more than 2^63");
  refused("{'descr':'<i4','fortran_order':False,'shape':(0,4)}", "expected 0 bytes");
}

TEST(Npy, EveryPrefixIsRefused) {
  const std::string whole = LiteralFile();
  for (size_t length = 0; length < whole.size(); ++length) {
    EXPECT_FALSE(ParseNpy(whole.substr(0, length), "x").ok()) << length;
  }
  EXPECT_FALSE(ParseNpy(whole + "x", "x").ok());
}

TEST(Npy, MissingFileIsNamed) {
  EXPECT_THAT(ReadNpy("/no/such.npy"), StatusIs(absl::StatusCode::kNotFound, "'/no/such.npy'"));
  EXPECT_THAT(ReadNpz("/no/such.npz"), StatusIs(absl::StatusCode::kNotFound, "'/no/such.npz'"));
}

TEST(Npz, ReadsStoredAndCompressedArrays) {
  for (Packing packing : {Packing::kZip, Packing::kDeflatedZip}) {
    const std::string path = MakeTempDir() + "/a.npz";
    const std::string scalar =
        File("{'descr':'<f4','fortran_order':False,'shape':()}", "\0\0\x80\x3f"s);
    WriteFileOrDie(path,
                   MakeArchive({{"tokens.npy", LiteralFile()}, {"one.npy", scalar}}, packing));
    SEQ_ASSERT_OK_AND_ASSIGN(auto arrays, ReadNpz(path));
    ASSERT_EQ(arrays.size(), 2u);
    SEQ_ASSERT_OK_AND_ASSIGN(auto tokens, arrays["tokens"].Values<int32_t>());
    EXPECT_THAT(tokens, ElementsAre(1, 2, 3, 4, 5, -6));
    SEQ_ASSERT_OK_AND_ASSIGN(auto one, arrays["one"].Values<float>());
    EXPECT_THAT(one, ElementsAre(1.0f));
    EXPECT_THAT(arrays["one"].shape, IsEmpty());
  }
}

TEST(Npz, RefusesDamagedAndForeignFiles) {
  const std::string path = MakeTempDir() + "/a.npz";
  const auto read = [&path](const std::string& bytes) {
    WriteFileOrDie(path, bytes);
    return ReadNpz(path).status();
  };
  const std::string good = MakeArchive({{"t.npy", LiteralFile()}}, Packing::kZip);
  SEQ_ASSERT_OK(read(good));
  for (size_t length = 0; length < good.size(); length += 7) {
    EXPECT_THAT(read(good.substr(0, length)), StatusIs(absl::StatusCode::kInvalidArgument, path));
  }
  std::string flipped = good;
  flipped[good.find("\xfa\xff\xff\xff") + 1] ^= 1;  // Only the check sum can tell.
  EXPECT_THAT(read(flipped), StatusIs(absl::StatusCode::kInvalidArgument, path));
  EXPECT_THAT(read("hello"), StatusIs(absl::StatusCode::kInvalidArgument, "a zip of .npy files"));
  EXPECT_THAT(read(MakeArchive({{"a.txt", "x"}}, Packing::kZip)),
              StatusIs(absl::StatusCode::kInvalidArgument, "found 'a.txt'"));
  EXPECT_THAT(read(MakeArchive({{"a.npy", "x"}}, Packing::kZip)),
              StatusIs(absl::StatusCode::kInvalidArgument, "array a: not a .npy file"));
  EXPECT_THAT(
      read(MakeArchive({{"a.npy", LiteralFile()}, {"a.npy", LiteralFile()}}, Packing::kZip)),
      StatusIs(absl::StatusCode::kInvalidArgument, "two 'a'"));
}

TEST(Npz, ReadsTheArraysThatKerasRunsSaved) {
  SEQ_SHARED_OR_SKIP(folder, "keras");
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    ++files;
    SEQ_ASSERT_OK_AND_ASSIGN(auto arrays, ReadNpz(entry.path().string() + "/expected.npz"));
    ASSERT_TRUE(arrays.contains("tokens")) << entry.path();
    SEQ_ASSERT_OK_AND_ASSIGN(auto tokens, arrays["tokens"].Values<int32_t>());
    ASSERT_EQ(arrays["tokens"].shape.size(), 2u);
    EXPECT_EQ(arrays["tokens"].shape[0] * arrays["tokens"].shape[1],
              static_cast<int64_t>(tokens.size()));
    SEQ_ASSERT_OK_AND_ASSIGN(auto losses, arrays["step_losses"].Values<float>());
    EXPECT_GT(losses[0], 0.0f);
    EXPECT_LT(losses[0], 3.0f);
  }
  EXPECT_EQ(files, 8);
}

}  // namespace
}  // namespace seqgraph::data
