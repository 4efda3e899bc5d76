#pragma once

// Reviews as integers, from a cache where the archive (or file of records) and all settings are
// what they were.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "data/data_cache.h"
#include "data/text_dataset.h"

namespace seqgraph {

/// Where integers came from.
struct DataOrigin {
  enum Kind {
    kComputed,  ///< From the reviews, without the cache: none, or no archive, or it failed.
    kStored,    ///< From the reviews; now in the cache.
    kCached,    ///< From the cache.
  };
  Kind kind = kComputed;
  std::string key;                 ///< Empty for kComputed.
  std::vector<std::string> notes;  ///< What went wrong with the cache, a line each.
};

/// data::LoadDataset(), through `cache` if it is not null and `data` (and options.test_data) is a
/// file: a folder would have to be read as a whole to be recognized; synthetic reviews are made up
/// as fast as read. The key is the content, not path or time, with every option that counts; the
/// outcome is the same to the last bit. Whatever is wrong with the cache is noted and otherwise as
/// if there were none. What options.skipped takes is noted too; with it, or with columns of
/// numbers, nothing comes from the cache.
absl::StatusOr<data::Dataset> LoadDatasetCached(const std::string& data,
                                                const data::DatasetOptions& options,
                                                const DataCache* cache, DataOrigin* origin);

/// data::EncodeTexts(), likewise; the key takes in the vocabulary.
absl::StatusOr<data::TokenSet> EncodeTextsCached(const std::string& data, data::Split split,
                                                 const data::Vocabulary& vocabulary, int maxlen,
                                                 const data::DatasetOptions& options,
                                                 const DataCache* cache, DataOrigin* origin);

}  // namespace seqgraph
