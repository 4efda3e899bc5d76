#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "backends/plugin/select_backends.h"
#include "base/status_macros.h"
#include "graph/function_builder.h"
#include "graph/op_def.h"
#include "ops/all_ops.h"
#include "tools/backend_choice.h"
#include "tools/command.h"

namespace seqgraph::tools {
namespace {

// What a backend says to the examples and a number of random uses of an op, in float32.
struct OpClaims {
  const OpDef* op = nullptr;
  int uses = 0;
  int claimed = 0;
  std::vector<std::string> reasons;  // of refusals, each once, in the order they came up
};

constexpr int kSamples = 24;

// A function of one node, with inputs of the types of `inputs`, reals being float32.
absl::StatusOr<Function> Alone(const OpDef& op, const OpRegistry& registry,
                               const std::vector<std::optional<Tensor>>& inputs,
                               const Attributes& attributes) {
  FunctionBuilder g("claim", registry);
  std::vector<Value> values;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!inputs[i].has_value()) {
      values.push_back({});
      continue;
    }
    TensorType type = inputs[i]->type();
    if (IsReal(type.dtype)) type.dtype = DType::kFloat32;
    values.push_back(g.Input(op.inputs()[i].name, type));
  }
  const std::vector<Value> outputs = g.AddNode(op.name(), values, attributes);
  for (size_t i = 0; i < outputs.size(); ++i) g.Result(op.outputs()[i].name, outputs[i]);
  return std::move(g).Build();
}

absl::Status Ask(const Backend& backend, const OpRegistry& registry,
                 const std::vector<std::optional<Tensor>>& inputs, const Attributes& attributes,
                 OpClaims* claims) {
  SEQ_ASSIGN_OR_RETURN(const Function function, Alone(*claims->op, registry, inputs, attributes));
  const Claim claim = backend.ClaimFunction(function).nodes[0];
  ++claims->uses;
  if (claim.claimed()) {
    ++claims->claimed;
    return absl::OkStatus();
  }
  std::string reason = absl::StrCat(ClaimReasonName(claim.reason), ": ", claim.text);
  if (std::find(claims->reasons.begin(), claims->reasons.end(), reason) == claims->reasons.end()) {
    claims->reasons.push_back(std::move(reason));
  }
  return absl::OkStatus();
}

// One for each op of the registry: asked for, not looked up in a list that could be wrong. A use
// stands alone in its function, so an op that a backend runs only beside another is refused here
// with that reason.
absl::StatusOr<std::vector<OpClaims>> ClaimsOfAllOps(const Backend& backend,
                                                     const OpRegistry& registry) {
  std::vector<OpClaims> all;
  for (const OpDef* op : registry.All()) {
    OpClaims claims{.op = op};
    for (const OpExample& example : op->examples()) {
      SEQ_RETURN_IF_ERROR(Ask(backend, registry, example.inputs, example.attributes, &claims));
    }
    SampleSource source(/*seed=*/1);
    for (int i = 0; i < kSamples && op->sampler(); ++i) {
      const OpSample sample = op->sampler()(source);
      SEQ_RETURN_IF_ERROR(Ask(backend, registry, sample.inputs, sample.attributes, &claims));
    }
    all.push_back(std::move(claims));
  }
  return all;
}

class BackendsCommand : public Command {
 public:
  void Declare(Flags& flags) override {
    flags.Footer(
        "Lists the built-in backends, and the plugins in the folders of SEQGRAPH_BACKEND_PATH, "
        "each\n"
        "tried in a process of its own. Each backend is asked for each op with examples and "
        "random\n"
        "uses, in float32: 'yes' means that it took all of them, otherwise the reasons follow "
        "that\n"
        "it gave.");
  }

  absl::StatusOr<int> Run(Output& out) override {
    std::vector<std::string> refused_folders;
    const PluginOptions options = PluginDefaults();
    bool first = true;
    for (const ListedBackend& listed : ListBackends(options, &refused_folders)) {
      out.Write(first ? "" : "\n");
      first = false;
      SEQ_RETURN_IF_ERROR(List(listed, options, out));
    }
    for (const std::string& folder : refused_folders) out.Print("\nnot searched: %s\n", folder);
    return 0;
  }

 private:
  static absl::Status List(const ListedBackend& listed, PluginOptions options, Output& out) {
    if (!listed.status.ok()) {
      out.Print("%s refused: %s\n", listed.name, listed.status.message());
      return absl::OkStatus();
    }
    out.Print("%s %s\n  %s\n", listed.info.name, listed.info.version, listed.info.description);
    if (!listed.path.empty()) out.Print("  plugin %s\n", listed.path);
    options.probe = false;  // which listing it has done
    SEQ_ASSIGN_OR_RETURN(const BackendSelection selection,
                         SelectBackends(listed.path.empty() ? listed.name : listed.path, options));
    SEQ_ASSIGN_OR_RETURN(const std::vector<OpClaims> all,
                         ClaimsOfAllOps(*ListOf(selection)[0], AllOps()));
    size_t width = 0;
    for (const OpClaims& claims : all) width = std::max(width, claims.op->name().size());
    for (const OpClaims& claims : all) {
      out.Print("  %-*s  %s%s\n", static_cast<int>(width), claims.op->name(),
                claims.claimed == claims.uses ? "yes"
                : claims.claimed == 0         ? "no, "
                                              : "some, not ",
                absl::StrJoin(claims.reasons, "; "));
    }
    return absl::OkStatus();
  }
};

}  // namespace

CommandDef DefineBackends() {
  return DefineCommand<BackendsCommand>(
      "backends", "The backends and plugins there are, and which ops each takes");
}

}  // namespace seqgraph::tools
