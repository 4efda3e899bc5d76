#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "base/atomic_file.h"
#include "base/file_descriptor.h"
#include "base/status_macros.h"
#include "data/text_check.h"
#include "data/text_rows.h"
#include "tools/answer_facts.h"
#include "tools/answer_line.h"
#include "tools/backend_choice.h"
#include "tools/backend_line.h"
#include "tools/command.h"
#include "tools/data_flags.h"
#include "tools/job_flags.h"
#include "tools/line_reader.h"
#include "tools/profile/profile_flag.h"
#include "tools/series_answers.h"
#include "tools/series_data.h"
#include "tools/series_stream.h"
#include "tools/sharded_rows.h"
#include "tools/tested_model.h"
#include "tools/text_answers.h"
#include "tools/text_classifier.h"
#include "tools/text_rollout.h"
#include "training/model_runner.h"
#include "training/text_generator.h"

namespace seqgraph::tools {
namespace {

constexpr int kInterruptedElsewhere = 128 + SIGTERM;  // a signal came to another rank

class PredictCommand : public Command {
 public:
  void Declare(Flags& flags) override {
    flags.InputFile("MODEL", &model_, "A model saved by train").Required();
    Flag texts = flags.Texts("TEXT", &texts_, "Reviews, one an argument");
    Flag file =
        flags.InputFile("--file", &file_, "Reviews, one a line; with --output a table, as --data")
            .Excludes(texts);
    flags
        .InputPath(
            "--data", &data_.data,
            "A table of texts (.csv, .tsv, .jsonl, also .gz), or for a model of these series\n"
            "of numbers; as for train, but labels may be absent",
            "", nullptr)
        .Excludes(texts)
        .Excludes(file);
    flags.OutputFile(
        "--output", &output_,
        "The answers to --data, not on standard output; to a table of texts all of its\n"
        "columns, and behind them predicted_label and the probabilities p_NAME");
    data_.DeclareTable(flags);
    flags.Int("--roll", &roll_, 0, 1'000'000,
              "So many steps, its own answers fed back: of a forecast beyond the horizon, of a\n"
              "model of the next token behind each TEXT or line; 0: none");
    temperature_flag_ = flags.Number(
        "--temperature", &temperature_, [](double t) { return t >= 0 && t <= 1000; },
        "a number from 0 to 1000", "1",
        "Of a text that --roll goes on with: below 1 what is likely is drawn more often; 0: the\n"
        "most likely token, always");
    seed_flag_ = flags.Int("--seed", &seed_, 0, std::numeric_limits<int64_t>::max(),
                           "Of what is drawn: the same seed and text go on alike");
    flags.Choice("--format", &format_, {"text", "json"}, "How answers are printed");
    DeclareAnyBytes(flags, &any_bytes_);
    import_.Declare(flags);
    backend_.Declare(flags);
    DeclareWeights(flags, &backend_.weights);
    self_test_.Declare(flags);
    profile_.Declare(flags);
    job_.Declare(flags);
    flags.Footer(
        "Without TEXT and --file reviews are read from standard input, one a line. Prints a line\n"
        "for each: probability of the label (of two labels: of the second), label, beginning of "
        "the\n"
        "text, tab-separated; with --format=json an object with the probabilities of all labels "
        "and\n"
        "all of the text. Quote a TEXT, and put those that begin with a dash behind --.\n"
        "To a table of texts it answers row by row. Where rows have errors, all of these are told\n"
        "and no file is written, unless --skip_bad_rows leaves such rows out.\n"
        "A model of the next token (train --task=next) goes on with each text by --roll tokens.\n"
        "A model of series answers --data, or standard input: a step a line, in the order of its\n"
        "features or of a first line of names, an empty line behind each series; a forecast is\n"
        "told behind every line once there is a window.\n"
        "With --distributed, started by mpirun or srun, the ranks share the rows of --data, and\n"
        "--output has the bytes that one rank writes. What is answered is kept in OUTPUT.parts\n"
        "until all is: killed anywhere, the same command goes on there.\n\nExamples:\n"
        "  seqgraph predict imdb-embedding.pb \"What a wonderful film\" \"A waste of time\"\n"
        "  seqgraph predict notes-embedding.pb --data=new.csv --output=answers.csv\n"
        "  mpirun -n 4 seqgraph predict notes.pb --data=huge.csv.gz --output=out.csv "
        "--distributed\n"
        "  sensor | seqgraph predict sunspots.pb");
  }

