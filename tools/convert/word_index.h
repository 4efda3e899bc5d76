#ifndef SEQGRAPH_TOOLS_CONVERT_WORD_INDEX_H_
#define SEQGRAPH_TOOLS_CONVERT_WORD_INDEX_H_

#include <string>

#include "absl/status/status.h"
#include "graph/model.h"

namespace seqgraph::tools {

/// Sets the model's preprocessing to that of Keras's movie reviews, with the words of a JSON file
/// {"word": rank from 1, ...} (imdb_word_index.json), and its labels if it has none. The number of
/// words and the length of texts are those of its `predict`, which must begin with an embedding or
/// one-hot words of tokens int32[batch, time]. Errors name the path: those of reading,
/// InvalidArgument for what is no such file or has a rank missing.
absl::Status SetWordIndex(const std::string& path, Model& model);

}  // namespace seqgraph::tools

#endif  // SEQGRAPH_TOOLS_CONVERT_WORD_INDEX_H_
