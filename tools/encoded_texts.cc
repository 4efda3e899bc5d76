#include "tools/encoded_texts.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/atomic_file.h"
#include "base/crc32c.h"
#include "base/status_macros.h"
#include "base/temporary_file.h"
#include "data/npy.h"
#include "serialization/keras/text_assets.h"
#include "training/preprocessing.h"

namespace seqgraph::tools {
namespace {

constexpr int64_t kMaxJsonBytes = int64_t{1} << 30;
constexpr int64_t kMaxChecksumsBytes = int64_t{1} << 16;

absl::StatusOr<std::vector<int32_t>> ReadNumbers(const std::string& path,
                                                 const Checksums& checksums, size_t rank,
                                                 int64_t last_extent, int64_t limit) {
  SEQ_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path, data::kMaxNpyBytes));
  SEQ_RETURN_IF_ERROR(CheckAgainst(checksums, path, bytes));
  SEQ_ASSIGN_OR_RETURN(const data::NpyArray array, data::ParseNpy(bytes, path));
  SEQ_ASSIGN_OR_RETURN(const absl::Span<const int32_t> values,
                       Annotate(array.Values<int32_t>(), path));
  if (array.shape.size() != rank || (rank == 2 && array.shape[1] != last_extent)) {
    return InvalidArgument(
        path, ": expected ",
        rank == 1 ? std::string("[rows]") : absl::StrCat("[rows, ", last_extent, "]"),
        ", found another shape");
  }
  for (const int32_t value : values) {
    if (value < 0 || value >= limit) {
      return InvalidArgument(path, ": expected numbers from 0 to ", limit - 1, ", found ", value);
    }
  }
  return std::vector<int32_t>(values.begin(), values.end());
}

absl::StatusOr<data::TokenSet> ReadPart(const std::string& folder, absl::string_view part,
                                        const Checksums& checksums, const TextPreprocessing& text,
                                        int64_t classes) {
  data::TokenSet set;
  set.maxlen = static_cast<int>(text.maxlen);
  SEQ_ASSIGN_OR_RETURN(set.tokens, ReadNumbers(absl::StrCat(folder, "/", part, "_tokens.npy"),
                                               checksums, 2, text.maxlen, text.num_words));
  const std::string targets = absl::StrCat(folder, "/", part, "_targets.npy");
  SEQ_ASSIGN_OR_RETURN(set.targets, ReadNumbers(targets, checksums, 1, 0, classes));
  set.rows = static_cast<int64_t>(set.targets.size());
  if (set.rows * text.maxlen != static_cast<int64_t>(set.tokens.size())) {
    return InvalidArgument(targets, ": ", set.rows, " targets of ",
                           static_cast<int64_t>(set.tokens.size()) / text.maxlen, " rows");
  }
  const data::Split split = part == "test" ? data::Split::kTest : data::Split::kTrain;
  for (int64_t row = 0; row < set.rows; ++row) {
    set.ids.push_back({split, set.targets[static_cast<size_t>(row)], absl::StrCat(part, " ", row)});
  }
  return set;
}

// As Keras's files have it: no second form of the same.
std::string EncodedTextsJson(const data::Dataset& dataset, const TextPreprocessing& columns) {
  Model model;
  SetPreprocessing(dataset, model);
  model.preprocessing.text_column = columns.text_column;
  model.preprocessing.label_column = columns.label_column;
  keras::KerasModel assets;
  assets.preprocessing = model.preprocessing;
  assets.labels = model.labels;
  return keras::TextAssetsJson(assets);
}

}  // namespace

std::string ChecksumLine(absl::string_view name, absl::string_view bytes) {
  return absl::StrFormat("%08x %s\n", Crc32c(bytes), name);
}

absl::StatusOr<Checksums> ReadChecksums(const std::string& folder) {
  const std::string path = absl::StrCat(folder, "/", kChecksumsFile);
  const absl::StatusOr<std::string> text = ReadFile(path, kMaxChecksumsBytes);
  if (absl::IsNotFound(text.status())) return Checksums();
  if (!text.ok()) return text.status();
  Checksums checksums;
  for (const absl::string_view line : absl::StrSplit(*text, '\n', absl::SkipEmpty())) {
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(line, absl::MaxSplits(' ', 1));
    uint32_t sum = 0;
    if (parts.first.size() != 8 || !absl::SimpleHexAtoi(parts.first, &sum)) {
      return DataLoss(path, ": expected lines of a checksum and a name");
    }
    checksums[std::string(parts.second)] = sum;
  }
  if (checksums.empty()) return DataLoss(path, ": it is empty");
  return checksums;
}

absl::Status CheckAgainst(const Checksums& checksums, const std::string& path,
                          absl::string_view bytes) {
  if (checksums.empty()) return absl::OkStatus();
  const auto found = checksums.find(std::filesystem::path(path).filename().string());
  if (found != checksums.end() && found->second == Crc32c(bytes)) return absl::OkStatus();
  return DataLoss(path, found == checksums.end() ? " is not listed in " : " is not the file of ",
                  kChecksumsFile,
                  ": damaged, or of another set; who changed it, removes that list");
}