  absl::StatusOr<int> Run(Output& out) override {
    SEQ_ASSIGN_OR_RETURN(communicator_, job_.Join());
    if (!communicator_->is_root()) out.Mute();
    const bool is_table = data::IsCsvName(file_) || data::IsJsonLinesName(file_);
    if (is_table && !output_.empty()) data_.data = std::exchange(file_, "");
    const absl::StatusOr<int> status = profile_.Around("predict", [&]() -> absl::StatusOr<int> {
      SEQ_RETURN_IF_ERROR(CheckDistributed());
      return Answer(out);
    });
    return sharing_ ? StatusAtRank(*communicator_, status) : status;
  }

 private:
  absl::Status CheckDistributed() const {
    if (!job_.distributed) return absl::OkStatus();
    if (data_.data.empty() || output_.empty()) {
      return InvalidArgument("--distributed shares the rows of a table: give --data and --output");
    }
    if (profile_.given()) {
      return InvalidArgument("--profile is of one process: leave out it or --distributed");
    }
    return absl::OkStatus();
  }

  absl::Status CheckRowsAreIndependent(const Model& model) const {
    const Function* predict = model.FindFunction("predict");
    if (!job_.distributed || predict == nullptr || predict->updates().empty()) {
      return absl::OkStatus();
    }
    return InvalidArgument(model_, ": a layer keeps its state from batch to batch, so rows cannot ",
                           "be shared: leave out --distributed");
  }

  // The exit status of an interrupted command; where it goes on.
  int Interrupted(const InterruptIfProfiling& interrupt) const {
    if (!sharing_) return interrupt.exit_status();
    if (communicator_->is_root()) {
      std::fprintf(stderr,
                   "seqgraph: interrupted; the same command goes on with what is in %s.parts\n",
                   output_.c_str());
    }
    return interrupt.interrupted() ? interrupt.exit_status() : kInterruptedElsewhere;
  }

  absl::StatusOr<int> Answer(Output& out) {
    SEQ_ASSIGN_OR_RETURN(TestedModel tested,
                         LoadTestedModel(model_, import_, self_test_.on(), backend_,
                                         {{"predict", TextClassifier::kBatch}}, profile_.trace()));
    const InterruptIfProfiling interrupt(profile_.profile() != nullptr || job_.distributed);
    interrupt_ = interrupt.flag();
    SEQ_RETURN_IF_ERROR(CheckRowsAreIndependent(tested.model));
    const bool numbers = !tested.model.series.task.empty();
    if (numbers || TellsNextToken(tested.model)) {
      const absl::Status status = numbers ? AnswerNumbers(tested, out) : GoOn(tested, out);
      if (absl::IsCancelled(status)) return Interrupted(interrupt);
      SEQ_RETURN_IF_ERROR(status);
      return interrupt.interrupted() ? interrupt.exit_status() : 0;
    }
    SEQ_RETURN_IF_ERROR(CheckDrawsNothing());
    if (roll_ > 0) {
      return InvalidArgument("--roll is for forecasts and for texts that go on (train ",
                             "--task=next), and ", model_, " tells a class of a text");
    }
    SEQ_ASSIGN_OR_RETURN(classifier_, TextClassifier::Create(std::move(tested), model_, backend_,
                                                             profile_.profile()));
    if (!data_.data.empty()) {
      const absl::Status status = AnswerTable(out);
      if (absl::IsCancelled(status)) return Interrupted(interrupt);
      SEQ_RETURN_IF_ERROR(status);
    } else if (!output_.empty()) {
      return InvalidArgument("--output goes with --data");
    } else if (!texts_.empty()) {
      SEQ_RETURN_IF_ERROR(AnswerTexts(out));
    } else {
      if (file_.empty() && ::isatty(STDIN_FILENO)) {
        std::fprintf(stderr, "Type a review and Enter; Ctrl-D ends.\n");
      }
      SEQ_RETURN_IF_ERROR(AnswerLines(out));
    }
    if (communicator_->is_root()) TellBackends();
    return interrupt.interrupted() ? interrupt.exit_status() : 0;
  }

  absl::Status AnswerTable(Output& out) {
    SEQ_ASSIGN_OR_RETURN(data::CsvLayout columns, data_.ColumnsFor(classifier_->model()));
    const TextTableOptions options{
        .data = data_.data,
        .output = output_,
        .columns = std::move(columns),
        .text_policy = any_bytes_ ? data::TextPolicy::kAnyBytes : data::TextPolicy::kRefuse,
        .skip_bad_rows = data_.skip_bad_rows,
        .interrupt = interrupt_};
    if (!job_.distributed) return AnswerTextTable(*classifier_, options, out);
    SEQ_ASSIGN_OR_RETURN(Facts facts, FactsOfAnswers(model_, classifier_->model(), backend_,
                                                     classifier_->DescribeBackends()));
    facts["columns"] = LayoutText(options.columns);
    facts["--any_bytes"] = any_bytes_ ? "given" : "not given";
    sharing_ = true;
    return AnswerTextTableInShards(*classifier_, options, *communicator_, facts, out);
  }

