#include "tools/diff/minimal_case.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "graph/function_builder.h"
#include "graph/op_def.h"
#include "tools/graph_test/graph_test_runner.h"

namespace seqgraph::diff {
namespace {

using TensorsByValue = std::map<int, Tensor>;

// A part of a function with what flows into it.
struct Piece {
  std::vector<int> nodes;   // ascending; the last one is compared
  TensorsByValue given;     // values that come from outside
  TensorsByValue before;    // if not empty: what some of them, variables, held in an earlier call
  std::set<int> variables;  // which of them are variables, not inputs
};

class PieceBuilder {
 public:
  PieceBuilder(const Function& function, const OpRegistry& registry, std::string source,
               int64_t guard_bytes)
      : function_(function),
        registry_(registry),
        source_(std::move(source)),
        guard_bytes_(guard_bytes) {}

  absl::StatusOr<GraphTestCase> Build(const Piece& piece) const {
    GraphTestCase test;
    const Node& last = function_.nodes()[piece.nodes.back()];
    test.name = absl::StrCat("diff_", SnakeCase(last.op->name()));
    test.source = source_;
    test.guard_bytes = guard_bytes_;
    FunctionBuilder g(SnakeCase(last.op->name()), registry_);
    std::map<int, Value> mapped;
    for (const auto& [v, tensor] : piece.given) {
      const std::string& name = function_.values()[v].name;
      if (piece.variables.count(v) > 0) {
        mapped[v] = g.Variable(name, tensor.shape(), {});
      } else {
        mapped[v] = g.Input(name, tensor.type());
        test.inputs[name] = tensor;
      }
    }
    const std::vector<bool> used = function_.UsedValues();
    for (int n : piece.nodes) {
      const Node& node = function_.nodes()[n];
      std::vector<Value> inputs;
      for (Value input : node.inputs) {
        inputs.push_back(input.present() ? mapped[input.index] : Value{});
      }
      const std::vector<Value> outputs =
          g.AddNode(node.op->name(), inputs, node.attributes, node.name);
      SEQ_RETURN_IF_ERROR(g.status());
      for (size_t o = 0; o < outputs.size(); ++o) {
        mapped[node.outputs[o].index] = outputs[o];
        if (&node == &last && used[node.outputs[o].index]) {
          g.Result(node.op->outputs()[o].name, outputs[o]);
        }
      }
    }
    SEQ_ASSIGN_OR_RETURN(test.function, std::move(g).Build());
    for (int v : piece.variables) {
      const std::string& name = function_.values()[v].name;
      SEQ_RETURN_IF_ERROR(test.variables.Declare(test.function.FindVariable(name)->def));
      SEQ_RETURN_IF_ERROR(test.variables.Assign(name, piece.given.at(v)));
    }
    if (!piece.before.empty()) {
      GraphTestCase::Call& call = test.earlier.emplace_back();
      for (const auto& [v, tensor] : piece.before) {
        call.variables[function_.values()[v].name] = tensor;
      }
    }
    SEQ_RETURN_IF_ERROR(Expect(piece, test));
    return test;
  }

 private:
  // Sets what the case expects, and how far it may be off.
  absl::Status Expect(const Piece& piece, GraphTestCase& test) const {
    SEQ_ASSIGN_OR_RETURN(const auto values,
                         EvaluateNodesInDouble(function_, piece.nodes, piece.given));
    const Node& last = function_.nodes()[piece.nodes.back()];
    for (size_t o = 0; o < last.outputs.size(); ++o) {
      const auto value = values.find(last.outputs[o].index);
      if (value == values.end()) continue;
      const std::string& name = last.op->outputs()[o].name;
      test.results[name] = value->second.exact;
      test.tolerances["results/" + name] = {.absolute = value->second.bound.absolute()};
    }
    return absl::OkStatus();
  }

  const Function& function_;
  const OpRegistry& registry_;
  const std::string source_;
  const int64_t guard_bytes_;
};

// The part of a tensor with `to` of the `from` elements along each axis of that extent: the first
// ones, or the last.
Tensor Slice(const Tensor& tensor, int64_t from, int64_t to, bool last) {
  Shape shape;
  std::vector<int64_t> offsets, strides(tensor.shape().rank(), 1);
  for (int d = 0; d < tensor.shape().rank(); ++d) {
    const int64_t extent = tensor.shape()[d].size();
    shape.Append(extent == from ? to : extent);
    offsets.push_back(extent == from && last ? from - to : 0);
  }
  for (int d = tensor.shape().rank() - 2; d >= 0; --d) {
    strides[d] = strides[d + 1] * tensor.shape()[d + 1].size();
  }
  Tensor part = Tensor::Zeros({tensor.dtype(), shape}).value();
  const int64_t size = SizeOf(tensor.dtype());
  for (int64_t i = 0; i < part.num_elements(); ++i) {
    int64_t rest = i, source = 0;
    for (int d = shape.rank() - 1; d >= 0; --d) {
      source += (rest % shape[d].size() + offsets[d]) * strides[d];
      rest /= shape[d].size();
    }
    std::copy_n(static_cast<const char*>(tensor.data()) + source * size, size,
                static_cast<char*>(part.data()) + i * size);
  }
  return part;
}

class CaseFinder {
 public:
  CaseFinder(const LockstepResult& result, const OpRegistry& registry,
             const LockstepOptions& options, const std::string& source)
      : function_(result.function),
        fault_(*result.fault),
        registry_(registry),
        options_(options),
        builder_(result.function, registry, source,
                 result.fault->damage.has_value() ? options.guard_bytes : 0) {}

