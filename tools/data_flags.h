#ifndef SEQGRAPH_TOOLS_DATA_FLAGS_H_
#define SEQGRAPH_TOOLS_DATA_FLAGS_H_

#include <cstdint>
#include <string>

#include "data/imdb_dataset.h"
#include "tools/flags.h"

namespace seqgraph::tools {

/// Where reviews come from and how they become integers.
struct DataFlags {
  std::string data = std::string(data::kSyntheticName);
  int64_t num_words = 500;
  int64_t maxlen = 100;
  double validation = 0.2;
  bool any_bytes = false;

  /// --data (required if its default is empty), --any_bytes.
  void DeclareSource(Flags& flags);
  /// --num_words, --maxlen, --validation.
  void DeclareEncoding(Flags& flags);

  bool synthetic() const { return data == data::kSyntheticName; }
  data::DatasetOptions Options() const;
};

/// --any_bytes: take reviews that are no UTF-8 text.
void DeclareAnyBytes(Flags& flags, bool* value);

}  // namespace seqgraph::tools

#endif  // SEQGRAPH_TOOLS_DATA_FLAGS_H_
