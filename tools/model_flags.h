#pragma once

#include <string>
#include <vector>

#include "tools/flags.h"
#include "training/text_models.h"

namespace seqgraph::tools {

/// The layers of a classifier of texts; the defaults are the tutorial's.
struct ModelFlags {
  std::string input = "embedding";
  std::string cell = "rnn";
  std::string pooling = "last";
  TextModelOptions sizes;  ///< the rest; num_words, maxlen and classes have no flags here

  /// --model, --cell, --units, ... What is for an embedding that is not there is misuse.
  std::vector<Flag> Declare(Flags& flags);
  TextModelOptions Options() const;
  /// "embedding input, 2 bidirectional LSTM layers of 16 units".
  std::string Description() const;
};

}  // namespace seqgraph::tools
