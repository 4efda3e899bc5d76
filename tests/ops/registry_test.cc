// Every op of the registry against its own definition: examples, inferred types, constraints,
// outputs that nobody wants, outputs in the memory of inputs.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/status_macros.h"
#include "graph/compare.h"
#include "graph/evaluate.h"
#include "graph/op_def.h"
#include "ops/all_ops.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

constexpr uint64_t kSeed = 20260801;
constexpr int kSamples = 100;

bool AllFinite(const Tensor& tensor) {
  const Tensor wide = tensor.Cast(DType::kFloat64);
  const auto elements = wide.Elements<double>();
  return std::all_of(elements.begin(), elements.end(), [](double x) { return std::isfinite(x); });
}

class RegistryTest : public testing::TestWithParam<const OpDef*> {
 protected:
  const OpDef& op() const { return *GetParam(); }

  // Calls test(attributes, inputs) with random uses of the op in float and in double.
  template <typename F>
  void ForEachSample(F test) {
    SampleSource source(kSeed);
    for (int i = 0; i < kSamples; ++i) {
      const OpSample sample = op().sampler()(source);
      for (DType real : {DType::kFloat32, DType::kFloat64}) {
        SCOPED_TRACE(testing::Message() << "seed " << kSeed << ", sample " << i << ", "
                                        << std::string(DTypeName(real)));
        SEQ_ASSERT_OK_AND_ASSIGN(const Attributes complete,
                                 op().CompleteAttributes(sample.attributes));
        test(CastReals(complete, real), CastReals(sample.inputs, real));
        if (HasFatalFailure()) return;
      }
    }
  }
};

TEST_P(RegistryTest, ExamplesGiveTheStatedOutputs) {
  std::set<std::string> names;
  for (const OpExample& example : op().examples()) {
    EXPECT_TRUE(names.insert(example.name).second) << "two examples named " << example.name;
    for (DType real : {DType::kFloat32, DType::kFloat64}) {
      SCOPED_TRACE(testing::Message() << example.name << ", " << std::string(DTypeName(real)));
      // Complete, so that the default of an attribute that is an element type is converted too.
      SEQ_ASSERT_OK_AND_ASSIGN(const Attributes complete,
                               op().CompleteAttributes(example.attributes));
      SEQ_ASSERT_OK_AND_ASSIGN(
          const OptionalTensors actual,
          Evaluate(op(), CastReals(complete, real), CastReals(example.inputs, real)));
      const OptionalTensors expected = CastReals(example.outputs, real);
      ASSERT_EQ(expected.size(), actual.size());
      for (size_t i = 0; i < expected.size(); ++i) {
        if (!expected[i].has_value()) continue;
        EXPECT_EQ(actual[i]->type(), expected[i]->type()) << op().outputs()[i].name;
        // Counters exactly; reals to a few roundings of their type.
        const double bound = !IsReal(actual[i]->dtype()) ? 0
                             : real == DType::kFloat32   ? 8 * std::numeric_limits<float>::epsilon()
                                                         : 1e-14;
        EXPECT_LE(RelativeError(*actual[i], *example.outputs[i]), bound) << op().outputs()[i].name;
      }
    }
  }
}

TEST_P(RegistryTest, EveryConstraintHasARejectionThatFailsWithItsLabel) {
  std::set<std::string> constraints, rejected;
  for (const Constraint& constraint : op().constraints()) {
    EXPECT_TRUE(constraints.insert(constraint.label).second) << constraint.label << " twice";
    EXPECT_FALSE(constraint.text.empty()) << constraint.label;
  }
  for (const OpRejection& rejection : op().rejections()) {
    rejected.insert(rejection.constraint);
    SEQ_ASSERT_OK_AND_ASSIGN(const Attributes attributes,
                             op().CompleteAttributes(rejection.attributes));
    const auto types = op().InferTypes(rejection.inputs, attributes);
    ASSERT_FALSE(types.ok()) << "nothing rejects the violation of " << rejection.constraint;
    EXPECT_EQ(types.status().code(), absl::StatusCode::kInvalidArgument) << types.status();
    EXPECT_EQ(types.status().message().substr(0, rejection.constraint.size() + 2),
              rejection.constraint + ": ");
  }
  EXPECT_EQ(rejected, constraints);
}

TEST_P(RegistryTest, SamplesAreValidAndEveryElementIsWritten) {
  ASSERT_TRUE(op().sampler()) << "no sampler";
  ForEachSample([&](const Attributes& attributes, const OptionalTensors& inputs) {
    SEQ_ASSERT_OK_AND_ASSIGN(const OptionalTensors once, Evaluate(op(), attributes, inputs));
    EvaluationOptions options;
    options.fill = std::numeric_limits<double>::quiet_NaN();
    SEQ_ASSERT_OK_AND_ASSIGN(const OptionalTensors again,
                             Evaluate(op(), attributes, inputs, options));
    for (size_t i = 0; i < once.size(); ++i) {
      EXPECT_TRUE(once[i]->BitwiseEquals(*again[i])) << op().outputs()[i].name;
      EXPECT_TRUE(AllFinite(*once[i])) << op().outputs()[i].name;
    }
  });
}

