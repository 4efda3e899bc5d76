#include "tools/encoded_texts.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/crc32c.h"
#include "base/status_macros.h"
#include "base/temporary_file.h"
#include "data/npy.h"
#include "serialization/keras/config.h"
#include "serialization/keras/text_assets.h"
#include "training/preprocessing.h"

namespace seqgraph::tools {
namespace {

constexpr int64_t kMaxJsonBytes = int64_t{1} << 30;
constexpr char kChecks[] = "checks";

// By the file's name.
using Checks = std::map<std::string, uint32_t>;

// As Keras's files have it, and what they need not.
std::string EncodedTextsJson(const data::Dataset& dataset, const TextPreprocessing& columns,
                             const Checks& checks) {
  Model model;
  SetPreprocessing(dataset, model);
  model.preprocessing.text_column = columns.text_column;
  model.preprocessing.label_column = columns.label_column;
  keras::KerasModel assets;
  assets.preprocessing = model.preprocessing;
  assets.labels = model.labels;
  auto json = keras::OrderedJson::parse(keras::TextAssetsJson(assets));
  json[kChecks] = checks;
  return keras::JsonText(json);
}

// Takes them out of the JSON, which is then as Keras's files have it. Empty: of before there were
// any.
absl::StatusOr<Checks> TakeChecks(std::string& json) {
  SEQ_ASSIGN_OR_RETURN(keras::Json parsed, keras::ParseJson(json));
  Checks checks;
  if (!parsed.is_object() || !parsed.contains(kChecks)) return checks;
  for (const auto& [name, check] : parsed[kChecks].items()) {
    if (!check.is_number_unsigned()) return InvalidArgument(kChecks, ": expected numbers");
    checks[name] = check.get<uint32_t>();
  }
  parsed.erase(kChecks);
  json = parsed.dump();
  return checks;
}

// A file of the folder, if it is the one that the check sums are of.
absl::StatusOr<data::NpyArray> ReadArray(const std::string& folder, const std::string& name,
                                         const Checks& checks) {
  const std::string path = absl::StrCat(folder, "/", name);
  SEQ_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path, data::kMaxNpyBytes));
  const auto check = checks.find(name);
  if (check != checks.end() && check->second != Crc32c(bytes)) {
    return DataLoss(path, " is not of the set that ", kEncodedTextsFile,
                    " beside it tells of: `encode` was cut off, or the file was changed since; "
                    "encode again (without \"",
                    kChecks, "\" there any array is taken)");
  }
  return data::ParseNpy(bytes, path);
}

absl::StatusOr<std::vector<int32_t>> ReadNumbers(const std::string& folder, const std::string& name,
                                                 const Checks& checks, size_t rank,
                                                 int64_t last_extent, int64_t limit) {
  const std::string path = absl::StrCat(folder, "/", name);
  SEQ_ASSIGN_OR_RETURN(const data::NpyArray array, ReadArray(folder, name, checks));
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
                                        const Checks& checks, const TextPreprocessing& text,
                                        int64_t classes) {
  data::TokenSet set;
  set.maxlen = static_cast<int>(text.maxlen);
  SEQ_ASSIGN_OR_RETURN(set.tokens, ReadNumbers(folder, absl::StrCat(part, "_tokens.npy"), checks, 2,
                                               text.maxlen, text.num_words));
  const std::string targets = absl::StrCat(part, "_targets.npy");
  SEQ_ASSIGN_OR_RETURN(set.targets, ReadNumbers(folder, targets, checks, 1, 0, classes));
  set.rows = static_cast<int64_t>(set.targets.size());
  if (set.rows * text.maxlen != static_cast<int64_t>(set.tokens.size())) {
    return InvalidArgument(folder, "/", targets, ": ", set.rows, " targets of ",
                           static_cast<int64_t>(set.tokens.size()) / text.maxlen, " rows");
  }
  const data::Split split = part == "test" ? data::Split::kTest : data::Split::kTrain;
  for (int64_t row = 0; row < set.rows; ++row) {
    set.ids.push_back({split, set.targets[static_cast<size_t>(row)], absl::StrCat(part, " ", row)});
  }
  return set;
}

}  // namespace

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
  absl::StrAppend(&lines_, path, ": ", what, "\n");
  return absl::OkStatus();
}

absl::Status EncodedTextsWriter::AddArray(const std::string& name,
                                          absl::Span<const int32_t> elements,
                                          absl::Span<const int64_t> shape) {
  SEQ_ASSIGN_OR_RETURN(const std::string file, data::NpyFile(elements, shape));
  checks_[name] = Crc32c(file);
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
  SEQ_RETURN_IF_ERROR(Add(kEncodedTextsFile, EncodedTextsJson(dataset, columns, checks_),
                          absl::StrCat(dataset.vocabulary.size(), " words")));
  for (const auto& file : files_) SEQ_RETURN_IF_ERROR(file->Sync());
  // The check sums first: from then on the old arrays are refused, also those of a set that has
  // none.
  std::rotate(files_.begin(), files_.end() - 1, files_.end());
  absl::Status status;  // After an error too: there may be a whole set at the end.
  for (const auto& file : files_) status.Update(file->Commit());
  const std::string labels = absl::StrCat(folder_, "/", kEncodedLabelsFile);
  const int error = named ? 0 : Remove(labels);
  if (error != 0 && error != ENOENT) {
    status.Update(SystemError(error, "cannot remove what another set left,", labels));
  }
  return status;
}

absl::StatusOr<EncodedTexts> ReadEncodedTexts(const std::string& folder) {
  const std::string path = absl::StrCat(folder, "/", kEncodedTextsFile);
  SEQ_ASSIGN_OR_RETURN(std::string json, ReadFile(path, kMaxJsonBytes));
  SEQ_ASSIGN_OR_RETURN(const Checks checks, Annotate(TakeChecks(json), path));
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
    SEQ_ASSIGN_OR_RETURN(*sets[i],
                         ReadPart(folder, kEncodedParts[i], checks, texts.preprocessing, classes));
  }
  if (dataset.train.rows == 0) return InvalidArgument(folder, ": no rows to train on");
  return texts;
}

}  // namespace seqgraph::tools
