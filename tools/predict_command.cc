#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/atomic_file.h"
#include "base/file_descriptor.h"
#include "base/status_macros.h"
#include "data/text_check.h"
#include "tools/backend_choice.h"
#include "tools/backend_line.h"
#include "tools/command.h"
#include "tools/data_flags.h"
#include "tools/line_reader.h"
#include "tools/profile/profile_flag.h"
#include "tools/series_answers.h"
#include "tools/series_data.h"
#include "tools/series_stream.h"
#include "tools/tested_model.h"
#include "training/confusion_matrix.h"
#include "training/model_runner.h"
#include "training/preprocessing.h"

namespace seqgraph::tools {
namespace {

// The beginning of a text, in one column of one line; no UTF-8 sequence is cut.
std::string Excerpt(absl::string_view text) {
  constexpr size_t kCharacters = 60;
  std::string excerpt;
  size_t characters = 0;
  for (char c : text) {
    const unsigned char byte = static_cast<unsigned char>(c);
    const bool continues = (byte & 0xC0u) == 0x80u;
    if (!continues && ++characters > kCharacters) return excerpt + "...";
    excerpt.push_back(byte < 0x20 || byte == 0x7F ? ' ' : c);
  }
  return excerpt;
}

// The answer to a text.
struct TextAnswer {
  int64_t label = 0;  // the class that PredictedClass() tells
  // Of each class; of two 1 - p and p for a model that gives p.
  std::vector<float> probabilities;
};

// A saved model that answers raw text with the probabilities of its labels.
class TextClassifier {
 public:
  // Texts that are computed together.
  static constexpr int64_t kBatch = 16;

  // Of a model that was read from `path`: compiles its function `predict` for its backends. Errors
  // name the file: InvalidArgument for a model that does not take text or does not give a
  // probability for each label (or for two labels that of the second). What happens, now and in
  // Classify, is recorded in `profile` if it is not null.
  static absl::StatusOr<std::unique_ptr<TextClassifier>> Create(TestedModel tested,
                                                                const std::string& path,
                                                                const BackendFlags& flags,
                                                                Profile* profile);

  // One for each of at most kBatch texts, which may be any bytes. The answer to a text does not
  // depend on those beside it: the batch always has the same size.
  absl::StatusOr<std::vector<TextAnswer>> Classify(absl::Span<const std::string> texts);

  // The names of the classes.
  const std::vector<std::string>& labels() const { return model_.labels; }

  // What answers: assignments, memory.
  const CompiledFunction& predict() const { return *predict_; }
  const BackendSelection& backends() const { return backends_; }

 private:
  TextClassifier() = default;
  absl::Status Prepare(const std::string& path, const BackendFlags& flags);

