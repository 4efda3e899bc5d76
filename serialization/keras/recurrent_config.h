#ifndef SEQGRAPH_SERIALIZATION_KERAS_RECURRENT_CONFIG_H_
#define SEQGRAPH_SERIALIZATION_KERAS_RECURRENT_CONFIG_H_

#include <string>
#include <vector>

#include "graph/layers.h"
#include "serialization/keras/config.h"

namespace seqgraph::keras {

/// "SimpleRNN", "LSTM" or "GRU"; sets *kind if it is one.
bool ParseRecurrentKind(const std::string& class_name, RecurrentKind* kind);

/// All attributes of a recurrent layer of `kind`, without the layer's name and trainability.
RecurrentLayer ReadRecurrent(Config& config, RecurrentKind kind, std::vector<std::string>* notes);

/// Adds the same attributes to a configuration.
void WriteRecurrent(const RecurrentLayer& layer, OrderedJson& config);

}  // namespace seqgraph::keras

#endif  // SEQGRAPH_SERIALIZATION_KERAS_RECURRENT_CONFIG_H_
