#pragma once

// What a recurrent cell makes of the sums of its gates, as attributes of its op say it.

#include "absl/status/statusor.h"
#include "graph/activation.h"
#include "graph/op_def.h"

namespace seqgraph {

struct CellFunctions {
  ActivationFunction gates{Activation::kSigmoid};  ///< of an LSTM or a GRU
  ActivationFunction state{Activation::kTanh};     ///< of a simple cell's sum, or of the candidate
  ActivationFunction output{Activation::kTanh};    ///< of an LSTM's cell on its way out
  double clip = 0;         ///< sums are limited to [-clip, clip] in front of activations; 0: not
  bool coupled = false;    ///< of an LSTM: the forget gate is 1 - i
  bool peepholes = false;  ///< of an LSTM: gates see the cell

  /// True if the three kinds that are known by their output do: sigmoid gates, one of tanh, relu,
  /// sigmoid for all else, and nothing more.
  bool plain() const;
};

/// Those of a node of a recurrent op: `activations` (a text for each, in ONNX's order: gates,
/// state, output, as far as the cell has them), or where that is empty `activation` for state and
/// output; `clip`, `input_forget`, `peepholes`. InvalidArgument for texts that are no activations,
/// their number, and a limit that is negative or infinite.
absl::StatusOr<CellFunctions> CellFunctionsOf(RecurrenceFacts::Cell cell,
                                              const Attributes& attributes);

/// Sets `activation`, or where it does not do `activations`, and `clip`, `input_forget` and
/// `peepholes` where they are not the defaults.
void SetCellFunctions(RecurrenceFacts::Cell cell, const CellFunctions& functions,
                      Attributes& attributes);

/// The same of texts; where one is no activation, `activations` as they are, which the op refuses.
/// Empty texts: the defaults, of `output` that of `state`.
void SetCellFunctions(RecurrenceFacts::Cell cell, absl::string_view gates, absl::string_view state,
                      absl::string_view output, CellFunctions functions, Attributes& attributes);

}  // namespace seqgraph
