#include "serialization/proto_guard.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>

#include "absl/strings/str_cat.h"
#include "serialization/graph.pb.h"
#include "serialization/model.pb.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

proto::Model SmallModel() {
  proto::Model model;
  model.set_name("m");
  proto::Function* function = model.add_functions();
  function->set_name("f");
  function->add_nodes()->add_inputs("x");
  function->add_nodes()->add_inputs("y");
  return model;
}

TEST(ParseBinaryProtoTest, GivesTheMessageBack) {
  const proto::Model model = SmallModel();
  proto::Model read;
  SEQ_ASSERT_OK(ParseBinaryProto(model.SerializeAsString(), &read));
  EXPECT_EQ(read.SerializeAsString(), model.SerializeAsString());
}

TEST(ParseBinaryProtoTest, NamesThePlaceOfAFieldItDoesNotKnow) {
  proto::Model model = SmallModel();
  proto::Node* node = model.mutable_functions(0)->mutable_nodes(1);
  node->GetReflection()->MutableUnknownFields(node)->AddVarint(19, 1);
  proto::Model read;
  EXPECT_THAT(ParseBinaryProto(model.SerializeAsString(), &read),
              StatusIs(kInvalid, "functions[0].nodes[1] has field 19 of Node"));
}

TEST(ParseBinaryProtoTest, SaysAtWhichByteItStopped) {
  proto::Model read;
  // Field 8, a text of 100 bytes of which one is there.
  EXPECT_THAT(ParseBinaryProto("\x42\x64x", &read), StatusIs(kInvalid, "at byte 2 of 3"));
  // A length beyond 2^31.
  EXPECT_THAT(ParseBinaryProto("\x42\xFF\xFF\xFF\xFF\x0F", &read), StatusIs(kInvalid, "at byte"));
  // An end of a group that never began; wire type 7.
  EXPECT_THAT(ParseBinaryProto("\x0C", &read), StatusIs(kInvalid));
  EXPECT_THAT(ParseBinaryProto("\x0F", &read), StatusIs(kInvalid));
  EXPECT_THAT(ParseBinaryProto(absl::string_view("\0", 1), &read), StatusIs(kInvalid));
}

TEST(ParseBinaryProtoTest, AnInnerLengthMayNotReachBeyondItsMessage) {
  // functions[0] of 2 bytes whose name claims 5, then enough bytes for the name to be there.
  const absl::string_view bytes("\x82\x01\x02\x0A\x05xxxxxxxx");
  proto::Model read;
  EXPECT_THAT(ParseBinaryProto(bytes, &read), StatusIs(kInvalid, "damaged"));
}

// Two bytes of file would become a hundred of memory each.
TEST(ParseBinaryProtoTest, RefusesManyEmptyPartsBeforeAllocatingThem) {
  std::string nodes;
  for (int i = 0; i < 100000; ++i) nodes.append("\x52\x00", 2);
  proto::Function read;
  EXPECT_THAT(ParseBinaryProto(nodes, &read), StatusIs(kInvalid, "bytes of memory"));
  EXPECT_EQ(read.nodes_size(), 0);
}

TEST(ParseBinaryProtoTest, RealPartsWithTheShortestNamesStayWithinTheMemoryAllowed) {
  proto::Function function;
  function.set_name("f");
  for (int i = 0; i < 5000; ++i) {
    proto::Input* input = function.add_inputs();
    input->set_name("x");
    input->mutable_type()->set_dtype(proto::FLOAT32);
    input->mutable_type()->add_dims(1);
    proto::Node* node = function.add_nodes();
    node->set_name("n");
    node->set_op("Add");
    node->set_op_version(1);
    node->add_inputs("x");
    node->add_inputs("x");
    node->add_outputs("n");
    proto::Attribute* attribute = node->add_attributes();
    attribute->set_name("a");
    attribute->set_bool_value(true);
    proto::Result* result = function.add_results();
    result->set_name("r");
    result->set_value("n");
  }
  const std::string bytes = function.SerializeAsString();
  proto::Function read;
  SEQ_ASSERT_OK(ParseBinaryProto(bytes, &read));
  // The scan's estimate is an upper bound of what protobuf itself counts.
  EXPECT_LT(read.SpaceUsedLong(), bytes.size() * kParseMemoryFactor);
  proto::Function from_text;
  SEQ_ASSERT_OK(ParseTextProto(PrintTextProto(function), &from_text));
}

