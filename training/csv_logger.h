#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/file_descriptor.h"
#include "training/callback.h"

namespace seqgraph {

struct CSVLoggerOptions {
  char separator = ',';
  bool append = false;  ///< behind what the file holds; false: the file begins anew
};

/// Writes the logs of each epoch as a line of a file, byte for byte as Keras's callback of that
/// name: a header "epoch,..." with the names that the first epoch logs, in alphabetical order; if
/// none of these begins with "val_" one such column more for each, which says NA where there is
/// nothing; epochs from 0; numbers as Python writes them; lines that end in CR LF. With `append` a
/// file that has something already gets no header. Every line is on the disk when the epoch
/// ends. (HistoryFile replaces its file as a whole, and says more.) A file that cannot be opened is
/// an error, which names the path; where a line cannot be written a note says so
/// (FitContext::notes: of this process, not of the run), and it is tried again with the next: no
/// run ends for it.
class CSVLogger : public Callback {
 public:
  explicit CSVLogger(std::string path, CSVLoggerOptions options = {})
      : path_(std::move(path)), options_(options) {}

  absl::Status OnTrainBegin(FitContext& context) override;
  absl::Status OnEpochEnd(FitContext& context, int epoch, Logs& logs) override;
  absl::Status OnTrainEnd(FitContext& context) override;
  /// A run that goes on from a state goes on with the file behind the lines of that state: what is
  /// behind them is of epochs that come again. DataLoss if the file is shorter.
  void SaveState(StateWriter& state) const override;
  absl::Status LoadState(FitContext& context, const StateReader& state) override;

 private:
  void WriteLines(FitContext& context);
  bool Truncate(int64_t size) const;

  std::string path_;
  CSVLoggerOptions options_;
  std::shared_ptr<FileDescriptor> file_;
  int64_t size_ = 0;       // of the whole lines in the file
  bool header_ = false;    // is still to be made
  std::string unwritten_;  // lines that the file does not have
  bool told_ = false;      // that they could not be written
  std::vector<std::string> names_;
};

}  // namespace seqgraph
