#include "tools/file_kinds.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/atomic_file.h"
#include "base/status_macros.h"
#include "base/zip.h"
#include "data/data_cache.h"
#include "data/npy.h"
#include "data/series/series_file.h"
#include "ops/all_ops.h"
#include "serialization/hdf5/reader.h"
#include "serialization/model_io.h"
#include "serialization/model_parts.h"
#include "serialization/records.h"
#include "stream/stream.h"
#include "tools/convert/model_formats.h"
#include "tools/encoded_texts.h"

namespace seqgraph::tools {
namespace {

using State = FileReport::State;

bool EndsInOneOf(absl::string_view name, std::initializer_list<absl::string_view> endings) {
  return std::any_of(endings.begin(), endings.end(),
                     [name](absl::string_view ending) { return absl::EndsWith(name, ending); });
}

// What a power cut leaves of a file that was never written out: nothing, or zeros.
bool IsBlank(const FileSigns& signs) {
  return signs.start.find_first_not_of('\0') == std::string::npos;
}

// Whether most of the first bytes are these.
bool NearlyBegins(const FileSigns& signs, absl::string_view start) {
  size_t equal = 0;
  for (size_t i = 0; i < std::min(start.size(), signs.start.size()); ++i) {
    equal += signs.start[i] == start[i] ? 1 : 0;
  }
  return 2 * equal > start.size();
}

std::string Counted(int64_t count, absl::string_view what) {
  return absl::StrCat(count, " ", what, count == 1 ? "" : "s");
}

std::string ModelText(const Model& model) {
  return absl::StrCat(Counted(static_cast<int64_t>(model.functions.size()), "function"), ", ",
                      Counted(static_cast<int64_t>(model.variables.all().size()), "variable"));
}

// --- Models of ours.

bool IsBinaryModel(const FileSigns& signs) {
  return NearlyBegins(signs, kBinaryModelStart) ||
         (absl::EndsWith(signs.name, ".pb") && IsBlank(signs));
}

bool IsTextModel(const FileSigns& signs) {
  return absl::StrContains(signs.start, "magic: \"seqgraph model\"") ||
         NearlyBegins(signs, "# proto-file: serialization/model.proto") ||
         (absl::EndsWith(signs.name, ".textproto") && IsBlank(signs));
}

std::string SealText(ModelSeal seal) {
  switch (seal) {
    case ModelSeal::kFits:
      return "the checksum is right";
    case ModelSeal::kDiffers:
      return "the checksum is wrong: what can be read may be so too";
    case ModelSeal::kMissing:
      return "there is no checksum";
  }
  return "";
}

FileReport ReportOfParts(const absl::Status& status, const ModelParts& found) {
  FileReport report = ReportOf(status, "");
  // What this program does not know is no damage where the checksum vouches for it.
  if (found.seal == ModelSeal::kFits && report.state == State::kUnknown) {
    report.state = State::kWhole;
    report.what = absl::StrCat("format version ", found.version, ", checksum right, though ",
                               std::exchange(report.wrong, ""));
    return report;
  }
  if (found.version > 0) report.parts.push_back(absl::StrCat("format version ", found.version));
  report.parts.push_back(SealText(found.seal));
  for (const ModelPart& part : found.parts) {
    report.parts.push_back(absl::StrCat(part.name, ": ", part.readable, " of ", part.found,
                                        " can be read", part.first_wrong.empty() ? "" : "; ",
                                        part.first_wrong));
  }
  if (!found.end.empty()) report.parts.push_back(absl::StrCat("then: ", found.end));
  return report;
}

template <ModelFormat kFormat>
FileReport CheckModel(const std::string& path) {
  const absl::StatusOr<std::string> bytes = ReadFile(path, kMaxModelBytes);
  if (!bytes.ok()) return ReportOf(bytes.status(), "");
  std::vector<SelfTest> self_tests;
  const absl::StatusOr<Model> model = ParseModel(*bytes, kFormat, AllOps(), &self_tests);
  if (!model.ok()) {
    // An op that is not known here is found missing, but nothing of the file is.
    const absl::Status status = absl::IsNotFound(model.status())
                                    ? absl::UnimplementedError(model.status().message())
                                    : model.status();
    return ReportOfParts(status, FindModelParts(*bytes, kFormat, AllOps()));
  }
  std::string what = ModelText(*model);
  if (!self_tests.empty()) {
    absl::StrAppend(&what, ", ", Counted(static_cast<int64_t>(self_tests.size()), "self-test"));
  }
  if (UnsealModel(*bytes, kFormat).seal == ModelSeal::kMissing) what += ", without a checksum";
  return {.what = std::move(what)};
}

// What `seqgraph embed` wrote: a C array with the bytes of a model.
bool IsEmbeddedModel(const FileSigns& signs) {
  return absl::StrContains(signs.start, ", by `seqgraph embed`: a model in ");
}

absl::StatusOr<Model> ReadEmbeddedModel(const std::string& path) {
  SEQ_ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kMaxModelBytes));
  const size_t begin = text.find("] = {"), end = text.find("};", begin);
  if (begin == std::string::npos || end == std::string::npos || !absl::EndsWith(text, "#endif\n")) {
    return DataLoss(path, ": the array of the model, or the file, does not begin or does not end");
  }
  const absl::string_view numbers = absl::string_view(text).substr(begin + 5, end - begin - 5);
  std::string bytes;
  for (const absl::string_view number : absl::StrSplit(numbers, ',')) {
    int byte = 0;
    if (absl::SimpleAtoi(number, &byte) && byte >= 0 && byte < 256) {
      bytes += static_cast<char>(byte);
    } else if (number.find_first_not_of(" \n\r\t") != absl::string_view::npos) {
      return DataLoss(path, ": number ", bytes.size() + 1, " of the array is no byte");
    }
  }
  return Annotate(ParseModel(bytes, ModelFormat::kBinary, AllOps()), path);
}

