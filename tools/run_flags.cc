#include "tools/run_flags.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/file_descriptor.h"
#include "base/status_macros.h"
#include "base/temporary_file.h"
#include "tools/run_facts.h"
#include "tools/runs/run_record.h"
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

constexpr int kMostOfOneSecond = 1000;

// "2026-11-29_103000_NAME" in `runs`, which is made too; with "-2", "-3" where somebody has it.
absl::StatusOr<std::string> MakeNewFolder(const std::string& runs, const std::string& name) {
  if (const int error = MakeFolder(runs); error != 0) {
    return SystemError(error, "cannot make the folder", runs);
  }
  const std::string path = absl::StrCat(
      runs, "/", absl::FormatTime("%Y-%m-%d_%H%M%S", absl::Now(), absl::LocalTimeZone()), "_",
      name);
  for (int i = 1; i <= kMostOfOneSecond; ++i) {
    const std::string numbered = i == 1 ? path : absl::StrCat(path, "-", i);
    if (Uninterrupted([&] { return ::mkdir(numbered.c_str(), 0777); }) == 0) return numbered;
    if (errno != EEXIST) return SystemError(errno, "cannot make the folder", numbered);
  }
  return SystemError(EEXIST, "cannot make the folder", path);
}

}  // namespace

void RunFlags::Declare(Flags& flags) {
  flags.CacheFolder(
      "--run", &folder, "FOLDER|off",
      "The folder of the run: its record, curves and models (seqgraph runs, report), and its "
      "state\n"
      "while it goes on: ended anywhere, by whatever, it goes on with the same bits by\n"
      "--resume=FOLDER alone. By default a new one in runs/, or in $SEQGRAPH_RUNS",
      [this] { return names_folder() ? folder : ""; },
      {"lock", "model.pb", "state-0.seqrun", "state-1.seqrun", kRunFile, kHistoryFile, kStepsFile,
       kMessagesFile, kLastModelFile});
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
    if (names_folder()) return "";
    const std::string given = FirstGiven({go_on, allow, check});
    if (!given.empty()) return absl::StrCat(given, " needs --run=FOLDER");
    const std::string of_states = folder == "off" ? FirstGiven({every, kept}) : "";
    return of_states.empty() ? "" : absl::StrCat(of_states, " does not go with --run=off");
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

absl::StatusOr<std::unique_ptr<RunFolder>> RunFlags::Open(const std::string& path,
                                                          const Say& say) const {
  SEQ_ASSIGN_OR_RETURN(const SaveEvery every, ParseSaveEvery(save_every));
  return RunFolder::Open(
      path, {.every = every, .keep = static_cast<int>(keep), .fallback = fallback, .say = say});
}

absl::StatusOr<std::unique_ptr<RunFolder>> RunFlags::OpenNew(const std::string& name,
                                                             const Say& say) {
  if (names_folder()) return Annotate(Open(folder, say), "--run");
  if (folder == "off") return nullptr;
  const std::string runs = RunsFolder();
  if (runs == "off") return nullptr;
  absl::StatusOr<std::string> made = MakeNewFolder(runs, name);
  absl::StatusOr<std::unique_ptr<RunFolder>> run =
      made.ok() ? Open(*made, say) : absl::StatusOr<std::unique_ptr<RunFolder>>(made.status());
  if (!run.ok()) {
    say(absl::StrCat("nothing is kept of this run: ", run.status().message(),
                     "; --run=FOLDER or SEQGRAPH_RUNS=FOLDER says where to"));
    return nullptr;
  }
  folder = *made;
  is_default = true;
  return run;
}

absl::StatusOr<std::unique_ptr<RunFolder>> RunFlags::OpenEarlier(bool overwrite,
                                                                 const Say& say) const {
  if (!names_folder() || !IsFolder(folder)) return nullptr;
  SEQ_ASSIGN_OR_RETURN(std::unique_ptr<RunFolder> run, Annotate(Open(folder, say), "--run"));
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
