#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/atomic_file.h"
#include "base/status_macros.h"
#include "data/text_dataset.h"
#include "ops/all_ops.h"
#include "tools/array_match.h"
#include "tools/backend_choice.h"
#include "tools/command.h"
#include "tools/convert/model_formats.h"
#include "tools/data_flags.h"
#include "tools/diff/lockstep.h"
#include "tools/diff/minimal_case.h"
#include "tools/diff/report.h"
#include "tools/import_flags.h"
#include "training/model_builder.h"
#include "training/preprocessing.h"

namespace seqgraph::tools {
namespace {

// One tensor for each input of a function, by name, and the batch that they have.
struct ModelInputs {
  std::map<std::string, Tensor> tensors;
  int64_t batch = 1;
};

// From a file of arrays, as `seqgraph run` takes them (tools/array_match.h).
absl::StatusOr<ModelInputs> InputsFromFile(const Function& function, const std::string& path,
                                           const std::vector<FileArray>& arrays) {
  std::vector<ArrayUse> uses = InputsOf(function);
  MatchArrays(arrays, path, kInputPrefixes, uses);
  const std::string where = absl::StrCat("function ", function.name());
  ModelInputs inputs;
  SEQ_ASSIGN_OR_RETURN(inputs.batch, Annotate(CheckShapes(uses), where));
  std::vector<std::string> rounded;  // As any input of a float32 function.
  for (const ArrayUse& use : uses) {
    SEQ_ASSIGN_OR_RETURN(inputs.tensors[use.name],
                         Annotate(FittedTensor(use, use.type.dtype, &rounded), where));
  }
  return inputs;
}

// `batch` reviews from all over the training split of `data`, encoded by the model's own
// vocabulary, with their labels. InvalidArgument for a function with other inputs than tokens and
// labels, or a model without a vocabulary.
absl::StatusOr<ModelInputs> InputsFromTexts(const Model& model, const Function& function,
                                            const std::string& data, int64_t batch) {
  SEQ_ASSIGN_OR_RETURN(const data::Vocabulary vocabulary,
                       Annotate(VocabularyOf(model), absl::StrCat("model ", model.name)));
  const int64_t maxlen = model.preprocessing.maxlen;
  SEQ_ASSIGN_OR_RETURN(
      const data::TokenSet set,
      data::EncodeTexts(data, data::Split::kTrain, vocabulary, static_cast<int>(maxlen), {}));
  ModelInputs inputs{.batch = std::min(batch, set.rows)};
  // In file order all reviews of one label come first: every so many-th one has both.
  const int64_t stride = set.rows / inputs.batch;
  std::vector<int32_t> tokens;
  std::vector<float> labels;
  for (int64_t i = 0; i < inputs.batch; ++i) {
    const absl::Span<const int32_t> row = set.Row(i * stride);
    tokens.insert(tokens.end(), row.begin(), row.end());
    labels.push_back(static_cast<float>(set.targets[static_cast<size_t>(i * stride)]));
  }
  for (Value value : function.inputs()) {
    const ValueInfo& info = function.info(value);
    if (info.type == TensorType{DType::kInt32, {Dim::Batch(), maxlen}}) {
      inputs.tensors[info.name] =
          Tensor::Of<int32_t>({inputs.batch, maxlen}, absl::MakeConstSpan(tokens));
    } else if (info.name == kLabels &&
               info.type == TensorType{DType::kFloat32, {Dim::Batch(), 1}}) {
      inputs.tensors[info.name] = Tensor::Of<float>({inputs.batch, 1}, absl::MakeConstSpan(labels));
    } else {
      return InvalidArgument("function ", function.name(), " has an input ", info.name, ", ",
                             info.type.ToString(),
                             ", that is neither tokens nor labels of reviews: "
                             "give all inputs with --inputs=FILE.npz");
    }
  }
  return inputs;
}

class DiffCommand : public Command {
 public:
  void Declare(Flags& flags) override {
    flags.InputFile("MODEL", &path_, "A saved model").Required();
    flags.Backends("--backends", &backends_, "FIRST,SECOND",
                   "The one that is taken as given, and the one under suspicion");
    flags.Backends(
        "--rest", &rest_, "NAMES",
        "Who runs, on both sides, the nodes that one of the two does not take; 'none': nobody");
    DeclareBackendSettings(flags);
    Flag data =
        flags.InputPath("--data", &data_, "Reviews to run on: archive, folder, or 'synthetic'",
                        std::string(data::kSyntheticName), [](const std::string& below) {
                          return IsTextBelow(below, data::TextSourceOptions().suffix);
                        });
    flags
        .InputFile("--inputs", &inputs_, "An array for each input of the function instead",
                   "FILE.npz")
        .Excludes(data);
    flags.Int("--batch", &batch_, 1, 1'000'000, "Reviews, with --data");
    flags.Int("--steps", &steps_, 1, 1'000'000, "Calls in a row on the same batch");
    flags.Choice("--mode", &mode_, {"isolated", "chained"},
                 "Each node gets the first backend's values, or its own backend's");
    flags.Text("--function", &function_, "NAME", "By default train_step, or else the first one");
    flags.Int("--threads", &threads_, 1, 1024, "Threads");
    DeclarePasses(flags, &passes_);
    import_.Declare(flags);
    flags.OutputFile("--case", &case_, "Where a graph test case that shows a fault is written");
    flags.Footer(
        "Runs both backends node by node: forward, backward and updates of each step. A node is\n"
        "compared with its op in double on the same inputs, under the bound of its roundings, and\n"
        "every buffer lies between known bytes. The first node beyond its bound, or that writes\n"
        "outside of its buffers, ends the run, with exit status 1 and a minimal case for\n"
        "`seqgraph test`.\n\nExamples:\n"
        "  seqgraph diff imdb-embedding.pb --backends=onednn,reference");
  }

