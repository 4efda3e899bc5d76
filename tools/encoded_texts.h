#pragma once

// What `encode` writes, and how it is read again: tokens and targets of the three parts as .npy,
// and beside them what a model keeps of texts. The files of one set know each other: texts.json has
// the check sum of each array, so that a set of which only a part was replaced is refused.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "base/atomic_file.h"
#include "data/text_dataset.h"
#include "graph/model.h"

namespace seqgraph::tools {

/// "train", "validation", "test": PART_tokens.npy is int32 [rows, maxlen], PART_targets.npy [rows].
inline constexpr absl::string_view kEncodedParts[] = {"train", "validation", "test"};

/// Rule, vocabulary, labels and columns, as JSON, and "checks": the CRC-32C of each array's file.
inline constexpr char kEncodedTextsFile[] = "texts.json";
/// The names of classes other than negative and positive, one a line, for other programs.
inline constexpr char kEncodedLabelsFile[] = "labels.txt";

/// Whether the path is a folder with such a file.
bool IsEncodedTexts(const std::string& path);

/// The files of a set, put into a folder together: none before all are on the disk.
class EncodedTextsWriter {
 public:
  explicit EncodedTextsWriter(std::string folder) : folder_(std::move(folder)) {}

  /// An array of int32. Errors: as AtomicFile.
  absl::Status AddArray(const std::string& name, absl::Span<const int32_t> elements,
                        absl::Span<const int64_t> shape);
  /// Everything else, then all in its place: `columns` says which columns of a table the texts came
  /// from. Labels of another set go. To be called once. After an error the set that was there is as
  /// it was, or ReadEncodedTexts() refuses what is there.
  absl::Status Commit(const data::Dataset& dataset, const TextPreprocessing& columns);
  /// What was written: a path and what is in it a line.
  const std::string& lines() const { return lines_; }

 private:
  absl::Status Add(const std::string& name, absl::string_view bytes, absl::string_view what);

  const std::string folder_;
  std::map<std::string, uint32_t> checks_;
  std::vector<std::unique_ptr<AtomicFile>> files_;
  std::string lines_;
};

struct EncodedTexts {
  data::Dataset dataset;
  TextPreprocessing preprocessing;
};

/// Reads such a folder; rows are named "train 7". For untrusted bytes: InvalidArgument, naming the
/// file, for arrays of another set, of other types and shapes, tokens that are no codes of the
/// vocabulary, targets that are no classes; otherwise as ParseNpy(), ReadFile() and VocabularyOf().
absl::StatusOr<EncodedTexts> ReadEncodedTexts(const std::string& folder);

}  // namespace seqgraph::tools
