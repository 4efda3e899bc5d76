#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace seqgraph {

class OpDef;  // graph/op_def.h

/// The ops that graphs may use, by name. Filled once, then only asked, by any number of threads;
/// functions keep pointers to the definitions, so a registry must outlive every function built with
/// it.
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
  /// Registers an op that is defined when it is first asked for: to define all takes milliseconds,
  /// and a model has a dozen. The second is for families: they are defined once a name is asked for
  /// that nothing else has. AlreadyExists as above; what else Register refuses, or an op of another
  /// name, ends the program when it is defined.
  absl::Status RegisterLater(std::string name, std::function<OpDef()> define);
  absl::Status RegisterLater(std::function<std::vector<OpDef>()> define_family);

  /// Null if there is none.
  const OpDef* Find(absl::string_view name) const;
  /// NotFound, with the names that come closest.
  absl::StatusOr<const OpDef*> Get(absl::string_view name) const;
  /// All definitions, by name.
  std::vector<const OpDef*> All() const;

 private:
  struct Defined;
  std::unique_ptr<Defined> defined_;
};

}  // namespace seqgraph
