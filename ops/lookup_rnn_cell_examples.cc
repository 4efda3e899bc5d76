#include "ops/examples.h"
#include "ops/op_examples.h"

namespace seqgraph::ops {

void AddLookupRNNCellExamples(OpDef& op) {
  op.Example({"relu_with_everything",
              {{"activation", "relu"}},
              {Ids({2, 2}, {1, 0, 2, 2}), Reals({3, 1}, {1, 2, -3}), Reals({1, 1}, {2}),
               Reals({1}, {0.5}), Reals({2, 1}, {0.25, 4})},
              {Reals({2, 2, 1}, {3, 7.5, 5.5, 8.5}), Reals({2, 1}, {7.5, 8.5})}})
      .Example({"sigmoid_without_bias",
                {{"activation", "sigmoid"}},
                {Ids({1, 2}, {1, 0}),
                 Reals({2, 2}, {0.5, 2, 1, -1}),
                 Reals({2, 2}, {0.1, 0.2, -0.3, 0.4}),
                 {},
                 {}},
                {Reals({1, 2, 2}, {0.7310585786300049, 0.2689414213699951, 0.6206771644600164,
                                   0.904976804177071}),
                 Reals({1, 2}, {0.6206771644600164, 0.904976804177071})}});
}

void AddLookupRNNCellGradExamples(OpDef& op) {
  op
      // dz_1 = (10, 20) where h > 0: (0, 20); dz_0 = dz_1·uᵀ = (-20, 60), both h > 0.
      .Example({"relu_duplicates_are_summed",
                {{"activation", "relu"}},
                {Ids({1, 2}, {2, 2}),
                 Reals({3, 2}, {0, 0, 0, 0, 0, 0}),
                 Reals({2, 2}, {2, -1, 1, 3}),
                 {},
                 {},
                 Reals({1, 2, 2}, {1, 2, 0, 4}),
                 {},
                 Reals({1, 2}, {10, 20})},
                {Reals({3, 2}, {0, 0, 0, 0, -20, 80}), Reals({2, 2}, {0, 20, 0, 40}),
                 Reals({2}, {-20, 80}), Reals({1, 2}, {-100, 160})}})
      .Example({"sigmoid_sequence_only",
                {{"activation", "sigmoid"}},
                {Ids({1, 1}, {1}),
                 Reals({2, 1}, {3, 4}),
                 Reals({1, 1}, {5}),
                 {},
                 Reals({1, 1}, {0.5}),
                 Reals({1, 1, 1}, {0.5}),
                 Reals({1, 1, 1}, {8}),
                 {}},
                {Reals({2, 1}, {0, 2}), Reals({1, 1}, {1}), Reals({1}, {2}), Reals({1, 1}, {10})}});
}

}  // namespace seqgraph::ops
