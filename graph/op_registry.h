#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace seqgraph {

class OpDef;  // graph/op_def.h

/// The ops that graphs may use, by name. Filled once, then read-only; functions keep pointers to
/// the definitions, so a registry must outlive every function built with it.
class OpRegistry {
 public:
  OpRegistry();
  OpRegistry(OpRegistry&&);
  OpRegistry& operator=(OpRegistry&&);
  ~OpRegistry();

  /// AlreadyExists for a second op of that name; InvalidArgument for a definition with a part
  /// missing (doc, outputs, shape rule, reference, error bound, examples), twice the same name in
  /// it, a default that its attribute does not allow, or an in-place pair without such an input or
  /// output.
  absl::Status Register(OpDef def);

  /// Null if there is none.
  const OpDef* Find(absl::string_view name) const;
  /// NotFound, with the names that come closest.
  absl::StatusOr<const OpDef*> Get(absl::string_view name) const;
  /// All definitions, by name.
  std::vector<const OpDef*> All() const;

 private:
  std::map<std::string, std::unique_ptr<OpDef>, std::less<>> ops_;
};

}  // namespace seqgraph
