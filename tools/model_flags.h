#ifndef SEQGRAPH_TOOLS_MODEL_FLAGS_H_
#define SEQGRAPH_TOOLS_MODEL_FLAGS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tools/flags.h"
#include "training/imdb_models.h"

namespace seqgraph::tools {

/// Which of the tutorial's two networks, and its sizes beside those of the data.
struct ModelFlags {
  std::string input = "embedding";
  int64_t embedding_dim = 16;
  int64_t units = 8;

  /// --model, --embedding_dim, --units. A width for an embedding that is not there is misuse.
  std::vector<Flag> Declare(Flags& flags);
  /// num_words and maxlen are the tutorial's.
  absl::StatusOr<ImdbModelOptions> Options() const;
};

}  // namespace seqgraph::tools

#endif  // SEQGRAPH_TOOLS_MODEL_FLAGS_H_
