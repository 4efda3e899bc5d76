#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "data/token_rule.h"
#include "tools/output.h"
#include "training/text_generator.h"

namespace seqgraph::tools {

struct RolloutOptions {
  int64_t tokens = 0;
  double temperature = 1;
  /// Of what is drawn: the same seed and prompt give the same text, whatever stands beside it.
  uint64_t seed = 1;
  bool json = false;  ///< an object with "prompt" and "text" a line, once all is there
  const std::atomic<bool>* interrupt = nullptr;
};

/// Writes the prompt and behind it so many further tokens, each as soon as it is there, but no part
/// of a character (of bytes that are none U+FFFD stands for each), then a line's end. Between words
/// stands a space. Errors: those of TextGenerator; Cancelled for an interrupt.
absl::Status RollOutText(TextGenerator& generator, const std::string& prompt,
                         const RolloutOptions& options, Output& out);

/// Puts bytes that come one by one together to characters of UTF-8.
class WholeCharacters {
 public:
  /// The characters that are whole now; what can be part of none becomes U+FFFD.
  std::string Add(absl::string_view bytes);
  /// What is left: U+FFFD, or nothing.
  std::string End();

 private:
  std::string open_;
};

}  // namespace seqgraph::tools
