#pragma once

// --backend=auto: the backend of each node by measuring it (runtime/backend_chooser.h), measured
// once for a function with its shapes on a machine and then remembered.

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "data/data_cache.h"
#include "runtime/backend_chooser.h"

namespace seqgraph::tools {

/// What --backend=auto chooses from, in this order where nothing is measured to be faster.
inline constexpr char kAuto[] = "auto";
inline constexpr char kAutoCandidates[] = "simd,onednn,reference";

/// Where a choice comes from.
struct ChoiceOrigin {
  bool remembered = false;  ///< false: measured just now
  double seconds = 0;       ///< that measuring took
  std::string note;         ///< why nothing could be read or kept; empty: all is well
};

/// The folder in which --data_cache keeps its entries by default; none where there is no home.
std::optional<DataCache> DefaultChoiceCache();

class AutoChoice {
 public:
  /// Without a cache every choice is measured.
  explicit AutoChoice(std::optional<DataCache> cache) : cache_(std::move(cache)) {}

  /// As ChooseByMeasuring; what is remembered was measured for the same function, batch, threads,
  /// passes, backends (with their versions and instruction sets) and processor.
  absl::StatusOr<BackendChoice> Choose(const Function& function, const VariableStore& variables,
                                       const CompileOptions& options,
                                       ChoiceOrigin* origin = nullptr) const;

 private:
  std::optional<DataCache> cache_;
};

/// The choice as kept, and back. InvalidArgument for any other text.
std::string ChoiceToJson(const BackendChoice& choice);
absl::StatusOr<BackendChoice> ChoiceFromJson(absl::string_view json);

/// A table for people: each group of nodes with what each backend took, and the whole function.
std::string ChoiceText(const BackendChoice& choice, const ChoiceOrigin& origin);

}  // namespace seqgraph::tools
