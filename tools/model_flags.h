#pragma once

#include <cstdint>
#include <optional>
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
  /// The recurrent layers alone, as any model has them.
  RecurrentLayersOptions Layers() const;
  /// Take these where the user names none. Once the command line has been parsed.
  void PreferLayers(const std::string& cell_flag, int64_t units);
  /// Of what is for texts alone, the first flag that is given; empty: none.
  std::string GivenOfTexts() const;
  /// Of what sees a text as a whole, likewise: --bidirectional, --pooling.
  std::string GivenOfWholeTexts() const;
  /// "2 bidirectional LSTM layers of 16 units".
  std::string LayersDescription() const;
  /// "embedding input, 2 bidirectional LSTM layers of 16 units".
  std::string Description() const;

 private:
  std::optional<Flag> cell_flag_, units_flag_;
  std::vector<Flag> of_texts_, of_whole_texts_;
};

}  // namespace seqgraph::tools
