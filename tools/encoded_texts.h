#pragma once

// What `encode` writes, and how it is read again: tokens and targets of the three parts as .npy,
// beside them what a model keeps of texts, and the checksums of all.

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

/// Rule, vocabulary, labels and columns, as JSON.
inline constexpr char kEncodedTextsFile[] = "texts.json";
/// The names of classes other than negative and positive, one a line, for other programs.
inline constexpr char kEncodedLabelsFile[] = "labels.txt";

/// The CRC-32C of each of these files, a line "1a2b3c4d train_tokens.npy" each: that all are whole,
/// and of one set. Sets of the first version have no such file.
inline constexpr char kChecksumsFile[] = "checksums.txt";
std::string ChecksumLine(absl::string_view name, absl::string_view bytes);

/// By the names of the files.
using Checksums = std::map<std::string, uint32_t>;
/// Reads that file of a folder; none where it is missing. Errors name it.
absl::StatusOr<Checksums> ReadChecksums(const std::string& folder);
/// DataLoss, naming the file, if there are checksums and its own is missing or differs.
absl::Status CheckAgainst(const Checksums& checksums, const std::string& path,
                          absl::string_view bytes);

/// Whether the path is a folder with the first of these files.
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
  std::vector<std::unique_ptr<AtomicFile>> files_;
  std::string checksums_, lines_;
};

struct EncodedTexts {
  data::Dataset dataset;
  TextPreprocessing preprocessing;
};

/// Reads such a folder; rows are named "train 7". For untrusted bytes: InvalidArgument, naming the
/// file, for arrays of other types and shapes, tokens that are no codes of the vocabulary, targets
/// that are no classes; DataLoss for a file that is not the one of its checksum; otherwise as
/// ReadNpy(), ReadFile() and VocabularyOf().
absl::StatusOr<EncodedTexts> ReadEncodedTexts(const std::string& folder);

}  // namespace seqgraph::tools
