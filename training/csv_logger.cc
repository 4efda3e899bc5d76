#include "training/csv_logger.h"

#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cmath>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace seqgraph {
namespace {

// The shortest digits that read back as the same double, laid out as Python's repr does it: 0.5,
// 100.0, 1e-05, 1e+16.
std::string PythonRepr(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  char buffer[40];
  const auto scientific =
      std::to_chars(buffer, buffer + sizeof(buffer), value, std::chars_format::scientific);
  const std::string text(buffer, scientific.ptr);
  const int exponent = std::atoi(text.c_str() + text.find('e') + 1);
  if (exponent < -4 || exponent >= 16) return text;
  const auto fixed =
      std::to_chars(buffer, buffer + sizeof(buffer), value, std::chars_format::fixed);
  std::string plain(buffer, fixed.ptr);
  if (plain.find('.') == std::string::npos) plain += ".0";
  return plain;
}

}  // namespace

absl::Status CSVLogger::Failed(const char* what) const {
  return absl::ErrnoToStatus(errno, absl::StrCat("CSVLogger: cannot ", what, " ", path_));
}

absl::Status CSVLogger::OnTrainBegin(FitContext& context) {
  file_.reset(std::fopen(path_.c_str(), options_.append || context.resumed ? "ab" : "wb"),
              [](std::FILE* file) { file != nullptr ? std::fclose(file) : 0; });
  if (file_ == nullptr) return Failed("open");
  if (std::fseek(file_.get(), 0, SEEK_END) != 0) return Failed("find the end of");
  size_ = std::ftell(file_.get());
  header_ = size_ == 0;
  names_.clear();
  return absl::OkStatus();
}

absl::Status CSVLogger::OnEpochEnd(FitContext&, int epoch, Logs& logs) {
  if (names_.empty()) {
    bool validation = false;
    for (const auto& [name, value] : logs) {
      names_.push_back(name);
      validation = validation || absl::StartsWith(name, "val_");
    }
    for (size_t i = names_.size(); i-- > 0 && !validation;) {
      names_.insert(names_.begin() + static_cast<int64_t>(logs.size()), "val_" + names_[i]);
    }
  }
  std::string text;
  const std::string separator(1, options_.separator);
  if (header_) {
    text = "epoch";
    for (const std::string& name : names_) absl::StrAppend(&text, separator, name);
    text += "\r\n";
  }
  absl::StrAppend(&text, epoch);
  for (const std::string& name : names_) {
    const auto found = logs.find(name);
    absl::StrAppend(&text, separator, found == logs.end() ? "NA" : PythonRepr(found->second));
  }
  text += "\r\n";
  header_ = false;
  if (std::fwrite(text.data(), 1, text.size(), file_.get()) != text.size() ||
      std::fflush(file_.get()) != 0) {
    return Failed("write to");
  }
  size_ += static_cast<int64_t>(text.size());
  return absl::OkStatus();
}

void CSVLogger::SaveState(StateWriter& state) const {
  state.Set("names", names_);
  state.Set("header", header_);
  state.Set("size", size_);
}

absl::Status CSVLogger::LoadState(FitContext&, const StateReader& state) {
  const int64_t found = size_;
  SEQ_RETURN_IF_ERROR(state.Get("names", &names_));
  SEQ_RETURN_IF_ERROR(state.Get("header", &header_));
  SEQ_RETURN_IF_ERROR(state.Get("size", &size_));
  if (found < size_) {
    return DataLoss("CSVLogger: ", path_, " has ", found, " bytes, and had ", size_,
                    " when the run's state was saved");
  }
  if (::ftruncate(fileno(file_.get()), size_) != 0) return Failed("cut");
  return absl::OkStatus();
}

absl::Status CSVLogger::OnTrainEnd(FitContext&) {
  file_.reset();
  return absl::OkStatus();
}

}  // namespace seqgraph
