#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "base/atomic_file.h"
#include "base/status_macros.h"
#include "base/zip.h"
#include "graph/compare.h"
#include "tools/array_files.h"
#include "tools/array_match.h"
#include "tools/backend_choice.h"
#include "tools/backend_line.h"
#include "tools/batched_run.h"
#include "tools/command.h"
#include "tools/convert/model_formats.h"
#include "tools/import_flags.h"
#include "tools/profile/profile_flag.h"
#include "tools/tested_model.h"
#include "tools/text_table.h"
#include "training/keras/keras_import.h"
#include "training/model_builder.h"
#include "training/model_runner.h"

namespace seqgraph::tools {
namespace {

constexpr int64_t kDefaultBatch = 64;

// The arrays of a file, and where they are from.
struct ReadFileArrays {
  std::string path;
  std::vector<FileArray> arrays;
};

void Note(absl::string_view text) {
  std::fprintf(stderr, "seqgraph: note: %s\n", std::string(text).c_str());
}

void NoteUnused(const ReadFileArrays& file, absl::Span<const std::string> also_used,
                absl::Span<const ArrayUse> uses) {
  std::vector<std::string> unused;
  for (std::string& name : UnusedArrays(file.arrays, uses)) {
    if (absl::c_linear_search(also_used, name)) continue;
    unused.push_back(name.empty() ? "its array" : std::move(name));
  }
  if (unused.empty()) return;
  Note(absl::StrCat(file.path, ": not used: ", absl::StrJoin(unused, ", ")));
}

// "0.25 1 -3.5 ...": the first elements.
std::string FirstValues(const std::vector<double>& values) {
  constexpr size_t kShown = 4;
  std::string text;
  for (size_t i = 0; i < std::min(values.size(), kShown); ++i) {
    absl::StrAppendFormat(&text, "%s%.6g", i > 0 ? " " : "", values[i]);
  }
  return values.size() > kShown ? text + " ..." : text;
}

std::string SummaryOf(absl::Span<const ArrayUse> results, const std::vector<Tensor>& tensors) {
  TextTable table({"output", "type", "least", "largest", "first values"});
  std::string notes;
  for (size_t i = 0; i < results.size(); ++i) {
    const Tensor real = tensors[i].Cast(DType::kFloat64);
    const std::vector<double> values(real.Elements<double>().begin(),
                                     real.Elements<double>().end());
    double least = std::numeric_limits<double>::infinity(), largest = -least;
    int64_t odd = 0;
    for (const double value : values) {
      if (!std::isfinite(value)) {
        ++odd;
        continue;
      }
      least = std::min(least, value);
      largest = std::max(largest, value);
    }
    const bool any = least <= largest;
    table.AddRow({results[i].name, tensors[i].type().ToString(),
                  any ? absl::StrFormat("%.6g", least) : "-",
                  any ? absl::StrFormat("%.6g", largest) : "-", FirstValues(values)});
    if (odd == 0) continue;
    absl::StrAppend(&notes, results[i].name, ": ", odd, " of ", values.size(),
                    " values are infinite or not numbers\n");
  }
  return table.Text(2, 3) + notes;
}

class RunCommand : public Command {
 public:
  void Declare(Flags& flags) override {
    flags.InputFile("MODEL", &path_, "A model: of seqgraph, .keras, .h5 or .onnx as it is")
        .Required();
    flags.InputFile("--inputs", &inputs_, "Arrays for the function's inputs (.npz; one: .npy, CSV)",
                    "FILE.npz");
    flags.NamedInputFiles("--input", &named_, "An array for one input, .npy or CSV; repeatable");
    flags.OutputFile("--outputs", &outputs_, "Where the results are written, by name (.npz)");
    flags.InputFile("--compare", &compare_, "What the results are to be", "FILE.npz");
    flags.Number(
        "--tolerance", &tolerance_, [](double x) { return x >= 0; }, "a number of at least 0",
        absl::StrFormat("%g", tolerance_), "How far a result may be from --compare");
    flags.Text("--function", &function_, "NAME", "By default predict, or else the first one");
    batch_flag_ = flags.Int("--batch", &batch_, 1, 1'000'000,
                            "Rows computed together; without it all where a result belongs to the\n"
                            "batch as a whole, as a loss does");
    import_.Declare(flags);
    backend_.Declare(flags);
    self_test_.Declare(flags);
    profile_.Declare(flags);
    flags.Footer(
        "Arrays go by the names of inputs; if a file has none of these, by order: x0, x1, ..., or\n"
        "in0, in1, ..., or arr_0, arr_1, ..., or x for one; those of --compare by the names of\n"
        "results, or y0, y1, ..., out0, out1, ..., y. In CSV a line is a sample, with all of its\n"
        "numbers; or a step, with as many columns as an input [time, features] has features.\n"
        "Exit status 1 if a result is further from --compare than --tolerance says.");
  }

