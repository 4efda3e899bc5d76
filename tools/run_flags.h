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
  using Say = std::function<void(const std::string&)>;

  /// Empty: a new one is made where runs lie, by OpenNew(); "off": the run leaves nothing.
  std::string folder;
  bool is_default = false;  ///< OpenNew() has chosen the folder
  bool continues = false;   ///< --continue
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

  /// Opens and locks a folder that --run names and that is there; null: none is. Whoever would
  /// replace a run is told what to do instead, by FailedPrecondition: `overwrite` says that it may
  /// be.
  absl::StatusOr<std::unique_ptr<RunFolder>> OpenEarlier(bool overwrite, const Say& say) const;
  /// Makes a folder for a run that begins, and says in `folder` which: the one that --run names, or
  /// by default one of the time and `name` in the folder that $SEQGRAPH_RUNS names, or else in
  /// "runs". Null where there is to be none: --run=off, or SEQGRAPH_RUNS=off and no --run; also,
  /// with a word to `say`, where the default one cannot be made.
  absl::StatusOr<std::unique_ptr<RunFolder>> OpenNew(const std::string& name, const Say& say);
  /// Whether --run names a folder.
  bool names_folder() const { return !folder.empty() && folder != "off"; }

 private:
  absl::StatusOr<std::unique_ptr<RunFolder>> Open(const std::string& path, const Say& say) const;

  std::string max_time_;
};

}  // namespace seqgraph::tools