FileReport CheckEmbeddedModel(const std::string& path) {
  const absl::StatusOr<Model> model = ReadEmbeddedModel(path);
  return ReportOf(model.status(), model.ok() ? ModelText(*model) : "");
}

// --- Models of others.

bool IsKeras(const FileSigns& signs) { return absl::EndsWith(signs.name, ".keras"); }
bool IsHdf5(const FileSigns& signs) { return EndsInOneOf(signs.name, {".h5", ".hdf5"}); }
bool IsOnnx(const FileSigns& signs) { return absl::EndsWith(signs.name, ".onnx"); }

FileReport CheckForeignModel(const std::string& path) {
  const absl::StatusOr<ConvertedModel> read = ReadAnyModel(path);
  return ReportOf(read.status(), read.ok() ? ModelText(read->model) : "");
}

// Files of a zip, which has a checksum of each, up to the first that is damaged.
FileReport CheckKeras(const std::string& path) {
  std::vector<std::string> whole;
  const absl::Status zip =
      ForEachInZipFile(path, int64_t{4} << 30, [&whole](const std::string& name, std::string) {
        whole.push_back(absl::StrCat(name, ": whole"));
        return absl::OkStatus();
      });
  FileReport report = zip.ok() ? CheckForeignModel(path) : ReportOf(zip, "");
  if (report.state != State::kWhole) report.parts = std::move(whole);
  return report;
}

// The tree of a file, and the model in it if there is a whole one.
FileReport CheckHdf5(const std::string& path) {
  const absl::StatusOr<std::string> bytes = ReadFile(path, kMaxModelBytes);
  if (!bytes.ok()) return ReportOf(bytes.status(), "");
  const absl::StatusOr<hdf5::Node> root = hdf5::ReadTree(*bytes);
  if (!root.ok()) return ReportOf(Annotate(root.status(), path), "");
  if (root->FindAttribute("model_config") == nullptr) return {.what = "arrays, no whole model"};
  FileReport report = CheckForeignModel(path);
  if (report.state != State::kWhole) report.parts = {"groups and arrays: can be read"};
  return report;
}

// --- Data.

bool IsCacheFile(const FileSigns& signs) { return DataCache::IsNameOfFile(signs.name); }

FileReport CheckCacheFile(const std::string& path) {
  return ReportOf(DataCache::CheckFile(path), "checksums right; a damaged one is made anew");
}

// texts.json of a set that `encode` wrote, or a list of the set's checksums: the whole set.
bool IsEncodedSet(const FileSigns& signs) { return signs.name == kEncodedTextsFile; }

