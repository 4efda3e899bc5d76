#ifndef SEQGRAPH_SERIALIZATION_KERAS_VALUE_CONFIG_H_
#define SEQGRAPH_SERIALIZATION_KERAS_VALUE_CONFIG_H_

// Initializers, regularizers and activations in Keras's configurations.

#include <string>
#include <vector>

#include "graph/function.h"
#include "graph/layer_stack.h"
#include "serialization/keras/config.h"

namespace seqgraph::keras {

/// Sets *value. An initializer that is not known here leaves it as it is and adds a sentence to
/// *notes: the weights in the file are not drawn from it any more.
void ReadInitializer(Config& config, const std::string& key, Initializer* value,
                     std::vector<std::string>* notes);
/// L1, L2, L1L2, or none.
void ReadRegularizer(Config& config, const std::string& key, Regularizer* value);
/// One of `known`; null is "linear".
void ReadActivation(Config& config, const std::string& key, const std::vector<std::string>& known,
                    std::string* value);

OrderedJson InitializerJson(const Initializer& initializer);
OrderedJson RegularizerJson(const Regularizer& regularizer);

}  // namespace seqgraph::keras

#endif  // SEQGRAPH_SERIALIZATION_KERAS_VALUE_CONFIG_H_
