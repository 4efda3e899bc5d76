#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tools/flags.h"
#include "training/run_folder.h"

namespace seqgraph::tools {

/// The flags of `train` about the folder that is the state of its run: whether there is one, when
/// it is written, and what may change when it goes on.
struct RunFlags {
  std::string folder;      ///< empty: the run keeps no state
  bool continues = false;  ///< --continue
  bool allow_changes = false;
  bool verify = false;  ///< --verify: VerifyRun instead of training
  std::string save_every = "10s";
  int64_t keep = 2;
  std::string fallback;
  double max_seconds = 0;  ///< 0: any

  void Declare(Flags& flags);

  /// --resume=FOLDER gives the arguments that the run in that folder began with, those of `given`,
  /// which are behind the command's name, over them; whatever else is given stays as it is. Errors:
  /// the folder holds no run.
  static absl::StatusOr<std::vector<std::string>> Expand(std::vector<std::string> given);

  /// Opens and locks the folder; whoever would replace a run is told what to do instead, by
  /// FailedPrecondition: `overwrite` says that it may be.
  absl::StatusOr<std::unique_ptr<RunFolder>> Open(
      bool overwrite, std::function<void(const std::string&)> say) const;

 private:
  std::string max_time_;
};

}  // namespace seqgraph::tools
