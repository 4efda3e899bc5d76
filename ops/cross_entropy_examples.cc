#include "ops/examples.h"
#include "ops/op_examples.h"

namespace seqgraph::ops {

void AddSoftmaxCrossEntropyWithLogitsExamples(OpDef& op) {
  op.Example({"by_log_2",  // softmax 1/4, 1/2, 1/4: -log 1/2 and -log 1/4
              {},
              {Reals({2, 3}, {0, 0.6931471805599453, 0, 7, 7.6931471805599453, 7}),
               Reals({2, 3}, {0, 1, 0, 1, 0, 0})},
              {RealScalar(1.0397207708399179)}})
      .Example({"soft_labels_and_weights",  // (3 (0.5 log 4 + 0.5 log 2) + 0) / 2
                {},
                {Reals({2, 3}, {0, 0.6931471805599453, 0, 7, 8, 9}),
                 Reals({2, 3}, {0.5, 0.5, 0, 1, 0, 0}), Reals({2}, {3, 0})},
                {RealScalar(1.5595811562598769)}})
      .Example({"far_apart",
                {},
                {Reals({1, 2}, {-2000, 1000}), Reals({1, 2}, {1, 0})},
                {RealScalar(3000)}});
}

void AddSoftmaxCrossEntropyWithLogitsGradExamples(OpDef& op) {
  op.Example({"by_log_2_and_weights",
              {},
              {Reals({2, 3}, {0, 0.6931471805599453, 0, 7, 7.6931471805599453, 7}),
               Reals({2, 3}, {0, 1, 0, 2, 0, 0}), RealScalar(8), Reals({2}, {1, 3})},
              {Reals({2, 3}, {1, -2, 1, -18, 12, 6})}});
}

void AddCategoricalCrossEntropyExamples(OpDef& op) {
  op.Example({"rows_are_divided_by_their_sum",  // (log 4 + log 2) / 2
              {},
              {Reals({2, 3}, {1, 2, 1, 0.25, 0.5, 0.25}), Reals({2, 3}, {1, 0, 0, 0, 1, 0})},
              {RealScalar(1.0397207708399179)}})
      .Example({"clipped_and_weighted",
                {{"epsilon", 0.25}},
                {Reals({1, 2}, {0, 1}), Reals({1, 2}, {1, 0}), Reals({1}, {2})},
                {RealScalar(2.772588722239781)}});
}

void AddCategoricalCrossEntropyGradExamples(OpDef& op) {
  op.Example({"two_rows",  // 4 / 2 (1/4 - [1, 0, 0]), and 4 / 2 5 (1/4 - [0, 1/2, 0])
              {},
              {Reals({2, 3}, {1, 2, 1, 1, 2, 1}), Reals({2, 3}, {1, 0, 0, 0, 1, 0}), RealScalar(4),
               Reals({2}, {1, 5})},
              {Reals({2, 3}, {-1.5, 0.5, 0.5, 2.5, -2.5, 2.5})}})
      .Example({"zero_where_clipped",
                {{"epsilon", 0.25}},
                {Reals({1, 2}, {0, 1}), Reals({1, 2}, {1, 0}), RealScalar(4)},
                {Reals({1, 2}, {0, 0})}});
}

}  // namespace seqgraph::ops