  // Of a model that classifies texts or takes series.
  absl::Status CheckDrawsNothing() const {
    for (const std::optional<Flag>& flag : {temperature_flag_, seed_flag_}) {
      if (!flag->given()) continue;
      return InvalidArgument(flag->name(), " is for models of the next token (train --task=next), ",
                             "and ", model_, " is none");
    }
    return absl::OkStatus();
  }

  // Texts that go on: --roll of a model of the next token.
  absl::Status GoOn(const TestedModel& tested, Output& out) {
    if (!data_.data.empty() || !output_.empty()) {
      return InvalidArgument("--data and --output are for tables; ", model_,
                             " goes on with a TEXT, --file or standard input");
    }
    if (roll_ == 0) {
      return InvalidArgument(model_, " tells the next token of a text: --roll=N says how many");
    }
    SEQ_ASSIGN_OR_RETURN(const PassList passes, ChoosePasses(backend_.passes, backend_.weights));
    RunnerOptions run = RunOn(tested.backends, backend_.threads, passes);
    run.profile = profile_.profile();
    SEQ_ASSIGN_OR_RETURN(const std::unique_ptr<TextGenerator> generator,
                         Annotate(TextGenerator::Create(tested.model, std::move(run)), model_));
    const RolloutOptions options{.tokens = roll_,
                                 .temperature = temperature_,
                                 .seed = static_cast<uint64_t>(seed_),
                                 .json = format_ == "json",
                                 .interrupt = interrupt_};
    const auto go_on = [&](const std::string& text, const std::string& where) -> absl::Status {
      if (!any_bytes_) {
        SEQ_RETURN_IF_ERROR(Annotate(data::CheckText(text, generator->vocabulary().rule()), where));
      }
      return Annotate(RollOutText(*generator, text, options, out), where);
    };
    for (size_t i = 0; i < texts_.size(); ++i) {
      SEQ_RETURN_IF_ERROR(go_on(texts_[i], absl::StrCat("text ", i + 1)));
    }
    if (!texts_.empty()) return absl::OkStatus();
    return ReadLines(1, [&](const std::vector<std::string>& lines, const std::string& where,
                            int64_t first) { return go_on(lines[0], absl::StrCat(where, first)); });
  }

  absl::Status AnswerNumbers(TestedModel& tested, Output& out) {
    SEQ_RETURN_IF_ERROR(CheckDrawsNothing());
    const std::string of_texts = data_.GivenOfTexts();
    if (!of_texts.empty()) {
      return InvalidArgument(of_texts, " is for texts, and ", model_, " takes series of numbers");
    }
    if (!texts_.empty() || !file_.empty()) {
      return InvalidArgument(model_, ": it takes series of numbers: --data, or standard input");
    }
    SEQ_ASSIGN_OR_RETURN(const PassList passes, ChoosePasses(backend_.passes, backend_.weights));
    RunnerOptions run = RunOn(tested.backends, backend_.threads, passes);
    run.profile = profile_.profile();
    if (data_.data.empty()) {
      ModelRunner runner(&tested.model, std::move(run));
      return AnswerSteps(runner, out);
    }
    SEQ_ASSIGN_OR_RETURN(const SeriesData data,
                         ReadSeriesFor(tested.model, data_.data, data_, /*without_labels=*/true,
                                       data_.skip_bad_rows));
    for (const std::string& note : data.set.notes) {
      std::fprintf(stderr, "seqgraph: note: %s\n", note.c_str());
    }
    SEQ_ASSIGN_OR_RETURN(const std::vector<RowRange> rows, RowsToPredict(data.set, data.task));
    SEQ_ASSIGN_OR_RETURN(std::optional<Model> longer, LongerFor(tested.model, rows));
    ModelRunner runner(longer.has_value() ? &*longer : &tested.model, std::move(run));
    const SeriesAnswerOptions options{
        .batch = BatchFor(tested.model, runner.model()), .roll = roll_, .interrupt = interrupt_};
    if (job_.distributed) return ShareSeries(runner, data, rows, options, out);
    SEQ_ASSIGN_OR_RETURN(const std::string table, AnswerSeries(runner, data, rows, options));
    if (!output_.empty()) return AtomicWriteFile(output_, table);
    out.Write(table);
    return absl::OkStatus();
  }