  absl::StatusOr<int> Run(Output& out) override {
    std::vector<std::string> names = absl::StrSplit(backends_, ',');
    if (names.size() != 2) {
      return InvalidArgument("--backends needs two, FIRST,SECOND; got ", backends_);
    }
    std::vector<std::string> rest;
    if (rest_ != "none") rest = absl::StrSplit(rest_, ',');
    for (const std::string& name : rest) {
      if (!absl::c_linear_search(names, name)) names.push_back(name);
    }
    const std::string all = absl::StrJoin(names, ",");
    SEQ_RETURN_IF_ERROR(CheckBackendNames(all));
    SEQ_ASSIGN_OR_RETURN(PassList passes, ChoosePasses(passes_));
    if (!inputs_.empty()) {
      SEQ_ASSIGN_OR_RETURN(arrays_, ReadArrayFile(inputs_));
    }
    SEQ_ASSIGN_OR_RETURN(const Model model, ReadModel());
    SEQ_ASSIGN_OR_RETURN(const Function* function, ChooseFunction(model, function_));
    SEQ_ASSIGN_OR_RETURN(const ModelInputs inputs,
                         inputs_.empty() ? InputsFromTexts(model, *function, data_, batch_)
                                         : InputsFromFile(*function, inputs_, arrays_));
    SEQ_ASSIGN_OR_RETURN(const BackendSelection selection,
                         ChooseBackends(all, {{function, inputs.batch}}, passes));
    const std::vector<const Backend*> backends = ListOf(selection);
    diff::LockstepOptions options{
        .first = backends[0],
        .second = backends[1],
        .mode = mode_ == "chained" ? diff::Mode::kChained : diff::Mode::kIsolated,
        .steps = steps_,
        .threads = static_cast<int>(threads_),
        .passes = std::move(passes)};
    for (const std::string& name : rest) {
      options.rest.push_back(backends[absl::c_find(names, name) - names.begin()]);
    }
    SEQ_ASSIGN_OR_RETURN(
        const diff::LockstepResult result,
        diff::RunLockstep(model, *function, inputs.batch, inputs.tensors, AllOps(), options));
    out.Print("function %s, batch %d, %d steps, %s, %s against %s\n", function->name(),
              inputs.batch, steps_, mode_, backends[1]->info().name, backends[0]->info().name);
    out.Write(diff::ReportText(result, options));
    if (!result.fault.has_value()) {
      out.Write("All nodes are within their bounds.\n");
      return 0;
    }
    SEQ_RETURN_IF_ERROR(WriteCase(result, options, out));
    return 1;
  }

 private:
  // What the file leaves open is that of the arrays, but for what flags say.
  absl::StatusOr<Model> ReadModel() {
    SEQ_ASSIGN_OR_RETURN(FormatOptions options, import_.Options(path_));
    if (!options.keras.read.time.has_value()) options.keras.read.time = LengthOf(arrays_);
    if (!arrays_.empty()) {
      options.arrays = [this](const std::vector<std::string>& names) {
        std::vector<ArrayUse> uses(names.size());
        for (size_t i = 0; i < names.size(); ++i) uses[i].name = names[i];
        MatchArrays(arrays_, inputs_, kInputPrefixes, uses);
        std::vector<const Tensor*> tensors;
        for (const ArrayUse& use : uses) {
          tensors.push_back(use.array != nullptr ? &use.array->tensor : nullptr);
        }
        return tensors;
      };
    }
    SEQ_ASSIGN_OR_RETURN(ConvertedModel read, ReadAnyModel(path_, options));
    for (const std::string& note : read.notes) {
      std::fprintf(stderr, "seqgraph: note: %s\n", note.c_str());
    }
    return std::move(read.model);
  }

  absl::Status WriteCase(const diff::LockstepResult& result, const diff::LockstepOptions& options,
                         Output& out) const {
    SEQ_ASSIGN_OR_RETURN(
        const std::optional<diff::MinimalCase> found,
        diff::FindMinimalCase(result, AllOps(), options,
                              absl::StrCat("seqgraph diff, from function ", result.function.name(),
                                           " of a model; exact values in double")));
    if (!found.has_value()) {
      out.Write("No smaller case than the whole function shows it: none was written.\n");
      return absl::OkStatus();
    }
    SEQ_RETURN_IF_ERROR(AtomicWriteFile(case_, GraphTestToText(found->test)));
    out.Write(diff::CaseText(result, options, *found, case_));
    return absl::OkStatus();
  }

  ImportFlags import_;
  std::string path_;
  std::string backends_ = "reference,onednn", rest_ = "reference";
  std::string data_ = std::string(data::kSyntheticName);
  std::string inputs_;
  std::vector<FileArray> arrays_;  // of `inputs_`
  int64_t batch_ = 64;
  int64_t steps_ = 1;
  std::string mode_ = "isolated";
  std::string function_;
  int64_t threads_ = 1;
  std::string passes_ = "all";
  std::string case_ = "diff.textproto";
};

}  // namespace

CommandDef DefineDiff() {
  return DefineCommand<DiffCommand>(
      "diff", "The node where two backends part, and a minimal case that shows it");
}

}  // namespace seqgraph::tools
