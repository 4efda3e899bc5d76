#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "tools/convert/model_formats.h"
#include "tools/flags.h"

namespace seqgraph::tools {

/// The flags that say what a model file leaves open: --time, --dim, --constant.
class ImportFlags {
 public:
  void Declare(Flags& flags);
  /// Instead of Declare(), for a command that has another --time.
  void DeclareNone(Flags& flags) { files_ = &flags.files(); }
  /// How to read the file at `path`, whose external data must not be an output of the command.
  /// InvalidArgument for a dimension that is no number. This and the command's flags must outlive
  /// the options.
  absl::StatusOr<FormatOptions> Options(const std::string& path) const;

 private:
  const CommandFiles* files_ = nullptr;
  int64_t time_ = 0;
  std::string dims_;
  std::string constants_;
};

}  // namespace seqgraph::tools
