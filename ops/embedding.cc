#include "ops/embedding.h"

#include <algorithm>
#include <utility>

#include "base/status_macros.h"
#include "graph/bound_rules.h"
#include "graph/gradient.h"
#include "ops/examples.h"
#include "ops/index_check.h"
#include "ops/operand_shapes.h"
#include "ops/step_rules.h"

namespace seqgraph::ops {
namespace {

// Attributes: EmbeddingGrad has rows.

// Reference computation.

template <typename T>
absl::Status ComputeEmbedding(const ReferenceContext& c) {
  const auto ids = c.input<int32_t>(0);
  const auto table = c.input<T>(1);
  const auto y = c.output<T>(0);
  SEQ_RETURN_IF_ERROR(CheckIndices("ids", ids, table.dim(0)));
  if (!y) return absl::OkStatus();
  const int64_t width = table.dim(1), n = ids.size();
  for (int64_t i = 0; i < n; ++i) {
    std::copy_n(table.data + ids[i] * width, width, y.data + i * width);
  }
  return absl::OkStatus();
}

template <typename T>
absl::Status ComputeEmbeddingGrad(const ReferenceContext& c) {
  const auto ids = c.input<int32_t>(0);
  const auto dy = c.input<T>(1);
  const auto dtable = c.output<T>(0);
  SEQ_RETURN_IF_ERROR(CheckIndices("ids", ids, c.attributes().GetInt("rows")));
  if (!dtable) return absl::OkStatus();
  const int64_t width = dtable.dim(1), n = ids.size();
  std::fill_n(dtable.data, dtable.size(), T{0});
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t e = 0; e < width; ++e) dtable[ids[i] * width + e] += dy[i * width + e];
  }
  return absl::OkStatus();
}

// Costs.

OpCost EmbeddingCost(const CostContext& c) {
  OpCost cost = c.Moving(0, {0});
  const int64_t rows = c.shape(1)[0].size(), ids = c.shape(0).num_elements();
  if (ids >= rows) {
    cost.bytes_read += c.input_bytes(1);
  } else {
    cost.bytes_read += c.output_bytes(0);  // a row for each id
  }
  return cost;
}

OpCost EmbeddingGradCost(const CostContext& c) { return c.Moving(c.input_size(1)); }

// Gradient rules.

absl::Status EmbeddingGradient(GradientContext& c) {
  const int64_t rows = c.builder().type(c.input(1)).shape[0].size();
  c.SetInputGradient(1, EmbeddingGrad(c.builder(), c.input(0), c.output_gradient(0), rows));
  return absl::OkStatus();
}

}  // namespace

// Definitions.

OpDef EmbeddingOp() {
  return OpDef("Embedding", 1)
      .Doc(
          "y[..., e] = table[ids[...], e]: a row of the table for each id. An id that is not in "
          "[0, rows) fails the run.")
      .Input({.name = "ids",
              .type = TypeRule::kIndex,
              .doc = "any shape; each in [0, rows)",
              .differentiable = false,
              .below = "table"})
      .Input({.name = "table", .doc = "[rows, width]"})
      .Output({.name = "y", .doc = "[shape of ids..., width]"})
      .With(ShapesByDoc({{"C1", {"table"}}}))
      .Reference(ComputeEmbedding<float>, ComputeEmbedding<double>)
      .Moves()
      .Gradient(EmbeddingGradient)
      .Steps(RowSteps(/*uses_last=*/false))
      .Cost("FLOPs: none. Of the table, at most one row for each id is read.", EmbeddingCost)
      .Example({"two_by_two",
                {},
                {Ids({2, 2}, {2, 0, 1, 2}), Reals({3, 2}, {1, 2, 3, 4, 5, 6})},
                {Reals({2, 2, 2}, {5, 6, 1, 2, 3, 4, 5, 6})}})
      .Example({"scalar_id", {}, {Ids({}, {1}), Reals({2, 1}, {7, 9})}, {Reals({1}, {9})}})
      .Samples([](SampleSource& source) {
        const int64_t rows = source.Dimension(), width = source.Dimension();
        const Tensor ids = source.Indices(RandomShape(source, 0, 3), rows);
        return OpSample{{}, {ids, source.Reals({rows, width})}};
      });
}

OpDef EmbeddingGradOp() {
  return OpDef("EmbeddingGrad", 1)
      .Doc(
          "dtable[v, e] = the sum of dy[..., e] where ids[...] = v, added in the order of the ids; "
          "rows of ids that do not occur are zero. The gradient of Embedding, dense.")
      .Input({.name = "ids",
              .type = TypeRule::kIndex,
              .doc = "any shape; each in [0, rows)",
              .differentiable = false,
              .below = "rows"})
      .Input({.name = "dy", .doc = "[shape of ids..., width]"})
      .Output({.name = "dtable", .doc = "[rows, width]"})
      .Attribute("rows", AttributeKind::kInt, "rows of the table")
      .With(ShapesByDoc({{"C1", {"dy"}}}))
      .Require("C2", "rows is in [1, 2^40]",
               [](const ShapeContext& c) -> std::string {
                 const int64_t rows = c.attributes().GetInt("rows");
                 if (rows >= 1 && rows <= Shape::kMaxElements) return "";
                 return absl::StrCat("attribute rows must be in [1, ", Shape::kMaxElements,
                                     "], got ", rows);
               })
      .Reject({"C2", {{"rows", 0}}, {IndexType({2}), RealType({2, 4})}})
      .Reject({"C2", {{"rows", -1}}, {IndexType({2}), RealType({2, 4})}})
      .Reference(ComputeEmbeddingGrad<float>, ComputeEmbeddingGrad<double>)
      .Bound(SumBound([](const BoundContext& c, int) {
        return static_cast<double>(MostRepeats(c.input(0).Elements<int32_t>()));
      }))
      .Gradient(GradientOp("Embedding"))
      .Cost("FLOPs: 1 for each element of dy. The whole of dtable is written.", EmbeddingGradCost)
      .Example({"duplicates_are_summed",
                {{"rows", 3}},
                {Ids({3}, {2, 0, 2}), Reals({3, 2}, {1, 2, 10, 20, 100, 200})},
                {Reals({3, 2}, {10, 20, 0, 0, 101, 202})}})
      .Samples([](SampleSource& source) {
        const int64_t rows = source.Dimension(), width = source.Dimension();
        const Tensor ids = source.Indices(RandomShape(source, 0, 3), rows);
        Shape dy = ids.shape();
        dy.Append(width);
        return OpSample{{{"rows", rows}}, {ids, source.Reals(dy)}};
      });
}

Value Embedding(FunctionBuilder& g, Value ids, Value table, std::string name) {
  return g.AddNode("Embedding", {ids, table}, {}, std::move(name))[0];
}

Value EmbeddingGrad(FunctionBuilder& g, Value ids, Value dy, int64_t rows, std::string name) {
  return g.AddNode("EmbeddingGrad", {ids, dy}, {{"rows", rows}}, std::move(name))[0];
}

}  // namespace seqgraph::ops