TEST_P(RegistryTest, AnOutputAloneIsTheSameAsWithTheOthers) {
  ForEachSample([&](const Attributes& attributes, const OptionalTensors& inputs) {
    SEQ_ASSERT_OK_AND_ASSIGN(const OptionalTensors all, Evaluate(op(), attributes, inputs));
    for (size_t i = 0; i < all.size(); ++i) {
      EvaluationOptions options;
      options.wanted.assign(all.size(), false);
      options.wanted[i] = true;
      SEQ_ASSERT_OK_AND_ASSIGN(const OptionalTensors alone,
                               Evaluate(op(), attributes, inputs, options));
      EXPECT_TRUE(alone[i]->BitwiseEquals(*all[i])) << op().outputs()[i].name;
    }
    EvaluationOptions none;
    none.wanted.assign(all.size(), false);
    SEQ_EXPECT_OK(Evaluate(op(), attributes, inputs, none));
  });
}

TEST_P(RegistryTest, AUseCostsSomethingFewerOutputsNotMoreAndNoneNothing) {
  ForEachSample([&](const Attributes& attributes, const OptionalTensors& inputs) {
    const std::vector<std::optional<TensorType>> types = TypesOf(inputs);
    SEQ_ASSERT_OK_AND_ASSIGN(const std::vector<TensorType> outputs,
                             op().InferTypes(types, attributes));
    std::vector<std::optional<TensorType>> used(outputs.begin(), outputs.end());
    const OpCost all = op().CostOf(CostContext(types, used, attributes));
    EXPECT_GE(all.flops, 0);
    EXPECT_GE(all.bytes_read, 0);
    EXPECT_GT(all.bytes_written, 0);
    for (size_t i = 0; i < outputs.size(); ++i) {
      std::vector<std::optional<TensorType>> but_one = used;
      but_one[i].reset();
      const OpCost fewer = op().CostOf(CostContext(types, but_one, attributes));
      EXPECT_LE(fewer.flops, all.flops) << op().outputs()[i].name;
      EXPECT_LE(fewer.bytes_read, all.bytes_read) << op().outputs()[i].name;
      EXPECT_LE(fewer.bytes_written, all.bytes_written) << op().outputs()[i].name;
    }
    used.assign(outputs.size(), std::nullopt);
    EXPECT_EQ(op().CostOf(CostContext(types, used, attributes)), OpCost{});
  });
}

class InPlaceTest : public RegistryTest {};

TEST_P(InPlaceTest, OutputsInTheMemoryOfInputsAreTheSame) {
  std::vector<std::vector<InPlacePair>> choices;
  for (const InPlacePair& pair : op().in_place()) choices.push_back({pair});
  // Pairs of different outputs and inputs at once, too.
  std::set<int> inputs_used, outputs_used;
  std::vector<InPlacePair> together;
  for (const InPlacePair& pair : op().in_place()) {
    if (!inputs_used.insert(pair.input).second || !outputs_used.insert(pair.output).second)
      continue;
    together.push_back(pair);
  }
  choices.push_back(together);
  ForEachSample([&](const Attributes& attributes, const OptionalTensors& inputs) {
    SEQ_ASSERT_OK_AND_ASSIGN(const OptionalTensors apart, Evaluate(op(), attributes, inputs));
    for (const std::vector<InPlacePair>& pairs : choices) {
      SEQ_ASSERT_OK_AND_ASSIGN(const OptionalTensors shared,
                               Evaluate(op(), attributes, inputs, {.in_place = pairs}));
      for (size_t i = 0; i < apart.size(); ++i) {
        EXPECT_TRUE(shared[i]->BitwiseEquals(*apart[i])) << op().outputs()[i].name;
      }
    }
  });
}

std::vector<const OpDef*> OpsWithInPlacePairs() {
  std::vector<const OpDef*> ops;
  for (const OpDef* op : AllOps().All()) {
    if (!op->in_place().empty()) ops.push_back(op);
  }
  return ops;
}

std::string OpName(const testing::TestParamInfo<const OpDef*>& info) { return info.param->name(); }

INSTANTIATE_TEST_SUITE_P(AllOps, RegistryTest, testing::ValuesIn(AllOps().All()), OpName);
INSTANTIATE_TEST_SUITE_P(AllOps, InPlaceTest, testing::ValuesIn(OpsWithInPlacePairs()), OpName);

}  // namespace
}  // namespace seqgraph
