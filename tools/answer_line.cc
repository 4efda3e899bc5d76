#include "tools/answer_line.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "base/printable.h"

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

}  // namespace

std::string AnswerLine(const std::string& text, const TextAnswer& answer,
                       const std::vector<std::string>& labels, bool json) {
  const std::string& label = labels[static_cast<size_t>(answer.label)];
  const size_t shown = labels.size() == 2 ? 1 : static_cast<size_t>(answer.label);
  const float probability = answer.probabilities[shown];
  if (!json) {
    return absl::StrFormat("%.4f\t%s\t%s\n", probability, Printable(label), Excerpt(text));
  }
  nlohmann::ordered_json all;
  for (size_t i = 0; i < labels.size(); ++i) all[labels[i]] = answer.probabilities[i];
  const nlohmann::ordered_json line = {
      {"probability", probability}, {"label", label}, {"probabilities", all}, {"text", text}};
  constexpr auto kReplaceInvalid = nlohmann::ordered_json::error_handler_t::replace;
  return line.dump(-1, ' ', false, kReplaceInvalid) + "\n";
}

}  // namespace seqgraph::tools
