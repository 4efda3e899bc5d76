#include "training/csv_logger.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "base/temporary_file.h"

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

absl::Status CSVLogger::OnTrainBegin(FitContext& context) {
  const int how = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC |
                  (options_.append || context.resumed ? 0 : O_TRUNC);
  file_ = std::make_shared<FileDescriptor>(
      Uninterrupted([&] { return ::open(path_.c_str(), how, 0666); }));
  struct stat info;
  if (file_->get() < 0 || ::fstat(file_->get(), &info) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("CSVLogger: cannot open ", path_));
  }
  if (const int error = SyncFolder(FolderOf(path_)); error != 0) {
    context.notes.push_back(absl::StrCat(
        "CSVLogger: ", path_, " may be lost if the power fails: ", std::strerror(error)));
  }
  size_ = info.st_size;
  header_ = size_ == 0;
  names_.clear();
  unwritten_.clear();
  told_ = false;
  return absl::OkStatus();
}

bool CSVLogger::Truncate(int64_t size) const {
  return Uninterrupted([&] { return ::ftruncate(file_->get(), size); }) == 0;
}

// All that waits, or nothing of it: a part would stay in the middle of the file.
void CSVLogger::WriteLines(FitContext& context) {
  int error = WriteAll(file_->get(), unwritten_);
  // A run's state counts on the lines that it knows of, and is synced itself.
  if (error == 0) error = Sync(file_->get());
  if (error == EINVAL || error == ENOTSUP) error = 0;  // a pipe, a device
  if (error == 0) {
    size_ += static_cast<int64_t>(unwritten_.size());
    unwritten_.clear();
    told_ = false;
    return;
  }
  const bool cut = Truncate(size_);
  if (!told_) {
    context.notes.push_back(absl::StrCat(
        "CSVLogger: cannot write to ", path_, ": ", std::strerror(error), "; ",
        cut ? "tried again after each epoch" : "a line may be there in part, and once more"));
  }
  told_ = true;
}

absl::Status CSVLogger::OnEpochEnd(FitContext& context, int epoch, Logs& logs) {
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
  unwritten_ += text;
  WriteLines(context);
  return absl::OkStatus();
}

absl::Status CSVLogger::OnTrainEnd(FitContext& context) {
  if (!unwritten_.empty()) WriteLines(context);
  // Some file systems say only now that the disk is full.
  if (file_->Close() != 0 || !unwritten_.empty()) {
    context.notes.push_back(absl::StrCat("CSVLogger: ", path_, " lacks the last epochs"));
  }
  return absl::OkStatus();
}

void CSVLogger::SaveState(StateWriter& state) const {
  state.Set("names", names_);
  state.Set("header", header_);
  state.Set("size", size_);
  state.Set("unwritten", unwritten_);
}

absl::Status CSVLogger::LoadState(FitContext&, const StateReader& state) {
  const int64_t found = size_;
  SEQ_RETURN_IF_ERROR(state.Get("names", &names_));
  SEQ_RETURN_IF_ERROR(state.Get("header", &header_));
  SEQ_RETURN_IF_ERROR(state.Get("size", &size_));
  SEQ_RETURN_IF_ERROR(state.Get("unwritten", &unwritten_));
  if (found < size_) {
    return DataLoss("CSVLogger: ", path_, " has ", found, " bytes, and had ", size_,
                    " when the run's state was saved");
  }
  if (!Truncate(size_)) {
    return absl::ErrnoToStatus(errno, absl::StrCat("CSVLogger: cannot cut ", path_));
  }
  return absl::OkStatus();
}

}  // namespace seqgraph
