#ifndef SEQGRAPH_TOOLS_MODEL_FLAGS_H_
#define SEQGRAPH_TOOLS_MODEL_FLAGS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "tools/flags.h"
#include "training/text_models.h"

namespace seqgraph::tools {

/// The layers of a classifier of texts; the defaults are the tutorial's.
struct ModelFlags {
  std::string input = "embedding";
  int64_t embedding_dim = 16;
  bool mask_zero = false;
  std::string cell = "rnn";
  int64_t units = 8;
  int64_t layers = 1;
  bool bidirectional = false;
  double dropout = 0;
  double recurrent_dropout = 0;
  std::string pooling = "last";

  /// --model, --cell, --units, ... What is for an embedding that is not there is misuse.
  std::vector<Flag> Declare(Flags& flags);
  /// num_words, maxlen and classes are the tutorial's.
  TextModelOptions Options() const;
  /// "embedding input, 2 bidirectional LSTM layers of 16 units".
  std::string Description() const;
};

}  // namespace seqgraph::tools

#endif  // SEQGRAPH_TOOLS_MODEL_FLAGS_H_