  std::optional<MinimalCase> Find() const {
    for (int n : fault_.group) {
      if (auto found = Try({n}, /*two_calls=*/false)) return found;
    }
    for (int n : fault_.group) {
      if (auto found = Try({n}, /*two_calls=*/true)) return found;
    }
    std::set<int> nodes = {fault_.node};
    while (true) {
      const size_t before = nodes.size();
      AddProducers(nodes);
      if (nodes.size() == before) return std::nullopt;
      for (bool two_calls : {false, true}) {
        if (auto found = Try({nodes.begin(), nodes.end()}, two_calls)) return found;
      }
    }
  }

 private:
  void AddProducers(std::set<int>& nodes) const {
    std::set<int> producers;
    for (int n : nodes) {
      for (Value input : function_.nodes()[n].inputs) {
        if (!input.present() || function_.info(input).origin != Origin::kNode) continue;
        producers.insert(function_.info(input).source);
      }
    }
    nodes.merge(producers);
  }

  // Nothing if not all is known that flows in, or if there is no earlier call.
  std::optional<Piece> Cut(const std::vector<int>& nodes, bool two_calls) const {
    Piece piece{.nodes = nodes};
    std::set<int> inside;
    for (int n : nodes) {
      for (Value input : function_.nodes()[n].inputs) {
        if (!input.present() || inside.count(input.index) > 0) continue;
        const auto known = fault_.values.find(input.index);
        if (known == fault_.values.end()) return std::nullopt;
        piece.given[input.index] = known->second;
        // Variables without gradients of their own (counters) stay inputs.
        if ((two_calls || nodes.size() > 1) && function_.info(input).origin == Origin::kVariable &&
            known->second.dtype() == DType::kFloat32) {
          piece.variables.insert(input.index);
          const auto before = fault_.before.find(input.index);
          if (two_calls && before != fault_.before.end()) {
            piece.before[input.index] = before->second;
          }
        }
      }
      for (Value output : function_.nodes()[n].outputs) inside.insert(output.index);
    }
    if (two_calls && piece.before.empty()) return std::nullopt;
    return piece;
  }

  std::optional<MinimalCase> Try(std::vector<int> nodes, bool two_calls) const {
    std::optional<Piece> piece = Cut(nodes, two_calls);
    if (!piece.has_value()) return std::nullopt;
    std::optional<GraphTestCase> test = Shows(*piece);
    if (!test.has_value()) return std::nullopt;
    while (Shrink(*piece, *test)) {
    }
    MinimalCase found{.test = *std::move(test), .nodes = std::move(nodes), .two_calls = two_calls};
    for (const auto& [v, tensor] : piece->given) found.elements += tensor.num_elements();
    return found;
  }

  // The case, if it fails on the second backend by its numbers and passes on the first.
  std::optional<GraphTestCase> Shows(const Piece& piece) const {
    absl::StatusOr<GraphTestCase> test = builder_.Build(piece);
    if (!test.ok()) return std::nullopt;
    const auto run = [&](const Backend* backend) {
      return RunGraphTest(*test, registry_,
                          {.backends = options_.With(backend), .threads = options_.threads});
    };
    const GraphTestResult second = run(options_.second);
    if (second.passed()) return std::nullopt;
    // Other failures (a node that is not taken alone, an error) are not the fault that was seen.
    if (!second.failures.empty() && !second.stray_write) return std::nullopt;
    if (fault_.damage.has_value() && !second.stray_write) return std::nullopt;
    if (options_.first != options_.second && !run(options_.first).passed()) return std::nullopt;
    return *std::move(test);
  }

  // Makes one extent smaller, if the fault still shows.
  bool Shrink(Piece& piece, GraphTestCase& test) const {
    std::set<int64_t, std::greater<>> extents;
    bool has_indices = false;
    for (const auto& [v, tensor] : piece.given) {
      has_indices = has_indices || tensor.dtype() == DType::kInt32;
      for (const Dim& dim : tensor.shape().dims()) {
        if (dim.size() > 1) extents.insert(dim.size());
      }
    }
    for (int64_t from : extents) {
      for (int64_t to : {int64_t{1}, int64_t{2}, from / 4, from / 2, from - 1}) {
        if (to < 1 || to >= from) continue;
        for (bool last : {false, true}) {
          for (bool wrap : {false, true}) {
            if (wrap && !has_indices) continue;
            Piece smaller = Smaller(piece, from, to, last, wrap);
            std::optional<GraphTestCase> shown = Shows(smaller);
            if (!shown.has_value()) continue;
            piece = std::move(smaller);
            test = *std::move(shown);
            return true;
          }
        }
      }
    }
    return false;
  }

  // With `wrap` indices are taken modulo the new extent, for tables that have lost rows.
  static Piece Smaller(const Piece& piece, int64_t from, int64_t to, bool last, bool wrap) {
    Piece smaller = piece;
    for (TensorsByValue* tensors : {&smaller.given, &smaller.before}) {
      for (auto& [v, tensor] : *tensors) {
        tensor = Slice(tensor, from, to, last);
        if (!wrap || tensor.dtype() != DType::kInt32) continue;
        for (int32_t& index : tensor.Elements<int32_t>()) {
          index = static_cast<int32_t>(index % to);
        }
      }
    }
    return smaller;
  }

  const Function& function_;
  const Fault& fault_;
  const OpRegistry& registry_;
  const LockstepOptions& options_;
  const PieceBuilder builder_;
};

}  // namespace

absl::StatusOr<std::optional<MinimalCase>> FindMinimalCase(const LockstepResult& result,
                                                           const OpRegistry& registry,
                                                           const LockstepOptions& options,
                                                           const std::string& source) {
  if (!result.fault.has_value()) return FailedPrecondition("there is no fault to make a case of");
  return CaseFinder(result, registry, options, source).Find();
}

}  // namespace seqgraph::diff
