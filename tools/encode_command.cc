#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "data/series/series_file.h"
#include "data/text_dataset.h"
#include "tools/command.h"
#include "tools/data_flags.h"
#include "tools/encoded_texts.h"
#include "tools/output_path.h"
#include "tools/series_data.h"
#include "tools/series_flags.h"

namespace seqgraph::tools {
namespace {

class EncodeCommand : public Command {
 public:
  void Declare(Flags& flags) override {
    flags.Group("Data");
    flags_.DeclareSource(flags);
    flags_.DeclareTestData(flags);
    flags_.DeclareEncoding(flags);
    flags.Group("Series of numbers");
    series_.DeclareColumns(flags, flags_);
    flags.Group("Running");
    flags.Int("--threads", &threads_, 0, 1024, "Threads to read with; 0: one a processor, up to 4");
    flags
        .OutputFolder("--output", &folder_, "Where the files go; made if it is missing",
                      {"train_tokens.npy", "train_targets.npy", "validation_tokens.npy",
                       "validation_targets.npy", "test_tokens.npy", "test_targets.npy",
                       kEncodedLabelsFile, kEncodedTextsFile, kChecksumsFile, data::kSeriesFile})
        .Required();
    flags.Footer(
        "Writes train_tokens.npy, train_targets.npy, and the same for validation and test "
        "(int32).\n"
        "Training reviews are shuffled and split as by Keras and scikit-learn; test reviews are "
        "in\n"
        "file order, without the words that no training review has. What the targets mean is\n"
        "printed, and with other classes than negative and positive written to labels.txt, one a\n"
        "line. texts.json holds the vocabulary, checksums.txt tells damage and files of another "
        "set:\n"
        "who changes one removes it. `train` and `evaluate` take the folder as --data.\n"
        "Series of numbers are written to series.safetensors, whole, with their labels and names:\n"
        "however many they are, training on the folder takes little memory.\n\nExamples:\n"
        "  seqgraph encode --data=aclImdb_v1.tar.gz --output=integers; seqgraph train "
        "--data=integers");
  }

  absl::StatusOr<int> Run(Output& out) override {
    return series_.Wanted(flags_) ? EncodeSeries(out) : EncodeTexts(out);
  }

 private:
  absl::StatusOr<int> EncodeSeries(Output& out) {
    SEQ_ASSIGN_OR_RETURN(data::SeriesSourceOptions source, series_.Source(flags_));
    source.threads = static_cast<int>(threads_);
    SEQ_ASSIGN_OR_RETURN(const data::SeriesSet set, data::ReadSeries(flags_.data, source));
    out.Write(SeriesLines(set));
    SEQ_RETURN_IF_ERROR(MakeOutputFolder("--output", folder_));
    const std::string path = absl::StrCat(folder_, "/", data::kSeriesFile);
    SEQ_RETURN_IF_ERROR(data::WriteSeries(set, source, path));
    out.Print("%s: %d steps\n", path, set.num_steps());
    return 0;
  }

  absl::StatusOr<int> EncodeTexts(Output& out) {
    data::DatasetOptions options = flags_.Options();
    if (!options.csv.number_columns.empty()) {
      return InvalidArgument(
          "--numeric_columns: what is written are tokens alone; train takes the ", "table itself");
    }
    options.threads = static_cast<int>(threads_);
    const std::optional<DataCache> cache = flags_.Cache();
    DataOrigin origin;
    SEQ_ASSIGN_OR_RETURN(
        const data::Dataset dataset,
        LoadDatasetCached(flags_.data, options, cache ? &*cache : nullptr, &origin));
    out.Write(OriginLine(origin));
    SEQ_RETURN_IF_ERROR(MakeOutputFolder("--output", folder_));
    EncodedTextsWriter writer(folder_);
    SEQ_RETURN_IF_ERROR(Add("train", dataset.train, writer));
    SEQ_RETURN_IF_ERROR(Add("validation", dataset.validation, writer));
    SEQ_RETURN_IF_ERROR(Add("test", dataset.test, writer));
    TextPreprocessing columns;
    flags_.KeepColumns(columns);
    SEQ_RETURN_IF_ERROR(writer.Commit(dataset, columns));
    out.Write(writer.lines());
    return 0;
  }

  static absl::Status Add(absl::string_view part, const data::TokenSet& set,
                          EncodedTextsWriter& writer) {
    SEQ_RETURN_IF_ERROR(
        writer.AddArray(absl::StrCat(part, "_tokens.npy"), set.tokens, {set.rows, set.maxlen}));
    return writer.AddArray(absl::StrCat(part, "_targets.npy"), set.targets, {set.rows});
  }

  DataFlags flags_;
  SeriesFlags series_;
  std::string folder_;
  int64_t threads_ = 0;
};

}  // namespace

CommandDef DefineEncode() {
  return DefineCommand<EncodeCommand>(
      "encode",
      "Write what a model is trained on: integers of texts, series as a file that is mapped");
}

}  // namespace seqgraph::tools