TEST(ParseBinaryProtoTest, AcceptsLongListsOfNumbers) {
  proto::Tensor tensor;
  for (int i = 0; i < 100000; ++i) tensor.add_int64_values(i % 100);
  proto::Tensor read;
  SEQ_ASSERT_OK(ParseBinaryProto(tensor.SerializeAsString(), &read));
  SEQ_ASSERT_OK(ParseTextProto(PrintTextProto(tensor), &read));
}

TEST(ParseTextProtoTest, SaysLineAndColumn) {
  proto::Model read;
  EXPECT_THAT(ParseTextProto("name: \"a\"\n  nonsense: 3\n", &read),
              StatusIs(kInvalid,
                       "line 2, column 11: Message type \"seqgraph.proto.Model\" has no "
                       "field named \"nonsense\""));
}

TEST(ParseTextProtoTest, RefusesManyEmptyPartsAndDeepNesting) {
  std::string text = "nodes: [{}";
  for (int i = 0; i < 100000; ++i) text += ",{}";
  proto::Function read;
  EXPECT_THAT(ParseTextProto(text + "]", &read), StatusIs(kInvalid, "bytes of memory"));
  std::string deep;
  for (int i = 0; i < 200; ++i) deep += "[a.b/c.d] { x ";
  EXPECT_THAT(ParseTextProto(deep, &read), StatusIs(kInvalid));
}

TEST(PrintTextProtoTest, NumbersKeepTheirBits) {
  const uint32_t seed = 20240601;
  std::mt19937 random(seed);
  proto::Tensor tensor;
  for (int i = 0; i < 20000; ++i) {
    const float f = std::bit_cast<float>(static_cast<uint32_t>(random()));
    const double d = std::bit_cast<double>(uint64_t{random()} << 32 | random());
    if (!std::isnan(f)) tensor.add_float32_values(f);
    if (!std::isnan(d)) tensor.add_float64_values(d);
  }
  for (const float f : {-0.0f, 0.0f, 1e-45f, 3.4028235e38f, 0.1f, INFINITY, -INFINITY}) {
    tensor.add_float32_values(f);
    tensor.add_float64_values(f);
  }
  tensor.add_float64_values(std::numeric_limits<double>::denorm_min());
  tensor.add_int64_values(std::numeric_limits<int64_t>::min());
  proto::Tensor read;
  SEQ_ASSERT_OK(ParseTextProto(PrintTextProto(tensor), &read));
  // Compared as bytes: == would take -0 for 0.
  EXPECT_TRUE(read.SerializeAsString() == tensor.SerializeAsString()) << "seed " << seed;
}

TEST(PrintTextProtoTest, ShortNumbersStayShort) {
  proto::Tensor tensor;
  tensor.add_float32_values(0.05f);
  tensor.add_float32_values(-2);
  EXPECT_EQ(PrintTextProto(tensor), "float32_values: [0.05, -2]\n");
}

TEST(CheckStringsAreUtf8Test, NamesTheField) {
  proto::Model model = SmallModel();
  SEQ_EXPECT_OK(CheckStringsAreUtf8(model));
  for (const char* good : {"Gr\xC3\xB6\xC3\x9F"
                           "e",
                           "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "\x7F"}) {
    model.set_description(good);
    SEQ_EXPECT_OK(CheckStringsAreUtf8(model));
    proto::Model read;
    EXPECT_TRUE(read.ParseFromString(model.SerializeAsString())) << good;
  }
  model.clear_description();
  // A lone lead, a lone continuation, too long forms, a surrogate, beyond Unicode, cut short.
  for (const char* bad : {"\xC3", "\x80", "\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80",
                          "\xF4\x90\x80\x80", "\xF0\x9F\x98", "\xFF", "caf\xE9"}) {
    model.mutable_functions(0)->mutable_nodes(1)->set_inputs(0, bad);
    EXPECT_THAT(CheckStringsAreUtf8(model), StatusIs(kInvalid, "functions[0].nodes[1].inputs"))
        << absl::StrCat(bad);
  }
}

}  // namespace
}  // namespace seqgraph
