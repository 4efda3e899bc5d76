#include "tools/import_flags.h"

#include <map>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/status_macros.h"

namespace seqgraph::tools {
namespace {

bool ParseExtent(absl::string_view text, int64_t* number) { return absl::SimpleAtoi(text, number); }
bool ParseExtent(absl::string_view text, double* number) { return absl::SimpleAtod(text, number); }

template <typename Number>
absl::Status ReadNumbers(absl::string_view flag, absl::string_view text,
                         std::map<std::string, Number>& numbers) {
  for (absl::string_view part : absl::StrSplit(text, ',', absl::SkipEmpty())) {
    const std::pair<absl::string_view, absl::string_view> item =
        absl::StrSplit(part, absl::MaxSplits('=', 1));
    if (!ParseExtent(item.second, &numbers[std::string(item.first)])) {
      return InvalidArgument(flag, " must be NAME=NUMBER,..., got \"", part, "\"");
    }
  }
  return absl::OkStatus();
}

}  // namespace

void ImportFlags::Declare(Flags& flags) {
  files_ = &flags.files();
  flags.Int("--time", &time_, 0, 1'000'000,
            "Length of sequences where a file leaves it open; 0: 32, with a note");
  flags.Text("--dim", &dims_, "NAME=NUMBER,...",
             "Open extents of an ONNX model but the batch, by name or by input and axis:\n"
             "tokens:1=40");
  flags.Text("--constant", &constants_, "NAME=NUMBER,...",
             "Inputs of an ONNX model that are one number, which is then always this one");
}

absl::StatusOr<FormatOptions> ImportFlags::Options(const std::string& path) const {
  FormatOptions options;
  if (time_ > 0) options.keras.read.time = time_;
  SEQ_RETURN_IF_ERROR(ReadNumbers("--dim", dims_, options.onnx.dims));
  std::map<std::string, double> constants;
  SEQ_RETURN_IF_ERROR(ReadNumbers("--constant", constants_, constants));
  for (const auto& [name, number] : constants) {
    options.onnx.constants.emplace(name, Tensor::Scalar(number));
  }
  // External data are inputs of the command as the model itself is.
  options.onnx.before_external = [files = files_, path](const std::string& data) {
    return files->CheckInput(absl::StrCat("the external data of ", path), data);
  };
  return options;
}

}  // namespace seqgraph::tools
