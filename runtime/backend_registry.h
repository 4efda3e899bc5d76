#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "runtime/backend.h"

namespace seqgraph {

/// The backends that can be named, in the order of registration. Must outlive what is compiled.
class BackendRegistry {
 public:
  /// AlreadyExists for a second one of that name.
  absl::Status Register(std::unique_ptr<Backend> backend);
  /// NotFound lists the names that there are.
  absl::StatusOr<const Backend*> Get(absl::string_view name) const;
  /// "onednn,reference" -> both, in that order. InvalidArgument for an empty list or one name
  /// twice, NotFound for an unknown name.
  absl::StatusOr<std::vector<const Backend*>> ParseList(absl::string_view names) const;
  const std::vector<std::unique_ptr<Backend>>& all() const { return backends_; }

 private:
  std::vector<std::unique_ptr<Backend>> backends_;
};

}  // namespace seqgraph