  absl::StatusOr<int> Run(Output& out) override {
    return profile_.Around("run", [&] { return RunFunction(out); });
  }

 private:
  absl::StatusOr<int> RunFunction(Output& out) {
    if (!outputs_.empty() && !absl::EndsWith(outputs_, ".npz")) {
      return InvalidArgument("--outputs=", outputs_, ": the name must end in .npz");
    }
    SEQ_RETURN_IF_ERROR(ReadFiles());
    SEQ_ASSIGN_OR_RETURN(ConvertedModel converted, ReadModel());
    SEQ_ASSIGN_OR_RETURN(const Function* function, FunctionOf(converted.model));
    const std::vector<ArrayUse> results = ResultsOf(*function);
    SEQ_ASSIGN_OR_RETURN(const std::vector<Tensor> inputs, MatchInputs(*function, results));
    SEQ_RETURN_IF_ERROR(ChooseBatch(results));
    const std::string name = function->name();
    const int64_t rest = rows_ % batch_;
    std::vector<NamedCall> calls = {{name, std::min(batch_, rows_)}};
    if (rows_ > batch_ && rest > 0) calls.push_back({name, rest});
    if (!self_test_.on()) converted.self_tests.clear();
    SEQ_ASSIGN_OR_RETURN(TestedModel tested,
                         TestModel(std::move(converted.model), converted.self_tests, path_,
                                   backend_, calls, profile_.trace()));
    SEQ_ASSIGN_OR_RETURN(const PassList passes, ChoosePasses(backend_.passes));
    RunnerOptions options = RunOn(tested.backends, backend_.threads, passes);
    options.profile = profile_.profile();
    ModelRunner runner(&tested.model, std::move(options));
    SEQ_ASSIGN_OR_RETURN(function, tested.model.GetFunction(name));
    const InterruptIfProfiling interrupt(profile_.profile() != nullptr);
    const absl::StatusOr<std::vector<Tensor>> computed =
        RunInBatches(runner, *function, inputs, {rows_, batch_, interrupt.flag()});
    if (absl::IsCancelled(computed.status())) return interrupt.exit_status();
    SEQ_ASSIGN_OR_RETURN(const std::vector<Tensor> tensors, computed);
    SEQ_ASSIGN_OR_RETURN(const CompiledFunction* compiled, runner.Compile(name, calls[0].batch));
    out.Print("%s of %s: %d row%s\n", name, path_, rows_, rows_ == 1 ? "" : "s");
    out.Write(BackendLine(name, compiled->assignments(), ListOf(tested.backends)));
    out.Write(SummaryOf(results, tensors));
    SEQ_RETURN_IF_ERROR(WriteOutputs(results, tensors, out));
    return compare_.empty() ? absl::StatusOr<int>(0) : CompareWith(results, tensors, out);
  }

  absl::StatusOr<ConvertedModel> ReadModel() {
    const TraceSpan load(profile_.trace(), "load model", "file");
    SEQ_ASSIGN_OR_RETURN(const ModelFormatRow* format, FormatOfFile(path_));
    SEQ_ASSIGN_OR_RETURN(FormatOptions options, import_.Options(path_));
    // What predicts needs no loss that is known here, and what is open is that of the arrays.
    options.keras.read.training = !function_.empty() && function_ != kPredict;
    const bool given = options.keras.read.time.has_value();
    if (!given) options.keras.read.time = TimeOfArrays();
    options.arrays = [this](const std::vector<std::string>& names) { return ArraysFor(names); };
    SEQ_ASSIGN_OR_RETURN(ConvertedModel converted, format->read(path_, options));
    for (const std::string& note : converted.notes) Note(note);
    if (!given) SEQ_RETURN_IF_ERROR(Annotate(FitLengths(converted), path_));
    return converted;
  }

  // Each input may have a length of its own.
  absl::Status FitLengths(ConvertedModel& converted) const {
    if (!converted.model.layers.has_value()) return absl::OkStatus();
    std::vector<ArrayUse> uses;
    const Function* predict = converted.model.FindFunction(kPredict);
    if (predict != nullptr) uses = InputsOf(*predict);
    Match(uses);
    std::map<std::string, int64_t> times;
    for (const ArrayUse& use : uses) {
      if (use.array == nullptr) continue;
      if (const std::optional<int64_t> length = LengthOf(absl::Span<const FileArray>(use.array, 1)))
        times[use.name] = *length;
    }
    SEQ_ASSIGN_OR_RETURN(const bool changed, SetOpenLengths(times, converted.model));
    if (changed) converted.self_tests.clear();  // answers to another length
    return absl::OkStatus();
  }

