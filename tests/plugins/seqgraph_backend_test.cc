// The header's help for plugins, and our own reader of functions that stands on it, against the
// bytes that the host's protobuf library writes.

#include "backends/plugin/seqgraph_backend.h"

#include <cstdint>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "backends/plugin/encoded_function.h"
#include "backends/plugin/function_reader.h"
#include "graph/function_builder.h"
#include "graph/model.h"
#include "graph/rewrite.h"
#include "gtest/gtest.h"
#include "ops/all_ops.h"
#include "ops/constant.h"
#include "serialization/testing/test_ops.h"
#include "tests/plugins/plugin_testing.h"
#include "tests/testing.h"
#include "training/text_models.h"

namespace seqgraph {
namespace {

using Encoded = std::shared_ptr<const EncodedFunction>;

// One node of op Mix, which has an attribute of every kind.
Function MixFunction(const OpRegistry& ops) {
  FunctionBuilder g("mixed", ops);
  const Value x = g.Input("x", {DType::kFloat32, {2, 3}});
  const std::vector<Value> mixed =
      g.AddNode("Mix", {x, Value{}, x},
                {{"size", int64_t{-5}},
                 {"rate", 0.1},
                 {"flag", true},
                 {"mode", std::string("hard")},
                 {"axes", std::vector<int64_t>{3, -1, int64_t{1} << 40}},
                 {"dtype", DType::kInt64}},
                "blend");
  g.Result("out", mixed[1]);
  absl::StatusOr<Function> function = std::move(g).Build();
  EXPECT_THAT(function, IsOk());
  return *std::move(function);
}

Encoded Encode(const Function& function) {
  absl::StatusOr<Encoded> encoded = EncodedFunction::Encode(function, SerializeForPlugins());
  EXPECT_THAT(encoded, IsOk());
  return *encoded;
}

std::string Text(sg_string text) { return std::string(text.data, text.size); }

constexpr sg_supported_op kMix = {
    "Mix", 1, {"size", "rate", "flag", "mode", "axes", "dtype", nullptr}};

sg_claim NewClaim() {
  sg_claim claim = {};
  claim.struct_size = sizeof(claim);
  return claim;
}

TEST(Header, ReadsANodeAndAttributesOfEveryKind) {
  const OpRegistry ops = FileTestOps();
  const Encoded encoded = Encode(MixFunction(ops));
  const sg_function& function = encoded->view();
  sg_node node;
  sg_claim claim = NewClaim();
  ASSERT_EQ(sg_check_node(&function, 0, &kMix, 1, &node, &claim), 0) << claim.text;
  EXPECT_EQ(Text(node.name), "blend");
  EXPECT_EQ(Text(node.op), "Mix");
  EXPECT_EQ(node.op_version, 1);

  sg_attribute attribute;
  ASSERT_TRUE(sg_find_attribute(&node, "size", &attribute));
  EXPECT_EQ(attribute.kind, SG_ATTRIBUTE_INT);
  EXPECT_EQ(attribute.int_value, -5);
  ASSERT_TRUE(sg_find_attribute(&node, "rate", &attribute));
  EXPECT_EQ(attribute.kind, SG_ATTRIBUTE_FLOAT);
  EXPECT_EQ(attribute.float_value, 0.1);
  ASSERT_TRUE(sg_find_attribute(&node, "flag", &attribute));
  EXPECT_EQ(attribute.kind, SG_ATTRIBUTE_BOOL);
  EXPECT_EQ(attribute.int_value, 1);
  ASSERT_TRUE(sg_find_attribute(&node, "mode", &attribute));
  EXPECT_EQ(attribute.kind, SG_ATTRIBUTE_STRING);
  EXPECT_EQ(Text(attribute.string_value), "hard");
  ASSERT_TRUE(sg_find_attribute(&node, "dtype", &attribute));
  EXPECT_EQ(attribute.kind, SG_ATTRIBUTE_DTYPE);
  EXPECT_EQ(attribute.int_value, SG_INT64);
  ASSERT_TRUE(sg_find_attribute(&node, "axes", &attribute));
  EXPECT_EQ(attribute.kind, SG_ATTRIBUTE_INTS);
  std::vector<int64_t> axes;
  for (int64_t axis; sg_next_int(&attribute.ints, &axis) != 0;) axes.push_back(axis);
  EXPECT_THAT(axes, ::testing::ElementsAre(3, -1, int64_t{1} << 40));
  EXPECT_FALSE(sg_find_attribute(&node, "siz", &attribute));
}

TEST(Header, ReadsTensorAttributesAndOursDecodesThemBitForBit) {
  for (const Tensor& content :
       {Tensor::Of<float>({2, 8}, AwkwardFloats()), Tensor::Scalar<int64_t>(int64_t{1} << 60),
        Tensor::Of<double>({0, 3}, {})}) {
    FunctionBuilder g("f", AllOps());
    g.Result("y", ops::Constant(g, content));
    const Encoded encoded = Encode(std::move(g).Build().value());
    sg_attribute attribute;
    ASSERT_TRUE(sg_find_attribute(&encoded->node(0), "value", &attribute));
    EXPECT_EQ(attribute.kind, SG_ATTRIBUTE_TENSOR);
    EXPECT_EQ(attribute.int_value, static_cast<int64_t>(content.dtype()));
    std::vector<int64_t> extents;
    for (int64_t extent; sg_next_int(&attribute.ints, &extent) != 0;) extents.push_back(extent);
    EXPECT_EQ(extents.size(), static_cast<size_t>(content.shape().rank()));
    ASSERT_EQ(attribute.content.size, static_cast<size_t>(content.num_bytes()));
    if (content.num_bytes() > 0) {
      EXPECT_EQ(std::memcmp(attribute.content.data, content.data(), attribute.content.size), 0);
    }
    SEQ_ASSERT_OK_AND_ASSIGN(const DecodedFunction decoded,
                             DecodeFunction(encoded->view(), AllOps()));
    EXPECT_TRUE(decoded.function.nodes()[0].attributes.GetTensor("value").BitwiseEquals(content));
  }
}

TEST(Header, FindsValuesByNameInFunctionsOfAnyHost) {
  const OpRegistry ops = FileTestOps();
  const Encoded encoded = Encode(MixFunction(ops));
  sg_function old = encoded->view();
  old.struct_size = offsetof(sg_function, values_by_name);
  old.values_by_name = nullptr;
  for (const sg_function* function : {&encoded->view(), static_cast<const sg_function*>(&old)}) {
    for (int v = 0; v < function->num_values; ++v) {
      const std::string name = function->values[v]->name;
      int32_t index = -1;
      EXPECT_EQ(sg_find_value(function, {name.data(), name.size()}, &index), function->values[v]);
      EXPECT_EQ(index, v);
      const std::string other = name + "?";
      EXPECT_EQ(sg_find_value(function, {other.data(), other.size()}, nullptr), nullptr);
    }
  }
}

TEST(Header, FindsOperandsAndTheirTypes) {
  const OpRegistry ops = FileTestOps();
  const Encoded encoded = Encode(MixFunction(ops));
  const sg_function& function = encoded->view();
  sg_node node;
  ASSERT_TRUE(sg_get_node(&function, 0, &node));
  const sg_value* x = sg_node_input(&function, &node, 0);
  ASSERT_NE(x, nullptr);
  EXPECT_STREQ(x->name, "x");
  EXPECT_EQ(x->dtype, SG_FLOAT32);
  ASSERT_EQ(x->rank, 2);
  EXPECT_EQ(x->dims[0], 2);
  EXPECT_EQ(x->dims[1], 3);
  EXPECT_EQ(sg_node_input(&function, &node, 1), nullptr) << "absent";
  EXPECT_EQ(sg_node_input(&function, &node, 2), x);
  EXPECT_EQ(sg_node_input(&function, &node, 3), nullptr) << "no such input";
  EXPECT_NE(sg_node_output(&function, &node, 1), nullptr);
  EXPECT_EQ(sg_node_output(&function, &node, 2), nullptr) << "no such output";
  EXPECT_FALSE(sg_get_node(&function, 1, &node));
  EXPECT_FALSE(sg_get_node(&function, -1, &node));
}

TEST(Header, RefusesWhatAPluginDoesNotList) {
  const OpRegistry ops = FileTestOps();
  const Encoded encoded = Encode(MixFunction(ops));
  const sg_function& function = encoded->view();
  struct Case {
    sg_supported_op supported;
    const char* text;
  };
  for (const Case& c : {
           Case{{"Mixer", 1, {"size", "rate", "flag", "mode", "axes", "dtype", nullptr}},
                "op Mix is not implemented"},
           Case{{"Mix", 2, {"size", "rate", "flag", "mode", "axes", "dtype", nullptr}},
                "op Mix has version 1 here; implemented is version 2"},
           Case{{"Mix", 1, {"size", "rate", "flag", "mode", "axes", nullptr}},
                "op Mix has an attribute dtype, which is not implemented"},
           Case{{"Mix", 1, {nullptr}}, "op Mix has an attribute axes"},
       }) {
    sg_node node;
    sg_claim claim = NewClaim();
    EXPECT_EQ(sg_check_node(&function, 0, &c.supported, 1, &node, &claim), -1);
    EXPECT_EQ(claim.reason, SG_UNKNOWN_OP);
    EXPECT_NE(std::string(claim.text).find(c.text), std::string::npos) << claim.text;
  }
}

TEST(Header, RefusesAFieldThatItDoesNotKnow) {
  const OpRegistry ops = FileTestOps();
  const Encoded encoded = Encode(MixFunction(ops));
  // Field 17, a varint, behind everything else of the function.
  const std::string bytes = encoded->bytes() + std::string("\x88\x01\x01");
  sg_function function = encoded->view();
  function.bytes = reinterpret_cast<const uint8_t*>(bytes.data());
  function.num_bytes = bytes.size();
  sg_node node;
  sg_claim claim = NewClaim();
  EXPECT_EQ(sg_check_node(&function, 0, &kMix, 1, &node, &claim), -1);
  EXPECT_EQ(claim.reason, SG_UNKNOWN_OP);
  EXPECT_THAT(DecodeFunction(function, ops), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(Header, VarintsOfTenBytesEndAndLongerOnesAreDamage) {
  uint64_t value;
  const auto read = [&](const std::string& bytes) {
    sg_reader reader = sg_read({bytes.data(), bytes.size()});
    return sg_read_varint(&reader, &value) != 0;
  };
  EXPECT_TRUE(read(std::string("\xAC\x02")));
  EXPECT_EQ(value, 300u);
  EXPECT_TRUE(read(std::string(9, '\xFF') + "\x01"));
  EXPECT_EQ(value, ~uint64_t{0});
  EXPECT_FALSE(read(std::string(9, '\xFF') + "\x02"));
  EXPECT_FALSE(read(std::string(10, '\x80') + "\x01"));
  EXPECT_FALSE(read("\x80"));
  EXPECT_FALSE(read(""));
}

// Functions of all sizes, with static shapes.
std::vector<Function> Functions() {
  std::vector<Function> functions;
  for (const bool one_hot : {false, true}) {
    const absl::StatusOr<Model> model = MakeTextModel({.one_hot = one_hot, .num_words = 9});
    EXPECT_THAT(model, IsOk());
    for (const char* name : {"predict", "evaluate", "train_step"}) {
      functions.push_back(*BindBatch(*model->FindFunction(name), AllOps(), 6));
    }
  }
  FunctionBuilder g("constants", AllOps());
  const Value some = ops::Constant(g, Tensor::Of<float>({3}, {1, 0.5f, -2}));
  g.Result("y", g.AddNode("Add", {some, ops::Constant(g, Tensor::Of<float>({3}, {4, 4, 4}))})[0]);
  functions.push_back(std::move(g).Build().value());
  return functions;
}

TEST(FunctionReader, GivesBackWhatTheHostEncoded) {
  const OpRegistry mix = FileTestOps();
  std::vector<Function> functions = Functions();
  functions.push_back(MixFunction(mix));
  for (const Function& function : functions) {
    const OpRegistry& ops = function.name() == "mixed" ? mix : AllOps();
    const Encoded encoded = Encode(function);
    SEQ_ASSERT_OK_AND_ASSIGN(const DecodedFunction decoded, DecodeFunction(encoded->view(), ops));
    ASSERT_EQ(decoded.function.nodes().size(), function.nodes().size());
    for (size_t n = 0; n < function.nodes().size(); ++n) {
      const Node &a = function.nodes()[n], &b = decoded.function.nodes()[n];
      EXPECT_EQ(a.name, b.name);
      EXPECT_EQ(a.op, b.op);
      EXPECT_EQ(a.attributes, b.attributes) << a.name;
      ASSERT_EQ(a.inputs.size(), b.inputs.size());
      for (size_t i = 0; i < a.inputs.size(); ++i) {
        const int ours = a.inputs[i].present() ? decoded.value_of_host[a.inputs[i].index] : -1;
        EXPECT_EQ(b.inputs[i].index, ours) << a.name;
      }
      for (size_t i = 0; i < a.outputs.size(); ++i) {
        EXPECT_EQ(b.outputs[i].index, decoded.value_of_host[a.outputs[i].index]) << a.name;
      }
    }
    ASSERT_EQ(decoded.function.results().size(), function.results().size());
    for (size_t i = 0; i < function.results().size(); ++i) {
      EXPECT_EQ(decoded.function.results()[i].name, function.results()[i].name);
      EXPECT_EQ(decoded.function.results()[i].value.index,
                decoded.value_of_host[function.results()[i].value.index]);
    }
    ASSERT_EQ(decoded.function.updates().size(), function.updates().size());
    for (size_t i = 0; i < function.updates().size(); ++i) {
      EXPECT_EQ(decoded.function.updates()[i].name, function.updates()[i].name);
    }
  }
}

TEST(FunctionReader, DiffersFromTheHostInNoTypeUnnoticed) {
  const Function function = SigmoidFunction(4);
  const Encoded encoded = Encode(function);
  const int64_t other_dims[] = {4, 7};
  std::vector<const sg_value*> values(encoded->view().values,
                                      encoded->view().values + encoded->view().num_values);
  sg_value changed = *values.back();
  changed.dims = other_dims;
  values.back() = &changed;
  sg_function wrong = encoded->view();
  wrong.values = values.data();
  EXPECT_THAT(DecodeFunction(wrong, AllOps()),
              StatusIs(absl::StatusCode::kInvalidArgument, "for the host, but here"));
}

// Damaged bytes: an error, or a function, never a read outside (which the sanitizer sees, since the
// bytes lie in memory of just their size).
class DamagedFunction : public ::testing::TestWithParam<size_t> {};

TEST_P(DamagedFunction, IsRefusedOrRead) {
  const Encoded encoded = Encode(Functions()[GetParam()]);
  const std::string& bytes = encoded->bytes();
  const auto decode = [&](const std::string& damaged) {
    std::unique_ptr<uint8_t[]> memory(new uint8_t[damaged.size()]);
    std::memcpy(memory.get(), damaged.data(), damaged.size());
    sg_function function = encoded->view();
    function.bytes = memory.get();
    function.num_bytes = damaged.size();
    sg_node node;
    sg_claim claim = NewClaim();
    sg_check_node(&function, 1, &kMix, 1, &node, &claim);
    return DecodeFunction(function, AllOps()).ok();
  };
  ASSERT_TRUE(decode(bytes));
  int refused = 0;
  for (size_t size = 0; size < bytes.size(); size += 7) refused += !decode(bytes.substr(0, size));
  EXPECT_EQ(refused, static_cast<int>((bytes.size() + 6) / 7)) << "cut off somewhere";
  const uint64_t seed = 20240611;
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  std::mt19937_64 random(seed);
  refused = 0;
  constexpr int kTries = 2000;
  for (int i = 0; i < kTries; ++i) {
    std::string damaged = bytes;
    damaged[random() % damaged.size()] ^= static_cast<char>(1 << (random() % 8));
    refused += !decode(damaged);
  }
  EXPECT_GT(refused, kTries / 2);
}

// A training step, and one with tensors among its attributes.
INSTANTIATE_TEST_SUITE_P(Kinds, DamagedFunction, ::testing::Values(2, 6));

TEST(EncodedFunction, PassesFromProcessToProcess) {
  for (const Function& function : Functions()) {
    const Encoded encoded = Encode(function);
    const std::string packed = encoded->Pack();
    SEQ_ASSERT_OK_AND_ASSIGN(const Encoded unpacked, EncodedFunction::Unpack(packed));
    EXPECT_EQ(unpacked->bytes(), encoded->bytes());
    EXPECT_EQ(unpacked->num_nodes(), encoded->num_nodes());
    EXPECT_EQ(unpacked->Pack(), packed);
    for (size_t size = 0; size < packed.size(); size += 5) {
      EXPECT_FALSE(EncodedFunction::Unpack(packed.substr(0, size)).ok()) << size;
    }
    EXPECT_FALSE(EncodedFunction::Unpack(packed + "x").ok());
  }
}

TEST(EncodedFunction, NeedsStaticShapes) {
  SEQ_ASSERT_OK_AND_ASSIGN(const Model model, MakeTextModel({.num_words = 9}));
  EXPECT_THAT(EncodedFunction::Encode(*model.FindFunction("predict"), SerializeForPlugins()),
              StatusIs(absl::StatusCode::kInvalidArgument, "bind the batch first"));
}

}  // namespace
}  // namespace seqgraph
