#include "tools/convert/import_flags.h"

#include <map>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/status_macros.h"

namespace seqgraph::tools {

void ImportFlags::Declare(Flags& flags) {
  files_ = &flags.files();
  flags.Int("--time", &time_, 0, 1'000'000,
            "Length of sequences where a Keras file leaves it open; 0: that is an error");
  flags.Text("--dim", &dims_, "NAME=NUMBER,...",
             "Open extents of an ONNX model but the batch, by name or by input and axis:\n"
             "tokens:1=40");
}

absl::StatusOr<FormatOptions> ImportFlags::Options(const std::string& path) const {
  FormatOptions options;
  if (time_ > 0) options.keras.read.time = time_;
  for (absl::string_view part : absl::StrSplit(dims_, ',', absl::SkipEmpty())) {
    const std::pair<absl::string_view, absl::string_view> dim =
        absl::StrSplit(part, absl::MaxSplits('=', 1));
    if (!absl::SimpleAtoi(dim.second, &options.onnx.dims[std::string(dim.first)])) {
      return InvalidArgument("--dim must be NAME=NUMBER,..., got \"", part, "\"");
    }
  }
  options.onnx.before_external = [files = files_, path](const std::string& data) {
    return files->CheckInput(absl::StrCat("the external data of ", path), data);
  };
  return options;
}

}  // namespace seqgraph::tools