  // The arrays that are meant for the inputs of a file.
  std::vector<const Tensor*> ArraysFor(const std::vector<std::string>& names) {
    bound_.clear();
    for (const std::string& name : names) bound_.push_back({.name = name, .type = {}, .file = ""});
    Match(bound_);
    std::vector<const Tensor*> arrays;
    for (const ArrayUse& use : bound_) {
      arrays.push_back(use.array != nullptr ? &use.array->tensor : nullptr);
    }
    return arrays;
  }

  // Gives the uses the arrays that are meant for them.
  void Match(std::vector<ArrayUse>& uses) const {
    for (size_t i = 0; i < named_.size(); ++i) {
      // One that is for no input is told later, with those that there are.
      (void)TakeNamed(named_[i], files_[i], uses);
    }
    if (!inputs_.empty()) {
      MatchArrays(files_.back().arrays, files_.back().path, kInputPrefixes, uses);
    }
  }

  absl::StatusOr<const Function*> FunctionOf(const Model& model) const {
    const Function* predict = model.FindFunction(kPredict);
    if (function_.empty() && predict != nullptr) return predict;
    return Annotate(ChooseFunction(model, function_), path_);
  }

  // The files of --input, and behind them that of --inputs.
  absl::Status ReadFiles() {
    std::vector<std::string> paths;
    for (const NamedFile& named : named_) paths.push_back(named.path);
    if (!inputs_.empty()) paths.push_back(inputs_);
    for (const std::string& path : paths) {
      SEQ_ASSIGN_OR_RETURN(std::vector<FileArray> arrays, ReadArrayFile(path));
      files_.push_back({path, std::move(arrays)});
    }
    return absl::OkStatus();
  }

  // Of the first array that has steps; lines of CSV do not tell.
  std::optional<int64_t> TimeOfArrays() const {
    for (const ReadFileArrays& file : files_) {
      if (const std::optional<int64_t> length = LengthOf(file.arrays)) return length;
    }
    return std::nullopt;
  }

  // The tensors for the inputs, with rows_ in their batch.
  absl::StatusOr<std::vector<Tensor>> MatchInputs(const Function& function,
                                                  absl::Span<const ArrayUse> results) {
    std::vector<ArrayUse> uses = InputsOf(function);
    std::vector<std::string> constants;
    for (const ArrayUse& bound : bound_) {
      const auto use =
          absl::c_find_if(uses, [&](const ArrayUse& each) { return each.name == bound.name; });
      if (use != uses.end()) {
        use->array = bound.array;
        use->file = bound.file;
      } else if (bound.array != nullptr) {
        constants.push_back(bound.array->name);
      }
    }
    for (size_t i = 0; i < named_.size(); ++i) {
      const auto takes = [&](const ArrayUse& use) {
        return use.array != nullptr && use.array == files_[i].arrays.data();
      };
      if (absl::c_any_of(bound_, takes)) continue;
      SEQ_RETURN_IF_ERROR(TakeNamed(named_[i], files_[i], uses));
    }
    if (!inputs_.empty()) {
      const ReadFileArrays& file = files_.back();
      MatchArrays(file.arrays, file.path, kInputPrefixes, uses);
      std::vector<std::string> others = NamesFor(results, kResultPrefixes, inputs_ == compare_);
      others.insert(others.end(), constants.begin(), constants.end());
      NoteUnused(file, others, uses);
    }
    const absl::StatusOr<int64_t> rows = CheckShapes(uses);
    if (!rows.ok()) {
      std::fputs(ArrayTable("input", uses).c_str(), stderr);
      return Annotate(rows.status(), absl::StrCat("function ", function.name()));
    }
    rows_ = *rows;
    std::vector<Tensor> tensors;
    std::vector<std::string> notes;
    for (const ArrayUse& use : uses) {
      SEQ_ASSIGN_OR_RETURN(tensors.emplace_back(), FittedTensor(use, use.type.dtype, &notes));
    }
    for (const std::string& note : notes) Note(note);
    return tensors;
  }

  // An array that --input gives goes to the input that it names.
  static absl::Status TakeNamed(const NamedFile& named, const ReadFileArrays& file,
                                std::vector<ArrayUse>& uses) {
    if (file.arrays.size() != 1) {
      return InvalidArgument("--input: ", named.path, " has ", file.arrays.size(),
                             " arrays, expected one; --inputs takes them all");
    }
    for (ArrayUse& use : uses) {
      if (named.name.empty() ? use.array != nullptr : use.name != named.name) continue;
      use.array = &file.arrays[0];
      use.file = named.path;
      return absl::OkStatus();
    }
    const auto name = [](std::string* out, const ArrayUse& use) { *out += use.name; };
    return InvalidArgument("--input=", named.name, named.name.empty() ? "" : "=", named.path,
                           ": no such input; there ", uses.size() == 1 ? "is " : "are ",
                           absl::StrJoin(uses, ", ", name));
  }

