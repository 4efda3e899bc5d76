#include "tools/text_answers.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/atomic_file.h"
#include "base/status_macros.h"
#include "data/csv.h"
#include "data/text_rows.h"
#include "tools/sharded_rows.h"

namespace seqgraph::tools {
namespace {

constexpr char kLabelColumn[] = "predicted_label";
constexpr char kProbabilities[] = "probabilities";
constexpr size_t kWriteBytes = size_t{1} << 20;

// The fewest digits that give it back.
std::string Number(float x) {
  char digits[32];
  return std::string(digits, std::to_chars(digits, digits + sizeof(digits), x).ptr);
}

void TellSkipped(const data::Problems& problems) {
  if (problems.count() == 0) return;
  std::fprintf(stderr, "seqgraph: note: skipped %lld rows with problems:\n  %s\n",
               static_cast<long long>(problems.count()), problems.Lines().c_str());
}

// Takes the rows of a table, and writes them with their answers.
class TableAnswers {
 public:
  TableAnswers(TextClassifier& classifier, const TextTableOptions& options, Output& out)
      : classifier_(classifier),
        options_(options),
        out_(out),
        objects_(data::IsJsonLinesName(options.data)) {
    // Without quotes a field may hold any other separator.
    const bool named = data::IsCsvName(options.output) && options.columns.quotes;
    separator_ = data::FieldSeparator(named ? options.output : options.data, options.columns);
  }

  // What can be known before a row is read; then the file, if it is to be written here.
  absl::Status Check() const;
  absl::Status Open();
  absl::Status Answer();
  // Of a part alone, without a file.
  using Between = absl::FunctionRef<absl::Status()>;
  absl::StatusOr<ShardAnswer> AnswerPart(absl::string_view part, bool only_check, Between between);
  data::TextSourceOptions source() const {
    return {
        .text_policy = options_.text_policy, .tokens = classifier_.rule(), .csv = options_.columns};
  }

 private:
  absl::Status Take(const data::TextRow& row);
  absl::Status CheckNames(const data::TextRow& row) const;
  std::string Fields(absl::Span<const absl::string_view> fields) const;
  std::string Field(absl::string_view text) const {
    return options_.columns.quotes ? data::CsvField(text, separator_) : std::string(text);
  }
  std::string CsvAnswer(const TextAnswer& answer) const;
  std::string JsonAnswer(const TextAnswer& answer) const;
  absl::Status ClassifyPending();
  absl::Status Write(bool all);