bool IsEncodedTexts(const std::string& path) {
  std::error_code none;
  return std::filesystem::is_regular_file(absl::StrCat(path, "/", kEncodedTextsFile), none);
}

absl::Status EncodedTextsWriter::Add(const std::string& name, absl::string_view bytes,
                                     absl::string_view what) {
  const std::string path = absl::StrCat(folder_, "/", name);
  SEQ_ASSIGN_OR_RETURN(std::unique_ptr<AtomicFile> file, AtomicFile::Create(path));
  SEQ_RETURN_IF_ERROR(file->Write(bytes));
  files_.push_back(std::move(file));
  checksums_ += ChecksumLine(name, bytes);
  absl::StrAppend(&lines_, path, ": ", what, "\n");
  return absl::OkStatus();
}

absl::Status EncodedTextsWriter::AddArray(const std::string& name,
                                          absl::Span<const int32_t> elements,
                                          absl::Span<const int64_t> shape) {
  SEQ_ASSIGN_OR_RETURN(const std::string file, data::NpyFile(elements, shape));
  return Add(name, file, absl::StrCat("int32 [", absl::StrJoin(shape, ", "), "]"));
}

absl::Status EncodedTextsWriter::Commit(const data::Dataset& dataset,
                                        const TextPreprocessing& columns) {
  absl::StrAppend(&lines_, "Classes: ", absl::StrJoin(dataset.labels, ", "), "\n");
  const bool named = dataset.labels != std::vector<std::string>{"negative", "positive"};
  if (named) {
    SEQ_RETURN_IF_ERROR(Add(kEncodedLabelsFile, absl::StrJoin(dataset.labels, "\n") + "\n",
                            absl::StrCat(dataset.labels.size(), " names")));
  }
  SEQ_RETURN_IF_ERROR(Add(kEncodedTextsFile, EncodedTextsJson(dataset, columns),
                          absl::StrCat(dataset.vocabulary.size(), " words")));
  const std::string path = absl::StrCat(folder_, "/", kChecksumsFile);
  SEQ_ASSIGN_OR_RETURN(std::unique_ptr<AtomicFile> checksums, AtomicFile::Create(path));
  SEQ_RETURN_IF_ERROR(checksums->Write(checksums_));
  files_.push_back(std::move(checksums));
  for (const auto& file : files_) SEQ_RETURN_IF_ERROR(file->Sync());
  // The checksums first: from then on the old files are refused, also those of a set that has
  // none.
  std::rotate(files_.begin(), files_.end() - 1, files_.end());
  absl::Status status;  // After an error too: there may be a whole set at the end.
  for (const auto& file : files_) status.Update(file->Commit());
  const std::string labels = absl::StrCat(folder_, "/", kEncodedLabelsFile);
  int error = named ? ENOENT : Remove(labels);
  if (error == 0) error = SyncFolder(folder_);
  if (error != 0 && error != ENOENT) {
    status.Update(SystemError(error, "cannot remove what another set left,", labels));
  }
  return status;
}

absl::StatusOr<EncodedTexts> ReadEncodedTexts(const std::string& folder) {
  const std::string path = absl::StrCat(folder, "/", kEncodedTextsFile);
  SEQ_ASSIGN_OR_RETURN(const std::string json, ReadFile(path, kMaxJsonBytes));
  SEQ_ASSIGN_OR_RETURN(const Checksums checksums, ReadChecksums(folder));
  SEQ_RETURN_IF_ERROR(CheckAgainst(checksums, path, json));
  keras::KerasModel assets;
  SEQ_RETURN_IF_ERROR(Annotate(keras::ReadTextAssets(json, assets), path));
  Model model;
  model.preprocessing = assets.preprocessing;
  EncodedTexts texts{.preprocessing = assets.preprocessing};
  data::Dataset& dataset = texts.dataset;
  dataset.description = folder;
  dataset.labels = assets.labels;
  SEQ_ASSIGN_OR_RETURN(dataset.vocabulary, Annotate(VocabularyOf(model), path));
  const auto classes = static_cast<int64_t>(dataset.labels.size());
  if (classes < 2 || texts.preprocessing.maxlen > data::kMaxMaxlen) {
    return InvalidArgument(path, ": ", classes, " labels or rows of ", texts.preprocessing.maxlen,
                           " codes: expected two labels or more, and at most ", data::kMaxMaxlen);
  }
  data::TokenSet* const sets[] = {&dataset.train, &dataset.validation, &dataset.test};
  for (size_t i = 0; i < std::size(sets); ++i) {
    SEQ_ASSIGN_OR_RETURN(
        *sets[i], ReadPart(folder, kEncodedParts[i], checksums, texts.preprocessing, classes));
  }
  if (dataset.train.rows == 0) return InvalidArgument(folder, ": no rows to train on");
  return texts;
}

}  // namespace seqgraph::tools
