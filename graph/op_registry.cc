#include "graph/op_registry.h"

#include <algorithm>
#include <mutex>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "graph/op_def.h"

namespace seqgraph {
namespace {

absl::Status CheckAttributeDefs(const OpDef& def) {
  for (const AttributeDef& attribute : def.attributes()) {
    if (!attribute.one_of.empty() && attribute.kind != AttributeKind::kString) {
      return InvalidArgument("op ", def.name(), " lists texts for attribute ", attribute.name,
                             ", which is of kind ", KindName(attribute.kind));
    }
    if (!attribute.default_value.has_value()) continue;
    SEQ_RETURN_IF_ERROR(Annotate(OpDef::CheckAttribute(attribute, *attribute.default_value),
                                 absl::StrCat("op ", def.name(), ", default")));
  }
  return absl::OkStatus();
}

// A node of an older version is one of this version: what was added may be left out.
absl::Status CheckAdditions(const OpDef& def) {
  const int oldest = def.oldest_version();
  bool seen = false;
  for (const InputDef& input : def.inputs()) {
    if (input.since > oldest && !input.optional) {
      return InvalidArgument("op ", def.name(), ": input ", input.name,
                             " was added and must be optional");
    }
    if (seen && input.since <= oldest) {
      return InvalidArgument("op ", def.name(), ": input ", input.name,
                             " stands behind added ones");
    }
    seen |= input.since > oldest;
  }
  for (const AttributeDef& attribute : def.attributes()) {
    if (attribute.since <= oldest || attribute.default_value.has_value()) continue;
    return InvalidArgument("op ", def.name(), ": attribute ", attribute.name,
                           " was added and must have a default");
  }
  return absl::OkStatus();
}

absl::Status CheckIndices(const OpDef& def) {
  for (const InputDef& input : def.inputs()) {
    if (input.below.empty() || def.FindInput(input.below) >= 0) continue;
    const int attribute = def.FindAttribute(input.below);
    if (attribute >= 0 && def.attributes()[attribute].kind == AttributeKind::kInt) continue;
    return InvalidArgument("op ", def.name(), ": input ", input.name, " is below ", input.below,
                           ", which is no input and no integer attribute");
  }
  return absl::OkStatus();
}

absl::Status CheckInPlace(const OpDef& def) {
  const int inputs = static_cast<int>(def.inputs().size());
  const int outputs = static_cast<int>(def.outputs().size());
  for (const InPlacePair& pair : def.in_place()) {
    if (pair.input >= 0 && pair.input < inputs && pair.output >= 0 && pair.output < outputs) {
      continue;
    }
    return InvalidArgument("op ", def.name(), " has an in-place pair {", pair.output, ", ",
                           pair.input, "}, but ", outputs, " outputs and ", inputs, " inputs");
  }
  return absl::OkStatus();
}

absl::Status CheckComplete(const OpDef& def) {
  const auto missing = [&](absl::string_view what) {
    return InvalidArgument("op ", def.name(), " has no ", what);
  };
  if (def.name().empty()) return InvalidArgument("an op has no name");
  if (def.doc().empty()) return missing("doc");
  if (def.outputs().empty()) return missing("output");
  if (!def.shape_rule()) return missing("shape rule");
  if (!def.reference(DType::kFloat32) || !def.reference(DType::kFloat64)) {
    return missing("reference computation");
  }
  if (!def.bound_rule()) return missing("error bound");
  if (def.examples().empty()) return missing("example");
  std::set<std::string> names;
  const auto add = [&](const std::string& name) -> absl::Status {
    if (names.insert(name).second) return absl::OkStatus();
    return InvalidArgument("op ", def.name(), " uses the name ", name, " twice");
  };
  for (const InputDef& input : def.inputs()) SEQ_RETURN_IF_ERROR(add(input.name));
  for (const AttributeDef& attribute : def.attributes()) SEQ_RETURN_IF_ERROR(add(attribute.name));
  names.clear();
  for (const OutputDef& output : def.outputs()) SEQ_RETURN_IF_ERROR(add(output.name));
  SEQ_RETURN_IF_ERROR(CheckAttributeDefs(def));
  SEQ_RETURN_IF_ERROR(CheckAdditions(def));
  SEQ_RETURN_IF_ERROR(CheckIndices(def));
  return CheckInPlace(def);
}

// Number of single-character edits between two texts (Levenshtein), to suggest names.
int EditDistance(absl::string_view a, absl::string_view b) {
  std::vector<int> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = static_cast<int>(j);
  for (size_t i = 1; i <= a.size(); ++i) {
    int diagonal = row[0];
    row[0] = static_cast<int>(i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const int substitute = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substitute});
    }
  }
  return row[b.size()];
}

}  // namespace

