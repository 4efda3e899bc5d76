#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/file_descriptor.h"
#include "base/status_macros.h"
#include "data/text_check.h"
#include "tools/backend_choice.h"
#include "tools/backend_line.h"
#include "tools/command.h"
#include "tools/data_flags.h"
#include "tools/line_reader.h"
#include "tools/profile/profile_flag.h"
#include "tools/tested_model.h"
#include "tools/text_classifier.h"

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

class PredictCommand : public Command {
 public:
  void Declare(Flags& flags) override {
    flags.InputFile("MODEL", &model_, "A model saved by train").Required();
    Flag texts = flags.Texts("TEXT", &texts_, "Reviews, one an argument");
    flags.InputFile("--file", &file_, "Reviews, one a line").Excludes(texts);
    flags.Choice("--format", &format_, {"text", "json"}, "How answers are printed");
    DeclareAnyBytes(flags, &any_bytes_);
    backend_.Declare(flags);
    self_test_.Declare(flags);
    profile_.Declare(flags);
    flags.Footer(
        "Without TEXT and --file reviews are read from standard input, one a line. Prints a line\n"
        "for each: probability of the label (of two labels: of the second), label, beginning of "
        "the\n"
        "text, tab-separated; with --format=json an object with the probabilities of all labels "
        "and\n"
        "all of the text. Quote a TEXT, and put those that begin with a dash behind --.");
  }

  absl::StatusOr<int> Run(Output& out) override {
    return profile_.Around("predict", [&] { return Answer(out); });
  }

 private:
  absl::StatusOr<int> Answer(Output& out) {
    SEQ_ASSIGN_OR_RETURN(
        classifier_, TextClassifier::Load(model_, backend_, self_test_.on(), profile_.profile()));
    const InterruptIfProfiling interrupt(profile_.profile() != nullptr);
    interrupt_ = interrupt.flag();
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
      "predict", "Probabilities and label for raw text: arguments, a file or standard input");
}

}  // namespace seqgraph::tools
