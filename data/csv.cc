#include "data/csv.h"

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "base/status_macros.h"

namespace seqgraph::data {

std::string CsvField(absl::string_view text, char separator) {
  const char special[] = {separator, '"', '\r', '\n'};
  if (text.find_first_of(absl::string_view(special, sizeof(special))) == absl::string_view::npos) {
    return std::string(text);
  }
  return absl::StrCat("\"", absl::StrReplaceAll(text, {{"\"", "\"\""}}), "\"");
}

absl::StatusOr<std::unique_ptr<CsvReader>> CsvReader::Open(const std::string& path,
                                                           const CsvOptions& options) {
  SEQ_ASSIGN_OR_RETURN(std::unique_ptr<CsvBlocks> blocks, CsvBlocks::Open(path, options));
  return Of(path, options, [kept = std::shared_ptr<CsvBlocks>(std::move(blocks))](CsvBlock* block) {
    return kept->Next(block);
  });
}

std::unique_ptr<CsvReader> CsvReader::Of(const std::string& path, const CsvOptions& options,
                                         CsvBlockSource blocks) {
  return absl::WrapUnique(new CsvReader(path, options, std::move(blocks)));
}

absl::StatusOr<absl::Span<const absl::string_view>> CsvReader::Next() {
  const auto error_at = [this](int64_t line, int64_t column, absl::string_view what) {
    return InvalidArgument("'", path_, "', line ", line, ", column ", column, ": ", what);
  };
  can_go_on_ = false;
  int64_t next_line = line_ + record_.lines();
  do {
    if (at_ == nullptr || at_ == block_.bytes.data() + block_.bytes.size()) {
      SEQ_ASSIGN_OR_RETURN(const bool more, blocks_(&block_));
      if (!more) return absl::Span<const absl::string_view>();
      at_ = block_.bytes.data();
      next_line = block_.line;
    }
    line_ = next_line;
    if (!record_.Split(&at_, block_.bytes.data() + block_.bytes.size(), options_)) {
      const CsvProblem& problem = record_.problem();
      can_go_on_ = !problem.beyond_limit && !problem.to_the_end;
      if (!problem.beyond_limit) {
        return error_at(line_ + problem.line, problem.column, problem.what);
      }
      return ResourceExhausted("'", path_, "', line ", line_, ": ", problem.what);
    }
    next_line += record_.lines();
  } while (record_.empty());
  const absl::Span<const absl::string_view> fields = record_.fields();
  if (num_fields_ == 0) num_fields_ = fields.size();
  if (fields.size() != num_fields_) {
    can_go_on_ = true;
    return error_at(
        line_, 1,
        absl::StrCat("a record with ", fields.size(), " fields; the first one has ", num_fields_));
  }
  return fields;
}

}  // namespace seqgraph::data
