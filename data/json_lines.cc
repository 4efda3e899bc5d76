#include "data/json_lines.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "data/class_table.h"

namespace seqgraph::data {

absl::StatusOr<JsonLines> JsonLines::Open(const std::string& path) {
  SEQ_ASSIGN_OR_RETURN(std::unique_ptr<CsvBlocks> blocks, CsvBlocks::Open(path, BlockOptions()));
  return Of([kept = std::shared_ptr<CsvBlocks>(std::move(blocks))](CsvBlock* block) {
    return kept->Next(block);
  });
}

JsonLines JsonLines::Of(CsvBlockSource blocks) {
  JsonLines lines;
  lines.blocks_ = std::move(blocks);
  return lines;
}

absl::StatusOr<bool> JsonLines::Next(absl::string_view* line) {
  while (true) {
    if (at_ == block_.bytes.size()) {
      SEQ_ASSIGN_OR_RETURN(const bool more, blocks_(&block_));
      if (!more) return false;
      at_ = 0;
      next_line_ = block_.line;
    }
    const size_t end = std::min(block_.bytes.find('\n', at_), block_.bytes.size() - 1);
    *line = absl::StripAsciiWhitespace(absl::string_view(block_.bytes).substr(at_, end + 1 - at_));
    at_ = end + 1;
    number_ = next_line_++;
    if (!line->empty()) return true;
  }
}

std::string JsonLines::Place(absl::string_view path) const {
  return absl::StrCat("'", path, "', line ", number_);
}

absl::StatusOr<nlohmann::ordered_json> ParseJsonObject(absl::string_view line, int max_depth) {
  using Json = nlohmann::ordered_json;
  bool too_deep = false;
  Json object = Json::parse(
      line.begin(), line.end(),
      [&too_deep, max_depth](int depth, Json::parse_event_t, Json&) {
        too_deep |= depth > max_depth;
        return depth <= max_depth;
      },
      /*allow_exceptions=*/false);
  if (too_deep) {
    return InvalidArgument("nested too deeply; expected plain members");
  }
  if (object.is_discarded()) {
    return InvalidArgument("no JSON: ", Shown(line), "; expected an object a line");
  }
  if (!object.is_object()) return InvalidArgument("expected an object, found ", Shown(line));
  return object;
}

}  // namespace seqgraph::data
