#include "ops/examples.h"
#include "ops/op_examples.h"

namespace seqgraph::ops {

void AddGRUCellExamples(OpDef& op) {
  op.Example({"half_open_gates",
              {{"activation", "relu"}},
              {Reals({1, 2, 1}, {3, -7}), Reals({1, 3}, {0, 0, 1}), Reals({1, 3}, {0, 0, 2}),
               Reals({2, 3}, {0, 0, 1, 0, 0, 4}), Reals({1, 1}, {2})},
              {Reals({1, 2, 1}, {5, 3}), Reals({1, 1}, {3})}})
      .Example({"reset_before",
                {{"activation", "relu"}, {"reset_after", false}},
                {Reals({1, 2, 1}, {3, -4}), Reals({1, 3}, {0, 0, 1}), Reals({1, 3}, {0, 0, 2}),
                 Reals({3}, {0, 0, 1}), Reals({1, 1}, {2})},
                {Reals({1, 2, 1}, {4, 2.5}), Reals({1, 1}, {2.5})}})
      .Example({"reversed_with_mask_and_dropout",
                {{"activation", "relu"}, {"reverse", true}},
                {Reals({1, 4, 1}, {-7, 99, 3, 98}), Reals({1, 3}, {0, 0, 1}),
                 Reals({1, 3}, {0, 0, 4}), Reals({2, 3}, {0, 0, 1, 0, 0, 4}), Reals({1, 1}, {2}),
                 Ids({1, 4}, {1, 0, 1, 0}), Reals({1, 3}, {1, 1, 0.5})},
                {Reals({1, 4, 1}, {3, 5, 5, 0}), Reals({1, 1}, {3})}})
      .Example({"tanh",
                {},
                {Reals({1, 1, 2}, {0.5, -1}), Reals({2, 3}, {0.1, 0.2, 0.3, -0.5, 0.6, 0.7}),
                 Reals({1, 3}, {0.9, -0.3, 0.2}), Reals({2, 3}, {0.05, 1, -0.1, 0.25, -0.4, 0.3}),
                 Reals({1, 1}, {-0.75})},
                {Reals({1, 1, 1}, {-0.6405370580042636}), Reals({1, 1}, {-0.6405370580042636})}})
      .Example(
          {"tanh_reset_before",
           {{"reset_after", false}},
           {Reals({1, 1, 2}, {0.5, -1}), Reals({2, 3}, {0.1, 0.2, 0.3, -0.5, 0.6, 0.7}),
            Reals({1, 3}, {0.9, -0.3, 0.2}), Reals({3}, {0.05, 1, -0.1}), Reals({1, 1}, {-0.75})},
           {Reals({1, 1, 1}, {-0.6907486329841985}), Reals({1, 1}, {-0.6907486329841985})}});
}

void AddGRUCellGradExamples(OpDef& op) {
  op.Example(
        {"half_open_gates",
         {{"activation", "relu"}},
         {Reals({1, 2, 1}, {3, -7}),
          Reals({1, 3}, {0, 0, 1}),
          Reals({1, 3}, {0, 0, 2}),
          Reals({2, 3}, {0, 0, 1, 0, 0, 4}),
          Reals({1, 1}, {2}),
          {},
          {},
          Reals({1, 2, 1}, {5, 3}),
          {},
          Reals({1, 1}, {16})},
         {Reals({1, 2, 1}, {8, 8}), Reals({1, 3}, {-184, -148, -32}), Reals({1, 3}, {32, 172, 28}),
          Reals({2, 3}, {-8, 44, 16, -8, 44, 8}), Reals({1, 1}, {16})}})
      .Example({"reset_before_with_mask",
                {{"activation", "relu"}, {"reset_after", false}},
                {Reals({1, 3, 1}, {3, 99, -4}),
                 Reals({1, 3}, {0, 0, 1}),
                 Reals({1, 3}, {0, 0, 2}),
                 Reals({3}, {0, 0, 1}),
                 Reals({1, 1}, {2}),
                 Ids({1, 3}, {1, 0, 1}),
                 {},
                 Reals({1, 3, 1}, {4, 4, 2.5}),
                 Reals({1, 3, 1}, {0, 0, 16}),
                 {}},
                {Reals({1, 3, 1}, {8, 0, 8}), Reals({1, 3}, {-96, -40, -8}),
                 Reals({1, 3}, {16, 80, 24}), Reals({3}, {-4, 24, 16}), Reals({1, 1}, {16})}});
}

}  // namespace seqgraph::ops