  absl::Status ShareSeries(ModelRunner& runner, const SeriesData& data,
                           absl::Span<const RowRange> rows, const SeriesAnswerOptions& options,
                           Output& out) {
    // The backends are known once something is compiled.
    SEQ_RETURN_IF_ERROR(runner.Compile("predict", options.batch).status());
    SEQ_ASSIGN_OR_RETURN(
        Facts facts, FactsOfAnswers(model_, runner.model(), backend_, runner.DescribeBackends()));
    facts["--roll"] = absl::StrCat(roll_);
    sharing_ = true;
    return AnswerSeriesInShards(runner, data, rows, options, output_, *communicator_,
                                std::move(facts), out);
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

  bool IsInterrupted() const { return interrupt_ != nullptr && interrupt_->load(); }

  // Where the user let nodes go elsewhere: which did. Not among the answers.
  void TellBackends() const {
    const std::vector<const Backend*> backends = ListOf(classifier_->backends());
    if (backends.size() < 2 || backend_.backend == BackendFlags().backend) return;
    std::fputs(BackendLine("predict", classifier_->predict().assignments(), backends).c_str(),
               stderr);
  }

  absl::Status AnswerTexts(Output& out) {
    for (size_t begin = 0; begin < texts_.size() && !IsInterrupted();
         begin += TextClassifier::kBatch) {
      const size_t count = std::min<size_t>(TextClassifier::kBatch, texts_.size() - begin);
      SEQ_RETURN_IF_ERROR(Answer(absl::MakeConstSpan(texts_).subspan(begin, count), "text ",
                                 static_cast<int64_t>(begin) + 1, out));
    }
    return absl::OkStatus();
  }

  // The lines of --file or of standard input, at most so many at a time, with what names them in
  // messages: "standard input: line " and the number of the first.
  absl::Status ReadLines(size_t most,
                         absl::FunctionRef<absl::Status(const std::vector<std::string>& lines,
                                                        const std::string& where, int64_t first)>
                             take) const {
    const auto open = [&] { return ::open(file_.c_str(), O_RDONLY | O_CLOEXEC); };
    const FileDescriptor file(file_.empty() ? -1 : Uninterrupted(open));
    if (!file_.empty() && file.get() < 0) {
      return absl::ErrnoToStatus(errno, absl::StrCat("cannot open ", file_));
    }
    const std::string name = file_.empty() ? "standard input" : file_;
    LineReader reader(file_.empty() ? STDIN_FILENO : file.get(), name);
    reader.set_interrupt(interrupt_);
    while (true) {
      SEQ_ASSIGN_OR_RETURN(const std::vector<std::string> lines, reader.Next(most));
      if (lines.empty()) return absl::OkStatus();
      SEQ_RETURN_IF_ERROR(take(lines, absl::StrCat(name, ": line "), reader.first_line()));
    }
  }

  absl::Status AnswerLines(Output& out) {
    return ReadLines(TextClassifier::kBatch,
                     [&](const std::vector<std::string>& lines, const std::string& where,
                         int64_t first) -> absl::Status {
                       SEQ_RETURN_IF_ERROR(Answer(lines, where, first, out));
                       return out.Flush();  // Somebody may be waiting for it.
                     });
  }

  // Those in front of one that is refused are still answered. `where` and the number of the first
  // text, counted on, name a text in messages.
  absl::Status Answer(absl::Span<const std::string> texts, const std::string& where, int64_t first,
                      Output& out) {
    absl::Status refused;
    for (size_t i = 0; i < texts.size() && !any_bytes_; ++i) {
      refused = Annotate(data::CheckText(texts[i], classifier_->rule()),
                         absl::StrCat(where, first + static_cast<int64_t>(i)));
      if (refused.ok()) continue;
      texts = texts.first(i);
      break;
    }
    if (!texts.empty()) {
      SEQ_ASSIGN_OR_RETURN(const std::vector<TextAnswer> answers, classifier_->Classify(texts));
      for (size_t i = 0; i < texts.size(); ++i) {
        out.Write(AnswerLine(texts[i], answers[i], classifier_->labels(), format_ == "json"));
      }
    }
    return refused;
  }

  std::string model_;
  std::vector<std::string> texts_;
  std::string file_;
  DataFlags data_{.data = ""};
  std::string output_;
  int64_t roll_ = 0;
  double temperature_ = 1;
  int64_t seed_ = 1;
  std::optional<Flag> temperature_flag_, seed_flag_;
  std::string format_ = "text";
  bool any_bytes_ = false;
  ImportFlags import_;
  BackendFlags backend_;
  SelfTestFlag self_test_;
  ProfileFlag profile_;
  JobFlags job_;
  std::unique_ptr<Communicator> communicator_;
  bool sharing_ = false;  // The ranks are at their common work.
  const std::atomic<bool>* interrupt_ = nullptr;
  std::unique_ptr<TextClassifier> classifier_;
};

}  // namespace

CommandDef DefinePredict() {
  return DefineCommand<PredictCommand>(
      "predict", "Answers to raw text or series of numbers: arguments, a file or standard input");
}

}  // namespace seqgraph::tools
