#include "graph/cell_functions.h"

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/status_macros.h"

namespace seqgraph {
namespace {

template <typename T>
T Get(const Attributes& attributes, absl::string_view name, T otherwise) {
  const AttributeValue* value = attributes.Find(name);
  return value == nullptr ? otherwise : std::get<T>(*value);
}

// In the order of `activations`.
template <typename Functions>
auto Used(RecurrenceFacts::Cell cell, Functions& f) {
  using Cell = RecurrenceFacts::Cell;
  std::vector<decltype(&f.state)> used;
  if (cell != Cell::kSimple) used.push_back(&f.gates);
  used.push_back(&f.state);
  if (cell == Cell::kLstm) used.push_back(&f.output);
  return used;
}

}  // namespace

bool CellFunctions::plain() const {
  return gates.kind == Activation::kSigmoid && state.kind == output.kind &&
         state.kind != Activation::kNone && IsKnownByOutput(state.kind) && clip == 0 && !coupled &&
         !peepholes;
}

absl::StatusOr<CellFunctions> CellFunctionsOf(RecurrenceFacts::Cell cell,
                                              const Attributes& attributes) {
  CellFunctions f;
  f.state.kind = f.output.kind =
      ParseActivation(Get<std::string>(attributes, "activation", "tanh"));
  f.clip = Get(attributes, "clip", 0.0);
  if (!std::isfinite(f.clip) || f.clip < 0) {
    return InvalidArgument("attribute clip must be finite and at least 0, got ", f.clip);
  }
  f.coupled = Get(attributes, "input_forget", false);
  f.peepholes = Get(attributes, "peepholes", false);
  const std::string text = Get<std::string>(attributes, "activations", "");
  if (text.empty()) return f;
  const std::vector<std::string> names = absl::StrSplit(text, ' ');
  const auto used = Used(cell, f);
  if (names.size() != used.size()) {
    return InvalidArgument("attribute activations must name ", used.size(),
                           ", separated by spaces, got \"", text, "\"");
  }
  for (size_t i = 0; i < used.size(); ++i) {
    const std::optional<ActivationFunction> found = FindActivation(names[i]);
    if (!found.has_value()) {
      return InvalidArgument("attribute activations: unknown activation \"", names[i], "\"");
    }
    *used[i] = *found;
  }
  if (cell != RecurrenceFacts::Cell::kLstm) f.output = f.state;
  return f;
}

void SetCellFunctions(RecurrenceFacts::Cell cell, const CellFunctions& f, Attributes& attributes) {
  CellFunctions activations;
  activations.state = f.state;
  activations.output = cell == RecurrenceFacts::Cell::kLstm ? f.output : f.state;
  if (cell != RecurrenceFacts::Cell::kSimple) activations.gates = f.gates;
  if (activations.plain()) {
    attributes.Set("activation", ActivationText(f.state));
  } else {
    attributes.Set("activations",
                   absl::StrJoin(Used(cell, f), " ", [](std::string* out, const auto* function) {
                     out->append(ActivationText(*function));
                   }));
  }
  if (f.clip != 0) attributes.Set("clip", f.clip);
  if (f.coupled) attributes.Set("input_forget", true);
  if (f.peepholes) attributes.Set("peepholes", true);
}

void SetCellFunctions(RecurrenceFacts::Cell cell, absl::string_view gates, absl::string_view state,
                      absl::string_view output, CellFunctions functions, Attributes& attributes) {
  if (output.empty()) output = state;
  std::string unknown;
  const std::pair<absl::string_view, ActivationFunction*> texts[] = {
      {gates, &functions.gates}, {state, &functions.state}, {output, &functions.output}};
  for (const auto& [text, function] : texts) {
    if (text.empty()) continue;
    const std::optional<ActivationFunction> found = FindActivation(text);
    if (found.has_value()) {
      *function = *found;
    } else if (unknown.empty()) {
      unknown = std::string(text);
    }
  }
  SetCellFunctions(cell, functions, attributes);
  if (unknown.empty()) return;
  const size_t count = Used(cell, functions).size();
  attributes.Set("activations", absl::StrJoin(std::vector<std::string>(count, unknown), " "));
}

}  // namespace seqgraph