  BackendSelection backends_;  // outlives what is compiled
  Model model_;
  data::Vocabulary vocabulary_;
  std::optional<ModelRunner> runner_;
  CompiledFunction* predict_ = nullptr;  // of the runner
  int64_t width_ = 1;                    // Probabilities a text that predict_ gives.
  std::string scratch_;
  Profile* profile_ = nullptr;
  int profile_number_ = 0;
};

absl::StatusOr<std::unique_ptr<TextClassifier>> TextClassifier::Create(TestedModel tested,
                                                                       const std::string& path,
                                                                       const BackendFlags& flags,
                                                                       Profile* profile) {
  std::unique_ptr<TextClassifier> classifier(new TextClassifier);
  classifier->profile_ = profile;
  classifier->backends_ = std::move(tested.backends);
  classifier->model_ = std::move(tested.model);
  SEQ_RETURN_IF_ERROR(classifier->Prepare(path, flags));
  return classifier;
}

absl::Status TextClassifier::Prepare(const std::string& path, const BackendFlags& flags) {
  SEQ_ASSIGN_OR_RETURN(vocabulary_, VocabularyToRun(model_, path));
  const int64_t classes = static_cast<int64_t>(model_.labels.size());
  if (classes < 2) return InvalidArgument(path, ": expected two labels or more, found ", classes);
  SEQ_ASSIGN_OR_RETURN(const Function* predict, Annotate(model_.GetFunction("predict"), path));
  const Function& function = *predict;
  const TensorType tokens{DType::kInt32, {Dim::Batch(), model_.preprocessing.maxlen}};
  const TensorType one{DType::kFloat32, {Dim::Batch(), 1}};
  const TensorType all{DType::kFloat32, {Dim::Batch(), classes}};
  const bool fits = function.inputs().size() == 1 && function.results().size() == 1 &&
                    function.type(function.inputs()[0]) == tokens;
  width_ = fits && classes == 2 && function.type(function.results()[0].value) == one ? 1 : classes;
  if (!fits || (width_ > 1 && function.type(function.results()[0].value) != all)) {
    return InvalidArgument(path, ": expected a function predict with one input ", tokens.ToString(),
                           " and one result ", all.ToString(),
                           classes == 2 ? absl::StrCat(" or ", one.ToString()) : "", ", as it has ",
                           classes, " labels; `seqgraph inspect` shows what it has");
  }
  SEQ_ASSIGN_OR_RETURN(const PassList passes, ChoosePasses(flags.passes, flags.weights));
  RunnerOptions options = RunOn(backends_, flags.threads, passes);
  options.profile = profile_;
  runner_.emplace(&model_, std::move(options));
  SEQ_ASSIGN_OR_RETURN(predict_, runner_->Compile(function.name(), kBatch));
  if (profile_ != nullptr) profile_number_ = profile_->AddFunction(*predict_);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<TextAnswer>> TextClassifier::Classify(
    absl::Span<const std::string> texts) {
  SEQ_CHECK(texts.size() <= static_cast<size_t>(kBatch));
  const size_t maxlen = static_cast<size_t>(model_.preprocessing.maxlen);
  const auto rows = absl::MakeSpan(static_cast<int32_t*>(predict_->input(0)),
                                   static_cast<size_t>(kBatch) * maxlen);
  for (size_t i = 0; i < texts.size(); ++i) {
    vocabulary_.EncodeInto(texts[i], &scratch_, rows.subspan(i * maxlen, maxlen));
  }
  std::fill(rows.begin() + static_cast<ptrdiff_t>(texts.size() * maxlen), rows.end(),
            data::kPadCode);
  SEQ_RETURN_IF_ERROR(profile_ == nullptr ? predict_->Run()
                                          : profile_->Run(profile_number_, *predict_));
  const auto results = absl::MakeConstSpan(static_cast<const float*>(predict_->result(0)),
                                           texts.size() * static_cast<size_t>(width_));
  std::vector<TextAnswer> answers(texts.size());
  for (size_t i = 0; i < texts.size(); ++i) {
    const size_t width = static_cast<size_t>(width_);
    const absl::Span<const float> row = results.subspan(i * width, width);
    if (!std::all_of(row.begin(), row.end(), [](float p) { return std::isfinite(p); })) {
      return DataLoss("the model's answer is not a number: its weights are damaged");
    }
    answers[i].label = PredictedClass(row);
    answers[i].probabilities.assign(row.begin(), row.end());
    if (width_ == 1) answers[i].probabilities = {1 - row[0], row[0]};
  }
  return answers;
}

class PredictCommand : public Command {
 public:
  void Declare(Flags& flags) override {
    flags.InputFile("MODEL", &model_, "A model saved by train").Required();
    Flag texts = flags.Texts("TEXT", &texts_, "Reviews, one an argument");
    Flag file = flags.InputFile("--file", &file_, "Reviews, one a line").Excludes(texts);
    flags
        .InputPath("--data", &data_.data,
                   "Series of numbers, for a model of these: as for train, labels may be absent",
                   "", nullptr)
        .Excludes(texts)
        .Excludes(file);
    flags.OutputFile("--output", &output_, "The answers to --data as CSV, not on standard output");
    flags.Int("--roll", &roll_, 0, 1'000'000,
              "Of a forecast: so many steps, its own answers fed back beyond the horizon; 0: none");
    flags.Switch("--skip_bad_rows", &skip_bad_rows_, "Of --data: leave out rows with errors");
    flags.Choice("--format", &format_, {"text", "json"}, "How answers are printed");
    DeclareAnyBytes(flags, &any_bytes_);
    backend_.Declare(flags);
    DeclareWeights(flags, &backend_.weights);
    self_test_.Declare(flags);
    profile_.Declare(flags);
    flags.Footer(
        "Without TEXT and --file reviews are read from standard input, one a line. Prints a line\n"
        "for each: probability of the label (of two labels: of the second), label, beginning of "
        "the\n"
        "text, tab-separated; with --format=json an object with the probabilities of all labels "
        "and\n"
        "all of the text. Quote a TEXT, and put those that begin with a dash behind --.\n"
        "A model of series answers --data, or standard input: a step a line, in the order of its\n"
        "features or of a first line of names, an empty line behind each series; a forecast is\n"
        "told behind every line once there is a window.");
  }

  absl::StatusOr<int> Run(Output& out) override {
    return profile_.Around("predict", [&] { return Answer(out); });
  }

 private:
  absl::StatusOr<int> Answer(Output& out) {
    SEQ_ASSIGN_OR_RETURN(TestedModel tested,
                         LoadTestedModel(model_, self_test_.on(), backend_,
                                         {{"predict", TextClassifier::kBatch}}, profile_.trace()));
    const InterruptIfProfiling interrupt(profile_.profile() != nullptr);
    interrupt_ = interrupt.flag();
    if (!tested.model.series.task.empty()) {
      const absl::Status status = AnswerNumbers(tested, out);
      if (absl::IsCancelled(status)) return interrupt.exit_status();
      SEQ_RETURN_IF_ERROR(status);
      return 0;
    }
    if (!data_.data.empty()) {
      return InvalidArgument(model_, ": --data is for models of series, and this one takes text");
    }
    SEQ_ASSIGN_OR_RETURN(classifier_, TextClassifier::Create(std::move(tested), model_, backend_,
                                                             profile_.profile()));
    if (!texts_.empty()) {
      SEQ_RETURN_IF_ERROR(AnswerTexts(out));
    } else if (file_.empty()) {
      if (::isatty(STDIN_FILENO)) {
        std::fprintf(stderr, "Type a review and Enter; Ctrl-D ends.\n");
      }
      SEQ_RETURN_IF_ERROR(AnswerLines(STDIN_FILENO, "standard input", out));
    } else {
      const FileDescriptor file(::open(file_.c_str(), O_RDONLY | O_CLOEXEC));
      if (file.get() < 0) return absl::ErrnoToStatus(errno, absl::StrCat("cannot open ", file_));
      SEQ_RETURN_IF_ERROR(AnswerLines(file.get(), file_, out));
    }
    TellBackends();
    return interrupt.interrupted() ? interrupt.exit_status() : 0;
  }

  absl::Status AnswerNumbers(TestedModel& tested, Output& out) {
    if (!texts_.empty() || !file_.empty()) {
      return InvalidArgument(model_, ": it takes series of numbers: --data, or standard input");
    }
    SEQ_ASSIGN_OR_RETURN(const PassList passes, ChoosePasses(backend_.passes, backend_.weights));
    RunnerOptions run = RunOn(tested.backends, backend_.threads, passes);
    run.profile = profile_.profile();
    ModelRunner runner(&tested.model, std::move(run));
    if (data_.data.empty()) return AnswerSteps(runner, out);
    SEQ_ASSIGN_OR_RETURN(
        const SeriesData data,
        ReadSeriesFor(tested.model, data_.data, data_, /*without_labels=*/true, skip_bad_rows_));
    for (const std::string& note : data.set.notes) {
      std::fprintf(stderr, "seqgraph: note: %s\n", note.c_str());
    }
    SEQ_ASSIGN_OR_RETURN(const std::string table,
                         AnswerSeries(runner, data, {.roll = roll_, .interrupt = interrupt_}));
    if (!output_.empty()) return AtomicWriteFile(output_, table);
    out.Write(table);
    return absl::OkStatus();
  }

  // Standard input, a step a line.
  absl::Status AnswerSteps(ModelRunner& runner, Output& out) {
    if (!output_.empty()) return InvalidArgument("--output goes with --data");
    SEQ_ASSIGN_OR_RETURN(SeriesStream stream, SeriesStream::Create(&runner, roll_, interrupt_));
    LineReader reader(STDIN_FILENO, "standard input");
    reader.set_interrupt(interrupt_);
    for (bool ended = false; !ended;) {
      SEQ_ASSIGN_OR_RETURN(std::vector<std::string> lines, reader.Next(1));
      ended = lines.empty();
      if (ended) lines.emplace_back();
      SEQ_ASSIGN_OR_RETURN(
          const std::string answer,
          Annotate(stream.Add(lines[0]), absl::StrCat("line ", reader.first_line())));
      out.Write(answer);
      SEQ_RETURN_IF_ERROR(out.Flush());  // Somebody may be waiting for it.
    }
    return absl::OkStatus();
  }

  bool Interrupted() const { return interrupt_ != nullptr && interrupt_->load(); }

  // Where the user let nodes go elsewhere: which did. Not among the answers.
  void TellBackends() const {
    const std::vector<const Backend*> backends = ListOf(classifier_->backends());
    if (backends.size() < 2 || backend_.backend == BackendFlags().backend) return;
    std::fputs(BackendLine("predict", classifier_->predict().assignments(), backends).c_str(),
               stderr);
  }

  absl::Status AnswerTexts(Output& out) {
    for (size_t begin = 0; begin < texts_.size() && !Interrupted();
         begin += TextClassifier::kBatch) {
      const size_t count = std::min<size_t>(TextClassifier::kBatch, texts_.size() - begin);
      SEQ_RETURN_IF_ERROR(Answer(absl::MakeConstSpan(texts_).subspan(begin, count), "text ",
                                 static_cast<int64_t>(begin) + 1, out));
    }
    return absl::OkStatus();
  }

  absl::Status AnswerLines(int fd, const std::string& name, Output& out) {
    LineReader reader(fd, name);
    reader.set_interrupt(interrupt_);
    while (true) {
      SEQ_ASSIGN_OR_RETURN(const std::vector<std::string> lines,
                           reader.Next(TextClassifier::kBatch));
      if (lines.empty()) return absl::OkStatus();
      SEQ_RETURN_IF_ERROR(Answer(lines, absl::StrCat(name, ": line "), reader.first_line(), out));
      SEQ_RETURN_IF_ERROR(out.Flush());  // Somebody may be waiting for it.
    }
  }

  // Those in front of one that is refused are still answered. `where` and the number of the first
  // text, counted on, name a text in messages.
  absl::Status Answer(absl::Span<const std::string> texts, const std::string& where, int64_t first,
                      Output& out) {
    absl::Status refused;
    for (size_t i = 0; i < texts.size() && !any_bytes_; ++i) {
      refused =
          Annotate(data::CheckText(texts[i]), absl::StrCat(where, first + static_cast<int64_t>(i)));
      if (refused.ok()) continue;
      texts = texts.first(i);
      break;
    }
    if (!texts.empty()) {
      SEQ_ASSIGN_OR_RETURN(const std::vector<TextAnswer> answers, classifier_->Classify(texts));
      for (size_t i = 0; i < texts.size(); ++i) Print(texts[i], answers[i], out);
    }
    return refused;
  }

  void Print(const std::string& text, const TextAnswer& answer, Output& out) const {
    const std::vector<std::string>& labels = classifier_->labels();
    const std::string& label = labels[static_cast<size_t>(answer.label)];
    const size_t shown = labels.size() == 2 ? 1 : static_cast<size_t>(answer.label);
    const float probability = answer.probabilities[shown];
    if (format_ == "text") {
      out.Print("%.4f\t%s\t%s\n", probability, label, Excerpt(text));
      return;
    }
    nlohmann::ordered_json all;
    for (size_t i = 0; i < labels.size(); ++i) all[labels[i]] = answer.probabilities[i];
    const nlohmann::ordered_json line = {
        {"probability", probability}, {"label", label}, {"probabilities", all}, {"text", text}};
    constexpr auto kReplaceInvalid = nlohmann::ordered_json::error_handler_t::replace;
    out.Write(line.dump(-1, ' ', false, kReplaceInvalid) + "\n");
  }

  std::string model_;
  std::vector<std::string> texts_;
  std::string file_;
  DataFlags data_{.data = ""};
  std::string output_;
  int64_t roll_ = 0;
  bool skip_bad_rows_ = false;
  std::string format_ = "text";
  bool any_bytes_ = false;
  BackendFlags backend_;
  SelfTestFlag self_test_;
  ProfileFlag profile_;
  const std::atomic<bool>* interrupt_ = nullptr;
  std::unique_ptr<TextClassifier> classifier_;
};

}  // namespace

CommandDef DefinePredict() {
  return DefineCommand<PredictCommand>(
      "predict", "Answers to raw text or series of numbers: arguments, a file or standard input");
}

}  // namespace seqgraph::tools
