#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "training/flat_weights.h"
#include "training/model_runner.h"
#include "training/step_parts.h"

namespace seqgraph {

/// The optimizer's state of some elements of the weights, and their updates (the first stage of
/// ZeRO: Rajbhandari and others 2020). Updates go element by element, so pieces of a weight get the
/// bits that the whole would get.
class OptimizerShare {
 public:
  /// Of the elements in `share` of the layout, which must outlive it. Slots start as they do in a
  /// new model. Only backends, threads and ops of the options count.
  static absl::StatusOr<OptimizerShare> Create(const StepParts& parts, const FlatLayout& layout,
                                               IndexRange share, const RunnerOptions& options);

  /// Copies its elements out of all weights, or into them.
  absl::Status SetWeights(absl::Span<const float> flat);
  void GetWeights(absl::Span<float> flat) const;
  /// Steps that were done, and the rate of the next one.
  absl::Status SetIteration(int64_t iteration);
  absl::Status SetRate(double rate);

  /// One step by the gradients of its elements, `flat` as a whole array. `norms`: squared norms of
  /// all weights, one each (of clipping by the global norm one for all together).
  absl::Status Apply(absl::Span<const float> flat, absl::Span<const double> norms);

  /// Slots as bytes, and back, from this or from the model that has them all: those of the elements
  /// in `pieces`. InvalidArgument: they are those of other elements.
  std::string PackSlots() const;
  absl::Status UnpackSlots(absl::string_view bytes);
  static absl::StatusOr<std::string> PackSlots(const StepParts& parts,
                                               const std::vector<WeightPiece>& pieces,
                                               const VariableStore& whole);
  static absl::Status UnpackSlots(const StepParts& parts, const std::vector<WeightPiece>& pieces,
                                  absl::string_view bytes, VariableStore* whole);

  /// Bytes of the slots, and of all.
  int64_t slot_bytes() const;

 private:
  struct Piece {
    WeightPiece piece;
    std::string name;
    int64_t begin = 0;  // in the flat array
    int gradient = -1;  // input of the function
    int norm = -1;
  };

  const StepParts* parts_ = nullptr;
  std::vector<Piece> pieces_;
  std::unique_ptr<Model> model_;  // null: there is no element
  std::unique_ptr<ModelRunner> runner_;
  CompiledFunction* apply_ = nullptr;
};

/// Names of the variables that the optimizer keeps: of each weight, and for all.
std::vector<std::string> SlotNames(const StepParts& parts, const std::string& weight);
std::vector<std::string> SharedSlotNames(const StepParts& parts);

}  // namespace seqgraph
