#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "tools/command.h"
#include "tools/run_flags.h"
#include "tools/run_verification.h"

namespace seqgraph::tools {
namespace {

// Is `train --verify` on the run, with all that the run began with.
class VerifyCommand : public Command {
 public:
  void Declare(Flags& flags) override {
    flags.InputFile("RUN", &run_, "The folder of a run (train --run)", "FOLDER").Required();
    flags.Footer(absl::StrCat(
        "Repeats the steps between the states that the folder holds (two, or --keep of train), "
        "and\n"
        "says whether it comes to the same bits: weights, optimizer, metrics, history. Of other "
        "bits\n"
        "it says whether they are within ",
        kVerificationBound,
        " of the largest number of their tensor, or where\n"
        "they part. Flags of `train` behind the folder take the place of those of the run:\n"
        "--threads, --simd_target, --data of a folder that was moved. Writes nothing. Exit status "
        "0:\n"
        "equal, or within the bound; 1: not.\n\nExamples:\n"
        "  seqgraph verify first"));
  }

  absl::StatusOr<std::vector<std::string>> Expand(std::vector<std::string> given) override {
    std::error_code none;
    if (given.size() < 2 || !std::filesystem::is_directory(given[1], none)) return given;
    std::vector<std::string> train = {"train", absl::StrCat("--resume=", given[1]), "--verify"};
    train.insert(train.end(), given.begin() + 2, given.end());
    return RunFlags::Expand(std::move(train));
  }

  absl::StatusOr<int> Run(Output&) override {
    return InvalidArgument("'", run_,
                           "' is no folder: expected that of a run, as train --run has it");
  }

 private:
  std::string run_;
};

}  // namespace

CommandDef DefineVerify() {
  return DefineCommand<VerifyCommand>(
      "verify", "Repeat steps of a training run from a stored state, and compare the bits");
}

}  // namespace seqgraph::tools
