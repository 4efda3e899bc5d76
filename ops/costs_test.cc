// Costs of every op, as counted by hand from its formula. Elements are float32: 4 bytes.

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "graph/evaluate.h"
#include "graph/op_def.h"
#include "ops/all_ops.h"
#include "ops/examples.h"
#include "tests/testing.h"

namespace seqgraph::ops {
namespace {

using Types = std::vector<std::optional<TensorType>>;

struct CostCase {
  std::string op;
  Attributes attributes;
  Types inputs;
  std::set<int> used;
  OpCost expected;
};

TensorType R(const Shape& shape) { return RealType(shape); }

// batch 2, time 3, features 5, units 4: 24 elements of state.
std::vector<CostCase> RecurrenceCases() {
  const TensorType x = R({2, 3, 5}), w = R({5, 4}), u = R({4, 4}), b = R({4}), h = R({2, 4});
  const TensorType s = R({2, 3, 4}), ids = IndexType({2, 3}), table = R({7, 4});
  return {
      // 24 (2·5 + 1 + 1) + 24 · 2·4
      {"RNNCell", {}, {x, w, u, b, h}, {0, 1}, {480, 120 + 80 + 64 + 16 + 32, 96 + 32}},
      // 24 + 16 · 2·4: no h0, so 2 of 3 steps have a state before
      {"RNNCell", {}, {s, {}, u, {}, {}}, {1}, {152, 96 + 64, 32}},
      // 24 (3 + 1 + 2·5 + 2·5 + 1) + 2·3 · 2·4·4 + 24 · 2·4
      {"RNNCellGrad",
       {},
       {x, w, u, b, h, s, s, h},
       {0, 1, 2, 3, 4},
       {984, 96 + 96 + 32 + 120 + 80 + 64 + 32, 120 + 80 + 64 + 16 + 32}},
      // 24 · 1 + 2·2 · 2·4·4 + 16 · 2·4
      {"RNNCellGrad",
       {{"activation", "relu"}},
       {s, {}, u, {}, {}, s, {}, h},
       {0, 2},
       {280, 96 + 32 + 64, 96 + 64}},
      // 24 (3 + 2·5) + 2·2 · 2·4·4: only dx, so x is not read
      {"RNNCellGrad", {}, {x, w, u, b, {}, s, {}, h}, {0}, {440, 96 + 32 + 80 + 64, 120}},
      // 24 (1 + 1) + 24 · 2·4; 6 of the 7 rows of the table at most
      {"LookupRNNCell", {}, {ids, table, u, b, h}, {0, 1}, {240, 24 + 96 + 64 + 16 + 32, 96 + 32}},
      // 24 + 16 · 2·4; both rows of the table
      {"LookupRNNCell", {}, {ids, R({2, 4}), u, {}, {}}, {1}, {152, 24 + 32 + 64, 32}},
      // 24 (3 + 1 + 1 + 1) + 2·3 · 2·4·4 + 24 · 2·4
      {"LookupRNNCellGrad",
       {},
       {ids, table, u, b, h, s, s, h},
       {0, 1, 2, 3},
       {528, 96 + 96 + 32 + 24 + 64 + 32, 112 + 64 + 16 + 32}},
      // 24 · 1 + 2·2 · 2·4·4 + 16 · 2·4: only du, so ids are not read
      {"LookupRNNCellGrad",
       {{"activation", "relu"}},
       {ids, table, u, {}, {}, s, {}, h},
       {1},
       {280, 96 + 32 + 64, 64}},
  };
}

// batch 2, time 3, features 5, units 4 as above: 24 elements of state, 16 of them without h0.
std::vector<CostCase> GatedCases() {
  const TensorType x = R({2, 3, 5}), h = R({2, 4}), s = R({2, 3, 4});
  const TensorType w4 = R({5, 16}), u4 = R({4, 16}), b4 = R({16}), x4 = R({2, 3, 16});
  const TensorType w3 = R({5, 12}), u3 = R({4, 12}), b3 = R({2, 12});
  const TensorType mask = IndexType({2, 3});
  const int64_t lstm = 120 + 320 + 256 + 64 + 32 + 32, gru = 120 + 240 + 192 + 96 + 32;
  return {
      // 24 (8·5 + 4 + 9) + 24 · 8·4
      {"LSTMCell", {}, {x, w4, u4, b4, h, h, {}, {}}, {0, 1, 2}, {2040, lstm, 96 + 32 + 32}},
      // 24 · 9 + 16 · 8·4
      {"LSTMCell", {}, {x4, {}, u4, {}, {}, {}, mask, {}}, {1}, {728, 384 + 256 + 24, 32}},
      // 24 (3 · 8·5 + 4 + 4 + 30 + 1) + 24 · 2 · 8·4 + 2·3 · 8·4·4
      {"LSTMCellGrad",
       {},
       {x, w4, u4, b4, h, h, {}, {}, s, s, h, {}},
       {0, 1, 2, 3, 4, 5},
       {6120, lstm + 96 + 96 + 32, 120 + 320 + 256 + 64 + 32 + 32}},
      // 24 · 30 + 16 · 8·4 + 2·2 · 8·4·4
      {"LSTMCellGrad",
       {},
       {x4, {}, u4, {}, {}, {}, {}, {}, s, {}, h, {}},
       {0},
       {1744, 384 + 256 + 96 + 32, 384}},
      // 24 (6·5 + 6 + 11) + 24 · 6·4
      {"GRUCell", {}, {x, w3, u3, b3, h, {}, {}}, {0, 1}, {1704, gru, 96 + 32}},
      // 24 (6·5 + 3 + 11) + 24 · 6·4
      {"GRUCell",
       {{"reset_after", false}},
       {x, w3, u3, R({12}), h, {}, {}},
       {0},
       {1632, gru - 48, 96}},
      // 24 (3 · 6·5 + 6 + 22 + 6 + 1) + 24 · 2 · 6·4 + 2·3 · 6·4·4
      {"GRUCellGrad",
       {},
       {x, w3, u3, b3, h, {}, {}, s, s, h},
       {0, 1, 2, 3, 4},
       {4728, gru + 96 + 96 + 32, 120 + 240 + 192 + 96 + 32}},
  };
}

// As cells with projected input, from tables of 100 rows (6 are read) and of 2.
std::vector<CostCase> LookupCases() {
  const TensorType ids = IndexType({2, 3}), table = R({100, 4}), u = R({4, 4}), b = R({4});
  const TensorType h = R({2, 4}), s = R({2, 3, 4});
  const TensorType table4 = R({100, 16}), u4 = R({4, 16}), b4 = R({16});
  const TensorType table3 = R({100, 12}), u3 = R({4, 12}), b3 = R({2, 12});
  const int64_t lstm = 24 + 384 + 256 + 64 + 32 + 32, gru = 24 + 288 + 192 + 96 + 32;
  return {
      // 24 (1 + 1) + 24 · 2·4
      {"LookupRNNCell", {}, {ids, table, u, b, h}, {0, 1}, {240, 24 + 96 + 64 + 16 + 32, 96 + 32}},
      // 24 + 16 · 2·4
      {"LookupRNNCell", {}, {ids, R({2, 4}), u, {}, {}}, {1}, {152, 24 + 32 + 64, 32}},
      // 24 (3 + 1 + 1 + 1) + 2·3 · 2·4·4 + 24 · 2·4
      {"LookupRNNCellGrad",
       {},
       {ids, table, u, b, h, s, s, h},
       {0, 1, 2, 3},
       {528, 96 + 96 + 32 + 24 + 64 + 32, 1600 + 64 + 16 + 32}},
      // 24 (1 + 1) + 2·2 · 2·4·4
      {"LookupRNNCellGrad",
       {{"activation", "relu"}},
       {ids, table, u, {}, {}, s, {}, h},
       {0},
       {176, 96 + 32 + 24 + 64, 1600}},
      // 24 (4 + 9) + 24 · 8·4
      {"LookupLSTMCell", {}, {ids, table4, u4, b4, h, h}, {0, 1, 2}, {1080, lstm, 96 + 32 + 32}},
      // 24 · 9 + 16 · 8·4; both rows of the table, and the mask
      {"LookupLSTMCell",
       {},
       {ids, R({2, 16}), u4, {}, {}, {}, ids},
       {1},
       {728, 24 + 128 + 256 + 24, 32}},
      // 24 (4 + 4 + 30 + 1) + 24 · 2 · 8·4 + 2·3 · 8·4·4 + 6·16 to add
      {"LookupLSTMCellGrad",
       {},
       {ids, table4, u4, b4, h, h, {}, {}, s, s, h},
       {0, 1, 2, 3, 4},
       {3336, lstm + 96 + 96 + 32, 6400 + 256 + 64 + 32 + 32}},
      // 24 (6 + 11) + 24 · 6·4
      {"LookupGRUCell", {}, {ids, table3, u3, b3, h}, {0, 1}, {984, gru, 96 + 32}},
      // 24 (6 + 6 + 22 + 1) + 24 · 2 · 6·4 + 2·3 · 6·4·4 + 6·12 to add
      {"LookupGRUCellGrad",
       {},
       {ids, table3, u3, b3, h, {}, {}, s, s, h},
       {0, 1, 2, 3},
       {2640, gru + 96 + 96 + 32, 4800 + 192 + 96 + 32}},
  };
}

// 6 elements in 2 rows; [2, 4, 3] for what goes over time.
std::vector<CostCase> ClassifierCases() {
  const TensorType x = R({2, 3}), one = R({}), weights = R({2}), mask = IndexType({2, 4});
  const TensorType sequence = R({2, 4, 3});
  const Attributes axis = {{"axis", 1}};
  const Attributes slice = {{"axis", 1}, {"begin", 1}, {"end", 3}};
  return {
      {"Softmax", {}, {x}, {0}, {30, 24, 24}},
      {"SoftmaxGrad", {}, {x, x}, {0}, {24, 48, 24}},
      {"SoftmaxCrossEntropyWithLogits", {}, {x, x, {}}, {0}, {7 * 6 + 4 * 2 + 1, 48, 4}},
      {"SoftmaxCrossEntropyWithLogitsGrad", {}, {x, x, one, {}}, {0}, {9 * 6 + 2 + 1, 52, 24}},
      {"CategoricalCrossEntropy", {}, {x, x, weights}, {0}, {7 * 6 + 2 * 2 + 1, 56, 4}},
      {"CategoricalCrossEntropyGrad", {}, {x, x, one, {}}, {0}, {8 * 6 + 2 * 2 + 1, 52, 24}},
      {"MSE", {}, {x, x, {}}, {0}, {3 * 6 + 1, 48, 4}},
      {"MSE", {}, {x, x, weights}, {0}, {4 * 6 + 1, 56, 4}},
      {"MSEGrad", {}, {x, x, one, weights}, {0}, {3 * 6 + 2, 60, 24}},
      {"GlobalAveragePooling1D", {}, {sequence, mask}, {0}, {24 + 6, 96 + 32, 24}},
      {"GlobalAveragePooling1DGrad", {}, {x, sequence, mask}, {0}, {24, 24 + 32, 96}},
      {"GlobalMaxPooling1D", {}, {sequence, {}}, {0}, {24, 96, 24}},
      {"GlobalMaxPooling1DGrad", {}, {sequence, x, x, {}}, {0}, {48, 96 + 48, 96}},
      {"DropoutMask", {{"rate", 0.5}}, {CounterType(), CounterType(), x}, {0}, {6, 16, 24}},
      {"SequenceMask", {{"time", 4}}, {IndexType({2})}, {0}, {8, 8, 32}},
      {"ZeroMasked", {}, {sequence, mask}, {0}, {0, 96 + 32, 96}},
      {"Reshape", {{"shape", Ints({6})}}, {x}, {0}, {0, 24, 24}},
      {"Transpose", {{"permutation", Ints({1, 0})}}, {x}, {0}, {0, 24, 24}},
      {"Concat", axis, {x, x}, {0}, {0, 48, 48}},
      {"Reverse", axis, {x}, {0}, {0, 24, 24}},
      {"Slice", slice, {x}, {0}, {0, 16, 16}},
      {"SliceGrad", slice, {R({2, 2}), x}, {0}, {0, 16, 24}},
  };
}

std::vector<CostCase> LayerCases() {
  const TensorType x = R({6, 5}), w = R({5, 4}), b = R({4}), y = R({6, 4});
  const TensorType ids = IndexType({4, 5});
  return {
      {"Dense", {{"activation", "tanh"}}, {x, w, b}, {0}, {24 * 12, 120 + 80 + 16, 96}},
      {"Dense", {}, {x, w, {}}, {0}, {24 * 10, 120 + 80, 96}},
      {"DenseGrad", {}, {x, w, y}, {0, 1, 2}, {24 * 21, 96 + 120 + 80, 120 + 80 + 16}},
      {"DenseGrad", {}, {x, w, y}, {0}, {24 * 10, 96 + 80, 120}},
      {"DenseGrad", {}, {x, w, y}, {1}, {24 * 10, 96 + 120, 80}},
      {"DenseGrad", {}, {x, w, y}, {2}, {24, 96, 16}},
      // 20 ids of 4 bytes, rows of 64: of a large table one row an id, of a small one all rows.
      {"Embedding", {}, {ids, R({100, 16})}, {0}, {0, 80 + 20 * 64, 20 * 64}},
      {"Embedding", {}, {ids, R({10, 16})}, {0}, {0, 80 + 10 * 64, 20 * 64}},
      {"EmbeddingGrad",
       {{"rows", 100}},
       {ids, R({4, 5, 16})},
       {0},
       {20 * 16, 80 + 20 * 64, 100 * 64}},
      {"OneHot", {{"depth", 10}}, {ids}, {0}, {0, 80, 800}},
  };
}

std::vector<CostCase> ElementCases() {
  const TensorType x = R({2, 3}), p = R({8, 1}), one = R({}), two = R({2});
  const Attributes rows = {{"axes", Ints({1})}};
  return {
      {"Sigmoid", {}, {x}, {0}, {6, 24, 24}},
      {"Tanh", {}, {x}, {0}, {6, 24, 24}},
      {"Relu", {}, {x}, {0}, {6, 24, 24}},
      {"SigmoidGrad", {}, {x, x}, {0}, {18, 48, 24}},
      {"TanhGrad", {}, {x, x}, {0}, {18, 48, 24}},
      {"ReluGrad", {}, {x, x}, {0}, {6, 48, 24}},
      {"Add", {}, {x, x}, {0}, {6, 48, 24}},
      {"Subtract", {}, {x, x}, {0}, {6, 48, 24}},
      {"Multiply", {}, {x, x}, {0}, {6, 48, 24}},
      {"Scale", {{"factor", 2.0}}, {x}, {0}, {6, 24, 24}},
      {"FillLike", {{"value", 2.0}}, {x}, {0}, {0, 0, 24}},
      {"BCE", {}, {p, p}, {0}, {12 * 8 + 1, 64, 4}},
      {"BCEGrad", {}, {p, p, one}, {0}, {7 * 8 + 1, 68, 32}},
      {"BCEWithLogits", {}, {p, p}, {0}, {7 * 8 + 1, 64, 4}},
      {"BCEWithLogitsGrad", {}, {p, p, one}, {0}, {3 * 8 + 1, 68, 32}},
      {"ReduceSum", rows, {x}, {0}, {6, 24, 8}},
      {"ReduceMean", rows, {x}, {0}, {8, 24, 8}},
      {"BroadcastLike", rows, {two, x}, {0}, {0, 8, 24}},
      {"ReduceMeanGrad", rows, {two, x}, {0}, {6, 8, 24}},
      {"TakeStep", {}, {R({2, 5, 3})}, {0}, {0, 24, 24}},
      {"TakeStepGrad", {}, {x, R({2, 5, 3})}, {0}, {0, 24, 120}},
      {"Constant",
       {{"value", Tensor::Scalar<float>(1)}, {"shape", Ints({2, 3})}},
       {},
       {0},
       {0, 0, 24}},
      {"Constant", {{"value", Tensor::Of<float>({2}, {1, 2})}}, {}, {0}, {0, 8, 8}},
      // tanh, tanh_grad, fill_like, add: 1 + 3 + 0 + 1
      {"FusedElementwise",
       {{"program", "tanh x0; tanh_grad t0 x1; fill_like:2; add t1 t2"}},
       {x, x, {}, {}, {}, {}, {}, {}},
       {0},
       {30, 48, 24}},
      {"Increment", {}, {CounterType()}, {0}, {1, 8, 8}},
  };
}

// Variables of 10 elements; lr takes 4 bytes, t 8.
std::vector<CostCase> OptimizerCases() {
  const TensorType w = R({10}), lr = R({});
  const Attributes momentum = {{"momentum", 0.9}};
  const Attributes nesterov = {{"momentum", 0.9}, {"nesterov", true}};
  const Attributes centered = {{"momentum", 0.9}, {"centered", true}};
  return {
      {"Clip", {{"limit", 1.0}}, {w}, {0}, {20, 40, 40}},
      {"ClipByNorm", {{"limit", 1.0}}, {w, lr}, {0}, {10 + 2, 44, 40}},
      {"SGDUpdate", {}, {w, w, lr, {}}, {0}, {20, 84, 40}},
      {"SGDUpdate", {}, {w, w, lr, w}, {1}, {0, 40, 40}},
      {"SGDUpdate", momentum, {w, w, lr, w}, {0, 1}, {40, 124, 80}},
      {"SGDUpdate", momentum, {w, w, lr, w}, {1}, {30, 84, 40}},
      {"SGDUpdate", nesterov, {w, w, lr, w}, {0, 1}, {60, 124, 80}},
      {"RMSPropUpdate", {}, {w, w, lr, w, {}, {}}, {0, 1}, {90, 124, 80}},
      {"RMSPropUpdate", {}, {w, w, lr, w, {}, {}}, {1}, {40, 80, 40}},
      {"RMSPropUpdate", centered, {w, w, lr, w, w, w}, {0, 1, 2, 3}, {160, 204, 160}},
      {"RMSPropUpdate", centered, {w, w, lr, w, w, w}, {3}, {30, 80, 40}},
      {"AdamUpdate", {}, {w, w, lr, CounterType(), w, w}, {0, 1, 2}, {120, 172, 120}},
      {"AdamUpdate", {}, {w, w, lr, CounterType(), w, w}, {1}, {30, 80, 40}},
  };
}

// What imported graphs are made of; 6 elements of 4 bytes unless it says otherwise.
std::vector<CostCase> ImportedCases() {
  const TensorType x = R({2, 3}), ids = IndexType({4}), mask = IndexType({2, 3});
  const Attributes rows = {{"axes", Ints({1})}};
  std::vector<CostCase> cases = {
      {"Where", {}, {mask, x, x}, {0}, {6, 72, 24}},
      {"Cast", {{"dtype", DType::kInt64}}, {x}, {0}, {0, 24, 48}},
      {"BroadcastTo", {{"shape", Ints({4, 2, 3})}}, {x}, {0}, {0, 24, 96}},
      // 4 of 2 rows, which are read once; 1 of 9 rows
      {"Gather", {{"axis", 0}}, {x, ids}, {0}, {0, 16 + 24, 48}},
      {"Gather", {{"axis", 0}}, {R({9, 3}), IndexType({1})}, {0}, {0, 4 + 12, 12}},
      {"GatherGrad", {{"axis", 0}}, {R({4, 3}), ids, x}, {0}, {12, 48 + 16, 24}},
      // 5 products of [2, 3] and [3, 4]
      {"MatMul", {}, {R({5, 2, 3}), R({5, 3, 4})}, {0}, {5 * 2 * 4 * 2 * 3, 120 + 240, 160}},
      {"ReduceMax", rows, {x}, {0}, {6, 24, 8}},
      {"ReduceMin", rows, {x}, {0}, {6, 24, 8}},
      {"ReduceProd", rows, {x}, {0}, {6, 24, 8}},
  };
  for (const char* op : {"Abs", "Negative", "Sign", "Exp", "Log", "Sqrt", "Reciprocal", "Erf",
                         "Floor", "Ceil", "Round"}) {
    cases.push_back({op, {}, {x}, {0}, {6, 24, 24}});
  }
  for (const char* op :
       {"Divide", "Power", "Maximum", "Minimum", "Modulo", "Remainder", "Equal", "Less"}) {
    cases.push_back({op, {}, {x, x}, {0}, {6, 48, 24}});
  }
  return cases;
}

// Windows of width 2 over 5 steps of 2 rows: 4 steps, of 3 channels 24 elements.
std::vector<CostCase> WindowCases() {
  const TensorType x = R({2, 5, 3}), w = R({2, 3, 4}), b = R({4}), y = R({2, 4, 4});
  const TensorType pooled = R({2, 4, 3});
  const Attributes width = {{"width", 2}};
  return {
      // 32 (2·2·3 + 1)
      {"Conv1D", {}, {x, w, b}, {0}, {416, 120 + 96 + 16, 128}},
      {"Conv1D", {}, {x, w, {}}, {0}, {384, 120 + 96, 128}},
      // 32 (2·2·3 + 2·2·3 + 1); then db alone, which reads dy alone
      {"Conv1DGrad", {}, {x, w, y}, {0, 1, 2}, {800, 128 + 120 + 96, 120 + 96 + 16}},
      {"Conv1DGrad", {}, {x, w, y}, {2}, {32, 128, 16}},
      {"MaxPool1D", width, {x}, {0}, {48, 120, 96}},
      {"AveragePool1D", width, {x}, {0}, {48, 120, 96}},
      {"MaxPool1DGrad", width, {x, pooled}, {0}, {72, 120 + 96, 120}},
      {"AveragePool1DGrad", width, {pooled, x}, {0}, {72, 96, 120}},
      {"Pad", {{"axis", 1}, {"before", 1}, {"after", 2}}, {R({2, 3})}, {0}, {0, 24, 48}},
      {"RandomNormal", {}, {CounterType(), CounterType(), R({2, 3})}, {0}, {36, 16, 24}},
  };
}

std::vector<CostCase> RowLossCases() {
  const TensorType p = R({2, 4}), weights = R({2}), one = R({});
  const Attributes kind = {{"kind", "mean_absolute_error"}};
  return {
      {"RowLoss", kind, {p, p, {}}, {0}, {8 * 8 + 1, 64, 4}},
      {"RowLoss", kind, {p, p, weights}, {0}, {9 * 8 + 1, 64 + 8, 4}},
      {"RowLossGrad", kind, {p, p, one, {}}, {0}, {8 * 8 + 1, 64 + 4, 32}},
  };
}

std::vector<CostCase> AllCases() {
  std::vector<CostCase> all;
  for (const auto& cases :
       {RecurrenceCases(), GatedCases(), LookupCases(), ClassifierCases(), LayerCases(),
        ElementCases(), ImportedCases(), OptimizerCases(), WindowCases(), RowLossCases()}) {
    all.insert(all.end(), cases.begin(), cases.end());
  }
  return all;
}

OpCost CostOf(const OpDef& op, const Attributes& attributes, Types inputs,
              const std::optional<std::set<int>>& used) {
  inputs.resize(op.inputs().size());  // trailing absent ones are left out
  const Attributes complete = op.CompleteAttributes(attributes).value();
  const std::vector<TensorType> types = op.InferTypes(inputs, complete).value();
  Types outputs(types.begin(), types.end());
  for (size_t o = 0; o < outputs.size(); ++o) {
    if (used.has_value() && !used->contains(static_cast<int>(o))) outputs[o].reset();
  }
  return op.CostOf(CostContext(inputs, outputs, complete));
}

void ExpectEqual(const OpCost& cost, const OpCost& expected) {
  EXPECT_EQ(cost.flops, expected.flops);
  EXPECT_EQ(cost.bytes_read, expected.bytes_read);
  EXPECT_EQ(cost.bytes_written, expected.bytes_written);
}

TEST(CostsTest, AreThoseCountedByHand) {
  for (const CostCase& c : AllCases()) {
    SCOPED_TRACE(c.op);
    ExpectEqual(CostOf(*AllOps().Find(c.op), c.attributes, c.inputs, c.used), c.expected);
  }
}

TEST(CostsTest, ThoseThatExamplesStateAreRight) {
  for (const OpDef* op : AllOps().All()) {
    for (const OpExample& example : op->examples()) {
      if (!example.cost.has_value()) continue;
      SCOPED_TRACE(op->name() + "/" + example.name);
      const Types types = TypesOf(CastReals(example.inputs, DType::kFloat32));
      ExpectEqual(CostOf(*op, example.attributes, types, std::nullopt), *example.cost);
    }
  }
}

// Here, or in an example of its definition.
TEST(CostsTest, EveryRuleOfAnOpsOwnIsCountedByHand) {
  std::set<std::string> counted;
  for (const CostCase& c : AllCases()) counted.insert(c.op);
  for (const OpDef* op : AllOps().All()) {
    bool is_counted = !op->has_cost_rule() || counted.contains(op->name());
    for (const OpExample& example : op->examples()) is_counted |= example.cost.has_value();
    EXPECT_TRUE(is_counted) << op->name();
  }
}

}  // namespace
}  // namespace seqgraph::ops
