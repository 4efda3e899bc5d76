#include "layers/same_function.h"

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "graph/op_def.h"

namespace seqgraph {
namespace {

// Follows both functions from their results to their inputs.
class Comparison {
 public:
  Comparison(const Function& given, const Function& built,
             const std::map<std::string, std::string>& variable_of)
      : given_(given), built_(built), variable_of_(variable_of) {}

  absl::Status Run() {
    // The comparison is recursive; a stack of layers has a few nodes a layer.
    constexpr size_t kMaxNodes = 10000;
    if (given_.nodes().size() > kMaxNodes) return Differ("number of nodes");
    if (given_.inputs().size() != built_.inputs().size()) return Differ("number of inputs");
    for (size_t i = 0; i < given_.inputs().size(); ++i) {
      if (given_.type(given_.inputs()[i]) != built_.type(built_.inputs()[i])) {
        return Differ(absl::StrCat("type of input ", given_.info(given_.inputs()[i]).name));
      }
      partner_[given_.inputs()[i]] = built_.inputs()[i];
    }
    if (given_.results().size() != built_.results().size()) return Differ("number of results");
    // Nodes are in topological order, so that each finds its inputs compared; those of `built` that
    // no result needs are no concern.
    for (size_t i = 0; i < given_.results().size(); ++i) {
      SEQ_RETURN_IF_ERROR(Compare(given_.results()[i].value, built_.results()[i].value));
    }
    return CompareUpdates();
  }

 private:
  static absl::Status Differ(absl::string_view what) {
    return FailedPrecondition("differs in the ", what);
  }

  // States that a call leaves behind.
  absl::Status CompareUpdates() {
    if (given_.updates().size() != built_.updates().size()) return Differ("number of updates");
    for (const NamedValue& update : built_.updates()) {
      const NamedValue* partner = nullptr;
      for (const NamedValue& candidate : given_.updates()) {
        if (candidate.name == GivenName(update.name)) partner = &candidate;
      }
      if (partner == nullptr) return Differ(absl::StrCat("update of ", update.name));
      SEQ_RETURN_IF_ERROR(Compare(partner->value, update.value));
    }
    return absl::OkStatus();
  }

  const std::string& GivenName(const std::string& built) const {
    const auto renamed = variable_of_.find(built);
    return renamed == variable_of_.end() ? built : renamed->second;
  }

  absl::Status Compare(Value a, Value b) {
    if (a.present() != b.present()) return Differ("inputs that are given");
    if (!a.present()) return absl::OkStatus();
    const auto known = partner_.find(a);
    if (known != partner_.end()) {
      return known->second == b ? absl::OkStatus()
                                : Differ(absl::StrCat("use of ", given_.info(a).name));
    }
    const ValueInfo& from = given_.info(a);
    const ValueInfo& to = built_.info(b);
    if (from.origin != to.origin || from.type != to.type) {
      return Differ(absl::StrCat("value ", from.name, ", ", from.type.ToString()));
    }
    if (from.origin == Origin::kVariable) {
      if (from.name != GivenName(to.name)) return Differ(absl::StrCat("variable ", from.name));
    } else if (from.origin == Origin::kNode) {
      SEQ_RETURN_IF_ERROR(CompareNodes(from, to));
    }
    partner_[a] = b;
    return absl::OkStatus();
  }

  absl::Status CompareNodes(const ValueInfo& from, const ValueInfo& to) {
    const Node& a = given_.nodes()[from.source];
    const Node& b = built_.nodes()[to.source];
    if (a.op->name() != b.op->name() || !(a.attributes == b.attributes) ||
        from.output != to.output || a.inputs.size() != b.inputs.size()) {
      return Differ(absl::StrCat("node ", a.name, " (", a.op->name(), ")"));
    }
    for (size_t i = 0; i < a.inputs.size(); ++i) {
      SEQ_RETURN_IF_ERROR(Annotate(Compare(a.inputs[i], b.inputs[i]),
                                   absl::StrCat("input ", i, " of node ", a.name)));
    }
    return absl::OkStatus();
  }

  const Function& given_;
  const Function& built_;
  const std::map<std::string, std::string>& variable_of_;
  std::map<Value, Value> partner_;
};

}  // namespace

absl::Status CheckSameFunction(const Function& given, const Function& built,
                               const std::map<std::string, std::string>& variable_of) {
  return Comparison(given, built, variable_of).Run();
}

}  // namespace seqgraph
