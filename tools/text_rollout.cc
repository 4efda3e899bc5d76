#include "tools/text_rollout.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/counter_random.h"
#include "base/status_macros.h"
#include "data/text_check.h"

namespace seqgraph::tools {
namespace {

constexpr char kNoCharacter[] = "\xEF\xBF\xBD";  // U+FFFD

// Bytes of the character that begins so; 0: none does.
size_t SizeOf(char lead) {
  const auto byte = static_cast<unsigned char>(lead);
  if (byte < 0x80) return 1;
  if (byte < 0xC2 || byte > 0xF4) return 0;
  return byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}

bool Continues(char c) { return (static_cast<unsigned char>(c) & 0xC0u) == 0x80u; }

}  // namespace

std::string WholeCharacters::Add(absl::string_view bytes) {
  std::string whole;
  for (const char c : bytes) {
    if (!open_.empty() && !Continues(c)) absl::StrAppend(&whole, End());
    open_.push_back(c);
    const size_t size = SizeOf(open_[0]);
    if (size == 0) {
      absl::StrAppend(&whole, End());
    } else if (open_.size() == size) {
      // Overlong forms and surrogates are none either; a character of ASCII may be any.
      const bool is_one = size == 1 || data::CheckText(open_, data::TokenRule::kBytes).ok();
      absl::StrAppend(&whole, is_one ? open_ : kNoCharacter);
      open_.clear();
    }
  }
  return whole;
}

std::string WholeCharacters::End() { return std::exchange(open_, "").empty() ? "" : kNoCharacter; }

absl::Status RollOutText(TextGenerator& generator, const std::string& prompt,
                         const RolloutOptions& options, Output& out) {
  SEQ_RETURN_IF_ERROR(generator.Begin(prompt));
  const data::Vocabulary& vocabulary = generator.vocabulary();
  const bool apart = data::TokensStandApart(vocabulary.rule());
  CounterRandom random(options.seed, "text");
  WholeCharacters characters;
  std::string text = prompt;
  const auto tell = [&](const std::string& more) -> absl::Status {
    text += more;
    if (options.json || more.empty()) return absl::OkStatus();
    out.Write(more);
    return out.Flush();  // Somebody may be reading along.
  };
  if (!options.json) out.Write(prompt);
  for (int64_t i = 0; i < options.tokens; ++i) {
    if (options.interrupt != nullptr && options.interrupt->load()) return Cancelled("interrupted");
    SEQ_ASSIGN_OR_RETURN(const int32_t code,
                         generator.Next(options.temperature, random.NextUniform()));
    SEQ_RETURN_IF_ERROR(
        tell(characters.Add(absl::StrCat(apart ? " " : "", vocabulary.Word(code)))));
  }
  SEQ_RETURN_IF_ERROR(tell(characters.End()));
  if (options.json) {
    constexpr auto kReplaceInvalid = nlohmann::ordered_json::error_handler_t::replace;
    const nlohmann::ordered_json line = {{"prompt", prompt}, {"text", text}};
    out.Write(line.dump(-1, ' ', false, kReplaceInvalid));
  }
  out.Write("\n");
  return out.Flush();
}

}  // namespace seqgraph::tools
