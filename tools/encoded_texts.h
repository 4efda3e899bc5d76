#pragma once

// What `encode` writes, and how it is read again: tokens and targets of the three parts as .npy,
// and beside them what a model keeps of texts.

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "data/text_dataset.h"
#include "graph/model.h"

namespace seqgraph::tools {

/// "train", "validation", "test": PART_tokens.npy is int32 [rows, maxlen], PART_targets.npy [rows].
inline constexpr absl::string_view kEncodedParts[] = {"train", "validation", "test"};

/// Rule, vocabulary, labels and columns, as JSON.
inline constexpr char kEncodedTextsFile[] = "texts.json";

/// Whether the path is a folder with such a file.
bool IsEncodedTexts(const std::string& path);

/// The content of that file: `columns` says which columns of a table the texts came from.
std::string EncodedTextsJson(const data::Dataset& dataset, const TextPreprocessing& columns);

struct EncodedTexts {
  data::Dataset dataset;
  TextPreprocessing preprocessing;
};

/// Reads such a folder; rows are named "train 7". For untrusted bytes: InvalidArgument, naming the
/// file, for arrays of other types and shapes, tokens that are no codes of the vocabulary, targets
/// that are no classes; otherwise as ReadNpy(), ReadFile() and VocabularyOf().
absl::StatusOr<EncodedTexts> ReadEncodedTexts(const std::string& folder);

}  // namespace seqgraph::tools
