#include "ops/examples.h"
#include "ops/op_examples.h"

namespace seqgraph::ops {

void AddLSTMCellExamples(OpDef& op) {
  op.Example({"half_open_gates",
              {{"activation", "relu"}},
              {Reals({1, 2, 1}, {2, 1}),
               Reals({1, 4}, {0, 0, 1, 0}),
               Reals({1, 4}, {0, 0, 2, 0}),
               {},
               {},
               Reals({1, 1}, {4})},
              {Reals({1, 2, 1}, {1.5, 1.75}), Reals({1, 1}, {1.75}), Reals({1, 1}, {3.5})}})
      .Example(
          {"reversed_with_mask_and_dropout",
           {{"activation", "relu"}, {"reverse", true}},
           {Reals({1, 4, 1}, {1, 99, 2, 98}),
            Reals({1, 4}, {0, 0, 1, 0}),
            Reals({1, 4}, {0, 0, 4, 0}),
            {},
            {},
            Reals({1, 1}, {4}),
            Ids({1, 4}, {1, 0, 1, 0}),
            Reals({1, 4}, {1, 1, 0.5, 1})},
           {Reals({1, 4, 1}, {1.75, 1.5, 1.5, 0}), Reals({1, 1}, {1.75}), Reals({1, 1}, {3.5})}})
      .Example(
          {"tanh_with_everything",
           {},
           {Reals({1, 1, 2}, {0.5, -1}), Reals({2, 4}, {0.1, 0.2, 0.3, 0.4, -0.5, 0.6, 0.7, -0.8}),
            Reals({1, 4}, {0.9, -0.3, 0.2, 0.5}), Reals({4}, {0.05, 1, -0.1, 0.25}),
            Reals({1, 1}, {-0.75}), Reals({1, 1}, {0.6})},
           {Reals({1, 1, 1}, {0.059602920033762025}), Reals({1, 1}, {0.059602920033762025}),
            Reals({1, 1}, {0.08465073100166348})}});
}

void AddLSTMCellGradExamples(OpDef& op) {
  op.Example({"half_open_gates",
              {{"activation", "relu"}},
              {Reals({1, 2, 1}, {2, 1}),
               Reals({1, 4}, {0, 0, 1, 0}),
               Reals({1, 4}, {0, 0, 2, 0}),
               {},
               {},
               Reals({1, 1}, {4}),
               {},
               {},
               Reals({1, 2, 1}, {1.5, 1.75}),
               {},
               Reals({1, 1}, {8}),
               Reals({1, 1}, {2})},
              {Reals({1, 2, 1}, {3, 3}), Reals({1, 4}, {12, 16.5, 9, 16}),
               Reals({1, 4}, {9, 6.75, 4.5, 10.5}), Reals({4}, {9, 10.5, 6, 11.5}),
               Reals({1, 1}, {6}), Reals({1, 1}, {3})}})
      .Example({"reversed_with_mask",
                {{"activation", "relu"}, {"reverse", true}},
                {Reals({1, 3, 1}, {1, 99, 2}),
                 Reals({1, 4}, {0, 0, 1, 0}),
                 Reals({1, 4}, {0, 0, 2, 0}),
                 {},
                 {},
                 Reals({1, 1}, {4}),
                 Ids({1, 3}, {1, 0, 1}),
                 {},
                 Reals({1, 3, 1}, {1.75, 1.5, 1.5}),
                 Reals({1, 3, 1}, {5, 0, 0}),
                 Reals({1, 1}, {3}),
                 Reals({1, 1}, {2})},
                {Reals({1, 3, 1}, {3, 0, 3}), Reals({1, 4}, {12, 16.5, 9, 16}),
                 Reals({1, 4}, {9, 6.75, 4.5, 10.5}), Reals({4}, {9, 10.5, 6, 11.5}),
                 Reals({1, 1}, {6}), Reals({1, 1}, {3})}});
}

}  // namespace seqgraph::ops
