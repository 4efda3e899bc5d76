#include "tools/run_flags.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "base/status_macros.h"
#include "tools/run_facts.h"
#include "tools/training_text.h"

namespace seqgraph::tools {
namespace {

constexpr char kResume[] = "--resume";

bool IsFolder(const std::string& path) {
  std::error_code none;
  return std::filesystem::is_directory(path, none);
}

// "90", "90s", "15m", "2h"; nothing for any other text.
std::optional<double> SecondsOf(absl::string_view text) {
  double unit = 1, number = 0;
  for (const auto& [suffix, seconds] : {std::pair("s", 1.0), {"m", 60.0}, {"h", 3600.0}}) {
    if (absl::ConsumeSuffix(&text, suffix)) {
      unit = seconds;
      break;
    }
  }
  constexpr double kLongest = 3600.0 * 24 * 365;
  if (!absl::SimpleAtod(text, &number) || !(number > 0 && number * unit <= kLongest)) {
    return std::nullopt;
  }
  return number * unit;
}

}  // namespace

void RunFlags::Declare(Flags& flags) {
  flags.OutputFolder(
      "--run", &folder,
      "A folder that keeps the state of the run while it goes on: ended anywhere, by whatever, it\n"
      "goes on with the same bits by --resume=FOLDER alone",
      {"lock", "model.pb", "state-0.seqrun", "state-1.seqrun"});
  const Flag go_on = flags.Switch("--continue", &continues,
                                  "Go on with the run in --run; if there is none, begin it");
  const Flag allow = flags.Switch("--allow_changes", &allow_changes,
                                  "Go on also with other data, flags or another processor");
  const Flag check = flags.Switch("--verify", &verify, "What `seqgraph verify` does");
  const Flag every = flags.Text("--save_every", &save_every, "TIME|STEPS|epoch",
                                "How often the state is written, beside training: 10s, 1000steps");
  flags.Check("--save_every",
              [this] { return std::string(ParseSaveEvery(save_every).status().message()); });
  const Flag kept = flags.Int("--keep", &keep, 2, 1000, "So many states");
  flags.OutputFolder(
      "--fallback", &fallback,
      "Where the last state and the best model go if they cannot be written where they belong",
      {"state-0.seqrun", "state-1.seqrun"});
  flags.Check("--run", [=, this]() -> std::string {
    if (!folder.empty()) return "";
    const std::string given = FirstGiven({go_on, allow, check, every, kept});
    return given.empty() ? "" : absl::StrCat(given, " needs --run");
  });
  flags.Text("--max_time", &max_time_, "TIME",
             "End after so long (2h, 90m, 3600s), as Ctrl-C does, with status 75");
  flags.Check("--max_time", [this]() -> std::string {
    if (max_time_.empty()) return "";
    const std::optional<double> seconds = SecondsOf(max_time_);
    max_seconds = seconds.value_or(0);
    return seconds.has_value()
               ? ""
               : absl::StrCat("expected a time as in 2h, 90m or 3600s, got '", max_time_, "'");
  });
}

absl::StatusOr<std::vector<std::string>> RunFlags::Expand(std::vector<std::string> given) {
  std::string folder;
  std::vector<std::string> others;
  for (size_t i = 1; i < given.size(); ++i) {
    absl::string_view value = given[i];
    if (given[i] == kResume && i + 1 < given.size() && IsFolder(given[i + 1])) {
      folder = given[++i];
    } else if (absl::ConsumePrefix(&value, absl::StrCat(kResume, "=")) &&
               IsFolder(std::string(value))) {
      folder = std::string(value);
    } else {
      others.push_back(given[i]);
    }
  }
  if (folder.empty()) return given;
  SEQ_ASSIGN_OR_RETURN(const StateSlots::Found found, StateSlots(folder).Find());
  if (!found.newest.has_value()) {
    return InvalidArgument(
        kResume, "=", folder, ": the folder holds no state of a run",
        found.damaged.empty() ? "" : absl::StrCat(" that is whole (", found.damaged[0], ")"),
        "; a run that was ended before its first state begins anew by the command that it was "
        "begun with");
  }
  const absl::StatusOr<RunFacts> facts = RunFacts::Load(found.newest->Reader("keeper"));
  if (!facts.ok()) return Annotate(facts.status(), found.path);
  others = MergeArguments({absl::StrCat("--run=", folder)}, others);
  std::vector<std::string> arguments = MergeArguments(facts->arguments, others);
  // What went to the fallback goes on from there.
  arguments.erase(std::remove_if(arguments.begin(), arguments.end(),
                                 [&](absl::string_view each) {
                                   std::error_code none;
                                   return absl::ConsumePrefix(&each, "--fallback=") &&
                                          std::filesystem::equivalent(std::string(each), folder,
                                                                      none);
                                 }),
                  arguments.end());
  if (std::find(others.begin(), others.end(), "--continue") == others.end()) {
    arguments.emplace_back("--continue");
  }
  arguments.insert(arguments.begin(), given[0]);
  return arguments;
}

absl::StatusOr<std::unique_ptr<RunFolder>> RunFlags::Open(
    bool overwrite, std::function<void(const std::string&)> say) const {
  SEQ_ASSIGN_OR_RETURN(const SaveEvery every, ParseSaveEvery(save_every));
  SEQ_ASSIGN_OR_RETURN(std::unique_ptr<RunFolder> run,
                       Annotate(RunFolder::Open(folder, {.every = every,
                                                         .keep = static_cast<int>(keep),
                                                         .fallback = fallback,
                                                         .say = std::move(say)}),
                                "--run"));
  const bool whole = run->newest() != nullptr;
  if (overwrite && !continues) {
    SEQ_RETURN_IF_ERROR(run->Clear());
    return run;
  }
  if (!whole && !run->damaged().empty()) {
    return DataLoss("the run in ", folder, " has no whole state (",
                    absl::StrJoin(run->damaged(), "; "), "); --overwrite begins it anew");
  }
  if (!whole || continues) return run;
  SEQ_ASSIGN_OR_RETURN(const RunPosition position, run->newest()->Position());
  return FailedPrecondition(
      folder,
      position.finished ? " holds a run that has ended" : " holds a run that is not at its end",
      position.finished ? ", after " : ", in epoch ", position.epoch + (position.finished ? 0 : 1),
      position.finished ? " epochs" : "", ": --resume=", Quoted(folder),
      position.finished ? " with more --epochs" : "", " goes on with it, --overwrite begins anew");
}

}  // namespace seqgraph::tools