  TextClassifier& classifier_;
  const TextTableOptions& options_;
  Output& out_;
  const bool objects_;
  char separator_ = ',';
  std::unique_ptr<AtomicFile> file_;  // Null: standard output.
  bool keeps_ = false;                // Neither: what is written stays in written_.
  bool only_checks_ = false;
  std::vector<std::string> texts_;  // Not yet answered,
  std::vector<float> numbers_;      // the numbers beside them,
  std::vector<std::string> rows_;   // and their rows, without an end.
  std::string written_;
  data::Problems problems_;
  int64_t answered_ = 0;
};

absl::Status TableAnswers::Check() const {
  if (!data::IsCsvName(options_.data) && !data::IsJsonLinesName(options_.data)) {
    return InvalidArgument("--data: expected a table of texts, a name that ends in .csv, .tsv or ",
                           ".jsonl (also .gz), got ", options_.data);
  }
  if (!options_.columns.quotes) {
    for (const std::string& label : classifier_.labels()) {
      if (!absl::StrContains(label, separator_) && label.find_first_of("\r\n") == label.npos) {
        continue;
      }
      return InvalidArgument("--no_quotes: the label ", data::Shown(label),
                             " cannot be written without quotes");
    }
  }
  if (options_.output.empty()) return absl::OkStatus();
  const bool fits =
      objects_ ? data::IsJsonLinesName(options_.output) : !data::IsJsonLinesName(options_.output);
  if (!fits || absl::EndsWith(options_.output, ".gz")) {
    return InvalidArgument("--output: expected a name that ends in ",
                           objects_ ? ".jsonl" : ".csv or .tsv", ", as the answers to ",
                           options_.data, " are ", objects_ ? "lines of JSON" : "separated fields",
                           ", got ", options_.output);
  }
  return absl::OkStatus();
}

absl::Status TableAnswers::Open() {
  if (options_.output.empty()) return absl::OkStatus();
  SEQ_ASSIGN_OR_RETURN(file_, AtomicFile::Create(options_.output));
  return absl::OkStatus();
}

// Answers stand under names of their own.
absl::Status TableAnswers::CheckNames(const data::TextRow& row) const {
  std::vector<std::string> names = {kLabelColumn};
  if (objects_) names.push_back(kProbabilities);
  for (const std::string& label : classifier_.labels()) {
    if (!objects_) names.push_back(absl::StrCat("p_", label));
  }
  for (const std::string& name : names) {
    if (std::find(row.fields.begin(), row.fields.end(), name) == row.fields.end() &&
        std::find(row.members.begin(), row.members.end(), name) == row.members.end()) {
      continue;
    }
    return InvalidArgument("'", options_.data, "', line ", row.line, ": there is a ",
                           objects_ ? "member " : "column ", data::Shown(name),
                           " already, as the answers are to be called; rename it");
  }
  return absl::OkStatus();
}

std::string TableAnswers::Fields(absl::Span<const absl::string_view> fields) const {
  return absl::StrJoin(fields, std::string(1, separator_),
                       [this](std::string* out, absl::string_view field) { *out += Field(field); });
}

std::string TableAnswers::CsvAnswer(const TextAnswer& answer) const {
  std::string row = absl::StrCat(std::string(1, separator_),
                                 Field(classifier_.labels()[static_cast<size_t>(answer.label)]));
  for (const float p : answer.probabilities) {
    absl::StrAppend(&row, std::string(1, separator_), Number(p));
  }
  return row;
}

// In place of the brace that closes the object: what stands there stays as it is, and is a text at
// least.
std::string TableAnswers::JsonAnswer(const TextAnswer& answer) const {
  constexpr auto kReplaceInvalid = nlohmann::ordered_json::error_handler_t::replace;
  const std::vector<std::string>& labels = classifier_.labels();
  const auto quoted = [](const std::string& text) {
    return nlohmann::ordered_json(text).dump(-1, ' ', false, kReplaceInvalid);
  };
  std::string all;
  for (size_t i = 0; i < labels.size(); ++i) {
    absl::StrAppend(&all, i == 0 ? "" : ", ", quoted(labels[i]), ": ",
                    Number(answer.probabilities[i]));
  }
  return absl::StrCat(", \"", kLabelColumn,
                      "\": ", quoted(labels[static_cast<size_t>(answer.label)]), ", \"",
                      kProbabilities, "\": {", all, "}}");
}

absl::Status TableAnswers::Take(const data::TextRow& row) {
  if (options_.interrupt != nullptr && options_.interrupt->load()) return Cancelled("interrupted");
  if (row.is_header) {
    SEQ_RETURN_IF_ERROR(CheckNames(row));
    written_ = absl::StrCat(Fields(row.fields), std::string(1, separator_), kLabelColumn);
    for (const std::string& label : classifier_.labels()) {
      absl::StrAppend(&written_, std::string(1, separator_), Field(absl::StrCat("p_", label)));
    }
    written_ += '\n';
    return absl::OkStatus();
  }
  if (objects_) {
    const absl::Status names = CheckNames(row);
    if (!names.ok()) {
      problems_.Add(std::string(names.message()));
      return absl::OkStatus();
    }
  }
  // Behind a problem that nobody skips it goes on only to tell what else is wrong.
  if (only_checks_ || (problems_.count() > 0 && !options_.skip_bad_rows)) return absl::OkStatus();
  texts_.emplace_back(row.text);
  numbers_.insert(numbers_.end(), row.numbers.begin(), row.numbers.end());
  rows_.push_back(objects_ ? std::string(row.object) : Fields(row.fields));
  return static_cast<int64_t>(texts_.size()) < TextClassifier::kBatch ? absl::OkStatus()
                                                                      : ClassifyPending();
}

absl::Status TableAnswers::ClassifyPending() {
  if (texts_.empty()) return absl::OkStatus();
  SEQ_ASSIGN_OR_RETURN(const std::vector<TextAnswer> answers,
                       classifier_.Classify(texts_, numbers_));
  for (size_t i = 0; i < answers.size(); ++i) {
    if (objects_) {
      rows_[i].pop_back();  // The brace.
      absl::StrAppend(&written_, rows_[i], JsonAnswer(answers[i]), "\n");
    } else {
      absl::StrAppend(&written_, rows_[i], CsvAnswer(answers[i]), "\n");
    }
  }
  answered_ += static_cast<int64_t>(answers.size());
  texts_.clear();
  numbers_.clear();
  rows_.clear();
  return Write(/*all=*/false);
}

absl::Status TableAnswers::Write(bool all) {
  if (keeps_) return absl::OkStatus();
  if (file_ == nullptr) {
    out_.Write(std::exchange(written_, ""));
    return out_.Flush();
  }
  if (written_.size() < kWriteBytes && !all) return absl::OkStatus();
  return file_->Write(std::exchange(written_, ""));
}

absl::Status TableAnswers::Answer() {
  const auto take = [this](const data::TextRow& row) { return Take(row); };
  SEQ_RETURN_IF_ERROR(
      data::ForEachTextRow(options_.data, source(), /*labelled=*/false, take, problems_));
  if (!options_.skip_bad_rows) SEQ_RETURN_IF_ERROR(problems_.status());
  SEQ_RETURN_IF_ERROR(ClassifyPending());
  SEQ_RETURN_IF_ERROR(Write(/*all=*/true));
  TellSkipped(problems_);
  if (file_ == nullptr) return absl::OkStatus();
  SEQ_RETURN_IF_ERROR(file_->Commit());
  out_.Print("%s: %d rows\n", options_.output, answered_);
  return absl::OkStatus();
}

absl::StatusOr<ShardAnswer> TableAnswers::AnswerPart(absl::string_view part, bool only_check,
                                                     Between between) {
  SEQ_ASSIGN_OR_RETURN(data::TextRowPart rows, data::TextRowPart::FromText(part));
  keeps_ = true;
  only_checks_ = only_check;
  answered_ = 0;
  problems_ = {};
  written_.clear();
  texts_.clear();
  numbers_.clear();
  rows_.clear();
  const auto take = [&](const data::TextRow& row) -> absl::Status {
    if (texts_.empty()) SEQ_RETURN_IF_ERROR(between());
    return Take(row);
  };
  SEQ_RETURN_IF_ERROR(data::ForEachTextRowOf(std::move(rows), options_.data, source(),
                                             /*labelled=*/false, take, problems_));
  SEQ_RETURN_IF_ERROR(ClassifyPending());
  return ShardAnswer{.bytes = std::move(written_),
                     .rows = answered_,
                     .problems = std::move(problems_),
                     .error = absl::OkStatus()};
}

}  // namespace

absl::Status AnswerTextTable(TextClassifier& classifier, const TextTableOptions& options,
                             Output& out) {
  TableAnswers answers(classifier, options, out);
  SEQ_RETURN_IF_ERROR(answers.Check());
  SEQ_RETURN_IF_ERROR(answers.Open());
  return answers.Answer();
}

absl::Status AnswerTextTableInShards(TextClassifier& classifier, const TextTableOptions& options,
                                     Communicator& communicator, const Facts& facts, Output& out) {
  TableAnswers answers(classifier, options, out);
  SEQ_RETURN_IF_ERROR(answers.Check());
  std::optional<data::TextRowParts> parts;
  const MakeShard next = [&](std::string* shard) -> absl::StatusOr<bool> {
    if (!parts.has_value()) {
      SEQ_ASSIGN_OR_RETURN(parts, data::TextRowParts::Open(options.data, answers.source()));
    }
    data::TextRowPart part;
    SEQ_ASSIGN_OR_RETURN(const bool more, parts->Next(&part));
    if (more) *shard = part.Text();
    return more;
  };
  SEQ_ASSIGN_OR_RETURN(const ShardedOutcome outcome,
                       AnswerInShards(communicator,
                                      {.output = options.output,
                                       .facts = facts,
                                       .skip_bad_rows = options.skip_bad_rows,
                                       .interrupt = options.interrupt},
                                      next,
                                      [&](absl::string_view part, bool only_check,
                                          absl::FunctionRef<absl::Status()> between) {
                                        return answers.AnswerPart(part, only_check, between);
                                      }));
  if (!communicator.is_root()) return absl::OkStatus();
  TellSkipped(outcome.problems);
  out.Print("%s: %d rows\n", options.output, outcome.rows);
  return absl::OkStatus();
}

}  // namespace seqgraph::tools