  // What arrays for these may be called, if `wanted`.
  static std::vector<std::string> NamesFor(absl::Span<const ArrayUse> uses,
                                           absl::Span<const char* const> prefixes, bool wanted) {
    std::vector<std::string> names;
    for (size_t i = 0; i < uses.size() && wanted; ++i) {
      names.push_back(uses[i].name);
      for (const char* prefix : prefixes) names.push_back(absl::StrCat(prefix, i));
      if (uses.size() == 1) names.insert(names.end(), prefixes.begin(), prefixes.end());
    }
    return names;
  }

  absl::Status ChooseBatch(absl::Span<const ArrayUse> results) {
    const auto whole = absl::c_find_if(
        results, [](const ArrayUse& result) { return BatchAxis(result.type.shape) < 0; });
    if (!batch_flag_->given()) {
      batch_ = whole == results.end() ? kDefaultBatch : rows_;
    } else if (whole != results.end() && rows_ > batch_) {
      return InvalidArgument("result ", whole->name, ", ", whole->type.ToString(),
                             ", belongs to a batch as a whole, and there are ", rows_,
                             " rows: leave --batch out");
    }
    return absl::OkStatus();
  }

  absl::Status WriteOutputs(absl::Span<const ArrayUse> results, const std::vector<Tensor>& tensors,
                            Output& out) const {
    if (outputs_.empty()) return absl::OkStatus();
    std::vector<std::pair<std::string, std::string>> files;
    for (size_t i = 0; i < results.size(); ++i) {
      SEQ_ASSIGN_OR_RETURN(std::string bytes, NpyOf(tensors[i]));
      files.emplace_back(absl::StrCat(results[i].name, ".npy"), std::move(bytes));
    }
    SEQ_ASSIGN_OR_RETURN(const std::string bytes, WriteZip(files));
    SEQ_RETURN_IF_ERROR(AtomicWriteFile(outputs_, bytes));
    out.Print("%s: %d bytes\n", outputs_, bytes.size());
    return absl::OkStatus();
  }

  absl::StatusOr<int> CompareWith(std::vector<ArrayUse> uses, const std::vector<Tensor>& tensors,
                                  Output& out) const {
    SEQ_ASSIGN_OR_RETURN(std::vector<FileArray> arrays, ReadArrayFile(compare_));
    const ReadFileArrays file = {compare_, std::move(arrays)};
    MatchArrays(file.arrays, compare_, kResultPrefixes, uses);
    for (size_t i = 0; i < uses.size(); ++i) uses[i].type = tensors[i].type();
    std::vector<ArrayUse> compared;
    for (const ArrayUse& use : uses) {
      if (use.array != nullptr) compared.push_back(use);
    }
    const absl::Status fits =
        compared.empty()
            ? InvalidArgument("none of its arrays is a result: name them as the table says")
            : CheckShapes(compared).status();
    if (!fits.ok()) {
      std::fputs(ArrayTable("output", uses).c_str(), stderr);
      return Annotate(fits, compare_);
    }
    if (inputs_ != compare_) NoteUnused(file, {}, uses);
    bool within = true;
    for (size_t i = 0; i < uses.size(); ++i) {
      if (uses[i].array == nullptr) {
        Note(absl::StrCat(compare_, " has nothing for ", uses[i].name));
        continue;
      }
      const DType given = uses[i].array->tensor.dtype(), dtype = tensors[i].dtype();
      std::vector<std::string> notes;
      SEQ_ASSIGN_OR_RETURN(
          const Tensor expected,
          FittedTensor(uses[i], IsReal(given) && IsReal(dtype) ? given : dtype, &notes));
      const Comparison comparison =
          Compare(tensors[i], expected, [this](double) { return tolerance_; });
      within &= comparison.within();
      out.Print("%s, compared with %s: furthest off: %s\n", uses[i].name, compare_,
                ComparisonText(comparison, tensors[i].shape()));
    }
    return within ? 0 : 1;
  }

  std::string path_;
  std::string inputs_;
  std::vector<NamedFile> named_;
  std::string outputs_;
  std::string compare_;
  double tolerance_ = 1e-5;
  std::string function_;
  std::vector<ReadFileArrays> files_;
  std::vector<ArrayUse> bound_;  // inputs of the file, where extents come from arrays
  std::optional<Flag> batch_flag_;
  int64_t batch_ = kDefaultBatch;
  int64_t rows_ = 1;
  ImportFlags import_;
  BackendFlags backend_;
  SelfTestFlag self_test_;
  ProfileFlag profile_;
};

}  // namespace

CommandDef DefineRun() {
  return DefineCommand<RunCommand>(
      "run", "Run any function of any model, ours, Keras's or ONNX, on arrays of numbers");
}

}  // namespace seqgraph::tools