std::string FolderOfFile(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

FileReport CheckEncodedSet(const std::string& path) {
  const absl::StatusOr<EncodedTexts> set = ReadEncodedTexts(FolderOfFile(path));
  if (!set.ok()) return ReportOf(set.status(), "");
  const data::Dataset& d = set->dataset;
  return {.what = absl::StrCat(d.train.rows, ", ", d.validation.rows, " and ", d.test.rows,
                               " rows, ", d.vocabulary.size(), " words")};
}

bool IsChecksums(const FileSigns& signs) { return signs.name == kChecksumsFile; }

FileReport CheckChecksums(const std::string& path) {
  const std::string folder = FolderOfFile(path);
  const absl::StatusOr<Checksums> checksums = ReadChecksums(folder);
  if (!checksums.ok()) return ReportOf(checksums.status(), "");
  FileReport report{.what = Counted(static_cast<int64_t>(checksums->size()), "file")};
  for (const auto& [name, sum] : *checksums) {
    // Names are a stranger's: only files of this folder are looked at.
    const bool inside = !absl::StrContains(name, '/') && name != "..";
    const std::string beside = absl::StrCat(folder, "/", name);
    const absl::StatusOr<std::string> bytes =
        inside ? ReadFile(beside, data::kMaxNpyBytes) : DataLoss(path, ": it names ", name);
    const absl::Status status =
        bytes.ok() ? CheckAgainst(*checksums, beside, *bytes) : bytes.status();
    report.parts.push_back(absl::StrCat(name, ": ", status.ok() ? "whole" : "damaged"));
    if (!status.ok() && report.wrong.empty()) {
      report.wrong = std::string(status.message());
      report.state = ReportOf(status, "").state;
    }
  }
  if (report.state == State::kWhole) report.parts.clear();
  return report;
}

bool IsNpy(const FileSigns& signs) { return absl::EndsWith(signs.name, ".npy"); }

FileReport CheckNpy(const std::string& path) {
  const absl::StatusOr<data::NpyArray> array = data::ReadNpy(path);
  return ReportOf(array.status(), array.ok() ? absl::StrCat(array->size(), " numbers") : "");
}

bool IsNpz(const FileSigns& signs) { return absl::EndsWith(signs.name, ".npz"); }

FileReport CheckNpz(const std::string& path) {
  const auto arrays = data::ReadNpz(path);
  const auto count = arrays.ok() ? static_cast<int64_t>(arrays->size()) : 0;
  return ReportOf(arrays.status(), Counted(count, "array"));
}

bool IsSeries(const FileSigns& signs) {
  return signs.name == data::kSeriesFile || absl::StrContains(signs.start, "\"seqgraph.series\"");
}

FileReport CheckSeries(const std::string& path) {
  return ReportOf(data::CheckSeriesFile(path), "checksums right");
}

// --- States.

constexpr int64_t kMostStateBytes = int64_t{16} << 30;

bool IsStreamState(const FileSigns& signs) { return NearlyBegins(signs, "SEQSTATE"); }

FileReport CheckStreamState(const std::string& path) {
  const absl::StatusOr<std::string> bytes = ReadFile(path, kMostStateBytes);
  if (!bytes.ok()) return ReportOf(bytes.status(), "");
  const absl::StatusOr<int64_t> count = Stream::CountSaved(*bytes);
  return ReportOf(Annotate(count, path).status(), count.ok() ? Counted(*count, "stream") : "");
}

// Of a training run: values, each with a checksum of its own.
bool IsRunState(const FileSigns& signs) {
  return NearlyBegins(signs, "SEQREC1\n") ||
         (absl::EndsWith(signs.name, ".seqrun") && IsBlank(signs));
}

FileReport CheckRunState(const std::string& path) {
  const absl::StatusOr<std::string> bytes = ReadFile(path, kMostStateBytes);
  if (!bytes.ok()) return ReportOf(bytes.status(), "");
  const RecordsRead read = DecodeRecords(*bytes);
  const std::string values = Counted(static_cast<int64_t>(read.records.all().size()), "value");
  FileReport report = ReportOf(Annotate(read.status, path), values);
  if (!read.status.ok()) report.parts.push_back(absl::StrCat(values, " can be read"));
  return report;
}

// What is told by its name comes before what is told by its content: a cache's record of a file
// begins as a stream's state does.
constexpr FileKind kKinds[] = {
    {"data cache", IsCacheFile, CheckCacheFile},
    {"encoded texts", IsEncodedSet, CheckEncodedSet},
    {"checksums", IsChecksums, CheckChecksums},
    {"series", IsSeries, CheckSeries},
    {"model", IsBinaryModel, CheckModel<ModelFormat::kBinary>},
    {"model as text", IsTextModel, CheckModel<ModelFormat::kText>},
    {"embedded model", IsEmbeddedModel, CheckEmbeddedModel},
    {"stream state", IsStreamState, CheckStreamState},
    {"run state", IsRunState, CheckRunState},
    {"Keras model", IsKeras, CheckKeras},
    {"HDF5", IsHdf5, CheckHdf5},
    {"ONNX model", IsOnnx, CheckForeignModel},
    {"array", IsNpy, CheckNpy},
    {"arrays", IsNpz, CheckNpz},
};

}  // namespace

FileReport ReportOf(const absl::Status& status, std::string what) {
  if (status.ok()) return {.what = std::move(what)};
  const bool damaged =
      absl::IsInvalidArgument(status) || absl::IsDataLoss(status) || absl::IsNotFound(status);
  return {.state = damaged ? State::kDamaged : State::kUnknown,
          .wrong = std::string(status.message())};
}

absl::Span<const FileKind> FileKinds() { return kKinds; }

absl::StatusOr<const FileKind*> KindOfFile(const std::string& path) {
  FileSigns signs{.name = std::filesystem::path(path).filename().string()};
  SEQ_ASSIGN_OR_RETURN(signs.start, ReadFileStart(path, FileSigns::kStartBytes));
  for (const FileKind& kind : kKinds) {
    if (kind.is(signs)) return &kind;
  }
  return nullptr;
}

}  // namespace seqgraph::tools
