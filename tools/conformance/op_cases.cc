// Mode ops: every op of the registry, one node at a time.

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "absl/strings/str_cat.h"
#include "tools/conformance/case.h"
#include "tools/conformance/function_check.h"

namespace seqgraph::conformance {
namespace {

constexpr int64_t kDimensions[] = {1, 5, 17, 33, 65};
constexpr int kSamples = 3;
constexpr int64_t kLargeDimension = 129;
constexpr int kLargestRankForLarge = 3;
// One less than, as many as and one more than the floats of a vector: AVX2, AVX-512, and two of the
// latter.
constexpr int64_t kWidths[] = {7, 8, 9, 15, 16, 17, 31, 32, 33};
constexpr int kDrawsForWidth = 40;  // for each extent that a draw may give
constexpr int kProbes = 32;

// Every node, and where there are several outputs each of them alone: the others are then null.
void CheckSample(const OpDef& op, const OpSample& sample, const CaseContext& context,
                 Verdict& verdict) {
  const auto problem = OneNode(op, context.registry, sample);
  if (!verdict.Check(problem.status(), "building")) return;
  CheckEachNode(*problem, context, verdict);
  const auto exact = ExactRun::Create(problem->function, context.registry);
  if (!verdict.Check(exact.status(), "the function in float64")) return;
  const int outputs = static_cast<int>(op.outputs().size());
  for (int o = 0; o < outputs && outputs > 1 && verdict.ok(); ++o) {
    const auto alone = OneNode(op, context.registry, sample, {.only = o});
    if (!verdict.Check(alone.status(), "building")) return;
    const auto run = Start(*alone, context, {}, verdict);
    if (run != nullptr) RunAndCheckNodes(*run, *exact, verdict);
  }
}

Case DimensionCase(const OpDef* op, const std::string& name, int64_t dimension) {
  return {name, [op, name, dimension](const CaseContext& context, Verdict& verdict) {
            SampleSource source(SeedOf(context.seed, name), dimension);
            CheckSample(*op, op->sampler()(source), context, verdict);
          }};
}

bool EndsIn(const Shape& shape, int64_t width) {
  return shape.rank() > 0 && shape.back().size() == width;
}

// Whether the innermost extent of the first input or output is `width`.
bool HasWidth(const OpDef& op, const OpSample& sample, int64_t width) {
  if (!sample.inputs.empty() && sample.inputs[0].has_value() &&
      EndsIn(sample.inputs[0]->shape(), width))
    return true;
  const auto attributes = op.CompleteAttributes(sample.attributes);
  if (!attributes.ok()) return false;
  const auto outputs = op.InferTypes(TypesOf(sample.inputs), *attributes);
  return outputs.ok() && EndsIn((*outputs)[0].shape, width);
}

Case WidthCase(const OpDef* op, const std::string& name, int64_t width) {
  return {name, [op, name, width](const CaseContext& context, Verdict& verdict) {
            SampleSource source(SeedOf(context.seed, name), width);
            for (int64_t draw = 0; draw < kDrawsForWidth * width; ++draw) {
              const OpSample sample = op->sampler()(source);
              if (HasWidth(*op, sample, width)) return CheckSample(*op, sample, context, verdict);
            }
            verdict.Skip(absl::StrCat("no sample has the width ", width));
          }};
}

// The sample with every extent that equals `extent` set to zero; nullopt if the op has no such use.
std::optional<OpSample> WithoutElements(const OpDef& op, const OpSample& sample, int64_t extent) {
  OpSample changed = InFloat(sample);
  for (std::optional<Tensor>& tensor : changed.inputs) {
    if (!tensor.has_value()) continue;
    Shape shape;
    bool zero = false;
    for (Dim dim : tensor->shape().dims()) {
      shape.Append(dim == Dim(extent) ? Dim(0) : dim);
      zero |= dim == Dim(extent);
    }
    if (zero) tensor = *Tensor::Zeros({tensor->dtype(), shape});
  }
  const auto attributes = op.CompleteAttributes(changed.attributes);
  if (!attributes.ok() || !op.InferTypes(TypesOf(changed.inputs), *attributes).ok())
    return std::nullopt;
  return changed;
}

// Whether the definition itself runs on the sample (a table without rows has no index).
bool IsDefined(const OpDef& op, const OpSample& sample, const CaseContext& context) {
  const auto problem = OneNode(op, context.registry, sample);
  if (!problem.ok()) return false;
  auto exact = ExactRun::Create(problem->function, context.registry);
  return exact.ok() && exact->Run(problem->contents).ok();
}

Case ZeroCase(const OpDef* op, const std::string& name) {
  return {name, [op, name](const CaseContext& context, Verdict& verdict) {
            SampleSource source(SeedOf(context.seed, name), /*max_dim=*/5);
            int checked = 0;
            for (int draw = 0; draw < kProbes && verdict.ok(); ++draw) {
              const OpSample sample = op->sampler()(source);
              std::set<int64_t> extents;
              for (const std::optional<Tensor>& tensor : sample.inputs) {
                if (!tensor.has_value()) continue;
                for (Dim dim : tensor->shape().dims()) extents.insert(dim.size());
              }
              for (int64_t extent : extents) {
                const auto changed = WithoutElements(*op, sample, extent);
                if (!changed.has_value() || !IsDefined(*op, *changed, context)) continue;
                CheckSample(*op, *changed, context, verdict);
                if (!verdict.ok()) return;
                ++checked;
              }
            }
            if (checked == 0) verdict.Skip("the op has no use with an extent of zero");
          }};
}

// NaN and both infinities in one element of each real input in turn.
Case NonFiniteCase(const OpDef* op, const std::string& name) {
  return {name, [op, name](const CaseContext& context, Verdict& verdict) {
            SampleSource source(SeedOf(context.seed, name), /*max_dim=*/17);
            const double infinity = std::numeric_limits<double>::infinity();
            for (int draw = 0; draw < 3; ++draw) {
              const OpSample sample = op->sampler()(source);
              for (size_t i = 0; i < sample.inputs.size(); ++i) {
                if (!sample.inputs[i].has_value() || !IsReal(sample.inputs[i]->dtype())) continue;
                for (double special : {std::nan(""), infinity, -infinity}) {
                  OpSample spoiled = sample;
                  const auto elements = spoiled.inputs[i]->Elements<double>();
                  if (elements.empty()) continue;
                  elements[source.Int(0, static_cast<int64_t>(elements.size()) - 1)] = special;
                  const auto problem = OneNode(*op, context.registry, spoiled);
                  if (!verdict.Check(problem.status(), "building")) return;
                  CheckEachNode(*problem, context, verdict);
                  if (verdict.ok()) continue;
                  if (verdict.row().outcome == Outcome::kFailed) {
                    verdict.Explain(absl::StrCat("with ", special, " in ", op->inputs()[i].name));
                  }
                  return;
                }
              }
            }
          }};
}

// The examples of the definition, which tests/ops holds against outputs worked out by hand.
Case ExampleCase(const OpDef* op, const OpExample* example, const std::string& name) {
  return {name, [op, example](const CaseContext& context, Verdict& verdict) {
            CheckSample(*op, {example->attributes, example->inputs}, context, verdict);
          }};
}

// Of all inputs and outputs.
int LargestRank(const OpDef& op) {
  int rank = 0;
  SampleSource source(/*seed=*/1, /*max_dim=*/2);
  for (int draw = 0; draw < kProbes; ++draw) {
    const OpSample sample = op.sampler()(source);
    for (const std::optional<Tensor>& tensor : sample.inputs) {
      if (tensor.has_value()) rank = std::max(rank, tensor->shape().rank());
    }
    const auto attributes = op.CompleteAttributes(sample.attributes);
    if (!attributes.ok()) continue;
    const auto outputs = op.InferTypes(TypesOf(sample.inputs), *attributes);
    if (!outputs.ok()) continue;
    for (const TensorType& type : *outputs) rank = std::max(rank, type.shape.rank());
  }
  return rank;
}

bool HasRealInput(const OpDef& op) {
  return std::any_of(op.inputs().begin(), op.inputs().end(),
                     [](const InputDef& def) { return MayBeReal(def.type); });
}

}  // namespace

Cases OpCases(const OpRegistry& registry) {
  Cases cases;
  for (const OpDef* op : registry.All()) {
    const std::string prefix = absl::StrCat("ops/", op->name(), "/");
    for (const OpExample& example : op->examples()) {
      cases.push_back(ExampleCase(op, &example, absl::StrCat(prefix, "example/", example.name)));
    }
    if (!op->sampler()) continue;
    for (int64_t dimension : kDimensions) {
      for (int i = 0; i < kSamples; ++i) {
        cases.push_back(
            DimensionCase(op, absl::StrCat(prefix, "dim", dimension, "/", i), dimension));
      }
    }
    const int rank = LargestRank(*op);
    if (rank > 0 && rank <= kLargestRankForLarge) {
      cases.push_back(DimensionCase(op, prefix + "large", kLargeDimension));
    }
    for (int64_t width : kWidths) {
      if (rank == 0) break;
      cases.push_back(WidthCase(op, absl::StrCat(prefix, "width", width), width));
    }
    if (rank > 0) cases.push_back(ZeroCase(op, prefix + "zero"));
    if (HasRealInput(*op)) cases.push_back(NonFiniteCase(op, prefix + "nonfinite"));
  }
  return cases;
}

}  // namespace seqgraph::conformance
