#include "tools/answer_facts.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/content_hash.h"
#include "base/status_macros.h"

namespace seqgraph::tools {
namespace {

constexpr size_t kDigits = 16;  // that people compare

}  // namespace

absl::StatusOr<Facts> FactsOfAnswers(const std::string& path, const Model& model,
                                     const BackendFlags& flags, const std::string& backends) {
  SEQ_ASSIGN_OR_RETURN(const ContentHash file, HashFile(path));
  // What lies in other files, as ONNX may have it, stands in the variables.
  std::string hashes;
  for (const Variable& variable : model.variables.all()) {
    const absl::string_view bytes(static_cast<const char*>(variable.value.data()),
                                  static_cast<size_t>(variable.value.num_bytes()));
    absl::StrAppend(&hashes, variable.def.name, " ", HashBytes(bytes).Hex(), "\n");
  }
  return Facts{{"model", file.Hex().substr(0, kDigits)},
               {"weights of the model", HashBytes(hashes).Hex().substr(0, kDigits)},
               {"--weights", flags.weights},
               {"--passes", flags.passes},
               {"backend", backends}};
}

std::string LayoutText(const data::CsvLayout& layout) {
  return absl::StrCat("text ", layout.text_column, ", numbers ",
                      absl::StrJoin(layout.number_columns, " "), ", ",
                      layout.header ? "header, " : "", "separator ",
                      static_cast<int>(layout.separator), layout.quotes ? "" : ", no quotes");
}

}  // namespace seqgraph::tools
