#include "tests/faults/fault_cases.h"

#include <cmath>
#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "data/npy.h"
#include "data/series/series_file.h"
#include "data/testing/test_util.h"
#include "ops/all_ops.h"
#include "serialization/model_io.h"
#include "tests/end_to_end/review_files.h"
#include "tests/testing.h"
#include "tools/encoded_texts.h"

namespace seqgraph {
namespace {

constexpr char kOld[] = "old\n";

const std::vector<std::string>& SeriesTraining() {
  static const auto* const arguments = new std::vector<std::string>{
      "train",      "--data=s.csv", "--task=forecast",     "--window=8",
      "--epochs=1", "--units=4",    "--backend=reference", "--overwrite"};
  return *arguments;
}

// Of a training that was disturbed: each file whole, by itself.
std::string JudgeTraining(const std::string& folder) {
  const absl::StatusOr<Model> model = LoadModel(folder + "/t.pb", AllOps());
  if (!model.ok()) return model.status().ToString();
  const std::string history = data::ReadFileOrDie(folder + "/h.csv");
  const bool whole = absl::StartsWith(history, "epoch") && absl::EndsWith(history, "\n");
  return whole || history == kOld ? "" : "a history that is not whole: " + history;
}

// A part of the new files: no set.
std::string JudgeEncoded(const std::string& folder) {
  const absl::Status status = tools::ReadEncodedTexts(folder + "/encoded").status();
  if (status.ok()) return "files of two sets are taken for one";
  return absl::StrContains(status.message(), "is not the file of checksums.txt")
             ? ""
             : status.ToString();
}

std::vector<std::string> Encoding(int num_words) {
  return {"encode", "--data=tiny.tar.gz", absl::StrCat("--num_words=", num_words), "--maxlen=7",
          "--output=encoded"};
}

}  // namespace

std::string FolderForFaults() {
  const std::string folder = FolderWithTinyModel();
  std::string series = "t,a,b\n", texts = "text,other\n";
  for (int t = 0; t < 60; ++t) absl::StrAppend(&series, t, ",", std::sin(t), ",", t % 7, "\n");
  for (int i = 0; i < 5; ++i) absl::StrAppend(&texts, "\"it was good, ", i, "\",", i, "\n");
  data::WriteFileOrDie(folder + "/s.csv", series);
  data::WriteFileOrDie(folder + "/texts.csv", texts);
  const std::vector<int32_t> tokens(12, 3);
  data::WriteFileOrDie(folder + "/tokens.npy",
                       data::NpyFile(absl::MakeConstSpan(tokens), {2, 6}).value());
  const ProcessOptions options = {.folder = folder};
  for (const auto& arguments : {WithFlags(SeriesTraining(), {"--output=s.pb"}),
                                std::vector<std::string>{"convert", "m.pb", "m.keras"},
                                std::vector<std::string>{"convert", "m.pb", "m.onnx"}}) {
    const ProcessResult result = RunSeqgraph(arguments, options);
    EXPECT_EQ(result.status, 0) << result.err;
  }
  return folder;
}

std::vector<FaultCase> FileCases() {
  std::vector<FaultCase> cases;
  for (const std::string ending : {"pb", "textproto", "keras", "h5", "onnx", "npz"}) {
    cases.push_back({.name = "convert to " + ending,
                     .arguments = {"convert", "m.pb", "out." + ending},
                     .outputs = {{"out." + ending, kOld}}});
  }
  for (const std::string from : {"keras", "onnx"}) {
    cases.push_back({.name = "convert from " + from,
                     .arguments = {"convert", "m." + from, "out.pb"},
                     .outputs = {{"out.pb", kOld}}});
  }
  cases.push_back({.name = "predict of texts",
                   .arguments = {"predict", "m.pb", "--data=texts.csv", "--text_column=text",
                                 "--output=out.csv"},
                   .outputs = {{"out.csv", kOld}}});
  cases.push_back({.name = "predict of series",
                   .arguments = {"predict", "s.pb", "--data=s.csv", "--output=out.csv"},
                   .outputs = {{"out.csv", kOld}}});
  cases.push_back({.name = "run",
                   .arguments = {"run", "m.pb", "--inputs=tokens.npy", "--outputs=out.npz"},
                   .outputs = {{"out.npz", kOld}}});
  cases.push_back({.name = "embed",
                   .arguments = {"embed", "m.pb", "--output=out.h"},
                   .outputs = {{"out.h", kOld}}});
  cases.push_back({.name = "encode of series",
                   .arguments = {"encode", "--data=s.csv", "--column=a,b", "--output=."},
                   .outputs = {{data::kSeriesFile, kOld}}});
  return cases;
}

FaultCase EncodeCase(const std::string& folder) {
  const ProcessResult old = RunSeqgraph(Encoding(8), {.folder = folder});
  EXPECT_EQ(old.status, 0) << old.err;
  FaultCase encode = {.name = "encode", .arguments = Encoding(20), .judge = JudgeEncoded};
  for (const std::string& name : NamesIn(folder + "/encoded")) {
    encode.outputs["encoded/" + name] = data::ReadFileOrDie(folder + "/encoded/" + name);
  }
  return encode;
}

std::vector<FaultCase> TrainCases(const std::string& folder) {
  const std::vector<std::string> flags = {"--output=t.pb", "--history=h.csv", "--overwrite",
                                          "--epochs=2"};
  std::vector<FaultCase> cases;
  cases.push_back({.name = "train on texts",
                   .arguments = WithFlags(TinyTraining("reference"), flags),
                   .outputs = {{"t.pb", data::ReadFileOrDie(folder + "/m.pb")}, {"h.csv", kOld}}});
  cases.push_back({.name = "train on series",
                   .arguments = WithFlags(SeriesTraining(), flags),
                   .outputs = {{"t.pb", data::ReadFileOrDie(folder + "/s.pb")}, {"h.csv", kOld}}});
  for (FaultCase& each : cases) {
    each.judge = JudgeTraining;
    each.same_bytes = false;
  }
  return cases;
}

std::vector<FaultCase> ReadingCases() {
  return {{.name = "explain", .arguments = {"explain", "m.pb"}},
          {.name = "inspect", .arguments = {"inspect", "m.pb"}},
          {.name = "predict", .arguments = {"predict", "m.pb", "it was good"}},
          {.name = "predict on onednn",
           .arguments = {"predict", "m.pb", "--backend=onednn", "--threads=2", "it was good"},
           .on_onednn = true},
          {.name = "evaluate", .arguments = {"evaluate", "m.pb", "--data=tiny.tar.gz"}}};
}

}  // namespace seqgraph