struct OpRegistry::Defined {
  std::mutex mutex;  // of all that follows
  std::map<std::string, std::unique_ptr<OpDef>, std::less<>> ops;
  std::map<std::string, std::function<OpDef()>, std::less<>> later;
  std::vector<std::function<std::vector<OpDef>()>> families;

  absl::Status CheckNew(const std::string& name) const {
    if (ops.find(name) == ops.end() && later.find(name) == later.end()) return absl::OkStatus();
    return absl::AlreadyExistsError(absl::StrCat("op ", name, " is registered twice"));
  }

  absl::Status Add(OpDef def) {
    SEQ_RETURN_IF_ERROR(CheckComplete(def));
    const std::string name = def.name();
    SEQ_RETURN_IF_ERROR(CheckNew(name));
    ops.emplace(name, std::make_unique<OpDef>(std::move(def)));
    return absl::OkStatus();
  }

  const OpDef* Find(absl::string_view name) {
    if (const auto found = ops.find(name); found != ops.end()) return found->second.get();
    const auto waiting = later.find(name);
    if (waiting == later.end()) return DefineFamilies() ? Find(name) : nullptr;
    const auto define = later.extract(waiting);
    SEQ_CHECK(Add(define.mapped()()).ok());
    const auto found = ops.find(name);
    SEQ_CHECK(found != ops.end());
    return found->second.get();
  }

  // False if there are none any more.
  bool DefineFamilies() {
    if (families.empty()) return false;
    for (const auto& define : std::exchange(families, {})) {
      for (OpDef& def : define()) SEQ_CHECK(Add(std::move(def)).ok());
    }
    return true;
  }

  void DefineAll() {
    DefineFamilies();
    while (!later.empty()) Find(std::string(later.begin()->first));
  }
};

OpRegistry::OpRegistry() : defined_(std::make_unique<Defined>()) {}
OpRegistry::OpRegistry(OpRegistry&&) = default;
OpRegistry& OpRegistry::operator=(OpRegistry&&) = default;
OpRegistry::~OpRegistry() = default;

absl::Status OpRegistry::Register(OpDef def) {
  const std::lock_guard<std::mutex> lock(defined_->mutex);
  defined_->DefineFamilies();  // one of them may have that name
  return defined_->Add(std::move(def));
}

absl::Status OpRegistry::RegisterLater(std::string name, std::function<OpDef()> define) {
  const std::lock_guard<std::mutex> lock(defined_->mutex);
  defined_->DefineFamilies();
  SEQ_RETURN_IF_ERROR(defined_->CheckNew(name));
  defined_->later.emplace(std::move(name), std::move(define));
  return absl::OkStatus();
}

absl::Status OpRegistry::RegisterLater(std::function<std::vector<OpDef>()> define_family) {
  const std::lock_guard<std::mutex> lock(defined_->mutex);
  if (defined_->ops.empty()) {
    defined_->families.push_back(std::move(define_family));
    return absl::OkStatus();
  }
  for (OpDef& def : define_family()) SEQ_RETURN_IF_ERROR(defined_->Add(std::move(def)));
  return absl::OkStatus();
}

const OpDef* OpRegistry::Find(absl::string_view name) const {
  const std::lock_guard<std::mutex> lock(defined_->mutex);
  return defined_->Find(name);
}

absl::StatusOr<const OpDef*> OpRegistry::Get(absl::string_view name) const {
  if (const OpDef* def = Find(name)) return def;
  // A long text cannot be a slip of the pen, and comparing it would take long.
  std::vector<std::pair<int, std::string>> near;
  if (name.size() <= 64) {
    const std::string lower = absl::AsciiStrToLower(name);
    for (const OpDef* known : All()) {
      near.emplace_back(EditDistance(lower, absl::AsciiStrToLower(known->name())), known->name());
    }
    std::sort(near.begin(), near.end());
    near.resize(std::min<size_t>(near.size(), 3));
  }
  return NotFound(
      "unknown op \"", name.substr(0, 64), "\"", near.empty() ? "" : "; the nearest are ",
      absl::StrJoin(near, ", ", [](std::string* out, const auto& item) { *out += item.second; }));
}

std::vector<const OpDef*> OpRegistry::All() const {
  const std::lock_guard<std::mutex> lock(defined_->mutex);
  defined_->DefineAll();
  std::vector<const OpDef*> all;
  for (const auto& [name, def] : defined_->ops) all.push_back(def.get());
  return all;
}

}  // namespace seqgraph
