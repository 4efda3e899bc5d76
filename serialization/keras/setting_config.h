#pragma once

// Settings of layers that Keras's configurations hold as objects or by names: initializers,
// regularizers, activations.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "graph/layer_stack.h"
#include "serialization/keras/config.h"

namespace seqgraph::keras {

/// Sets *value. An initializer that is not known here leaves it as it is and adds a sentence to
/// *notes: the weights in the file are not drawn from it any more.
void ReadInitializer(Config& config, const std::string& key, Initializer* value,
                     std::vector<std::string>* notes);

/// L1, L2, L1L2, or none; anything else is refused.
void ReadRegularizer(Config& config, const std::string& key, Regularizer* value);

/// One of `known`, by the name that this version of Keras gives it; null is "linear".
void ReadActivation(Config& config, const std::string& key, const std::vector<std::string>& known,
                    int version, std::string* value);

/// What that version of Keras calls an activation of ours. Unimplemented for what its name means
/// otherwise there.
absl::StatusOr<std::string> KerasActivation(const std::string& ours, int version);

OrderedJson InitializerJson(const Initializer& initializer);
OrderedJson RegularizerJson(const Regularizer& regularizer);

}  // namespace seqgraph::keras
