#include "tools/sweep/sweep_run.h"

#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/atomic_file.h"
#include "base/file_descriptor.h"
#include "base/status_macros.h"
#include "base/temporary_file.h"
#include "distributed/work_queue.h"
#include "tools/runs/run_table.h"
#include "tools/sweep/process_pool.h"
#include "training/progress.h"

namespace seqgraph::tools {
namespace {

constexpr const char* kOfSweep[] = {"--run",      "--output",    "--seed",   "--resume",
                                    "--continue", "--overwrite", "--verify", "--history",
                                    "--profile",  "--fallback"};
constexpr char kDefinitionFile[] = "sweep.txt", kOutputFile[] = "output.txt";
constexpr int64_t kMostDefinition = int64_t{16} << 20;

// A combination with one of its seeds.
struct SweepJob {
  size_t point = 0;
  int64_t seed = 0;
};

std::string FolderOfJob(const Sweep& sweep, const SweepJob& job) {
  return absl::StrCat(sweep.folder, "/", sweep.points[job.point].name, "_seed=", job.seed);
}

absl::Status MakeFolderOf(const std::string& path) {
  const int error = MakeFolder(path);
  return error == 0 ? absl::OkStatus() : SystemError(error, "cannot make the folder", path);
}

// Whether it has run as far as that rung wants it to.
bool IsDone(const RunRecord& run, const SweepRung& rung) {
  if (run.status != RunStatus::kFinished) return false;
  if (rung.epochs == 0) return true;
  const auto found = run.flags.find("--epochs");
  int64_t epochs = 0;
  return found != run.flags.end() && absl::SimpleAtoi(found->second, &epochs) &&
         epochs >= rung.epochs;
}

PoolJob ProcessOf(const Sweep& sweep, const SweepJob& job, const SweepRung& rung) {
  const std::string folder = FolderOfJob(sweep, job);
  std::vector<std::string> arguments = {sweep.program, "train"};
  arguments.insert(arguments.end(), sweep.train.begin(), sweep.train.end());
  const std::vector<std::string>& flags = sweep.points[job.point].flags;
  arguments.insert(arguments.end(), flags.begin(), flags.end());
  arguments.push_back(absl::StrCat("--seed=", job.seed));
  if (rung.epochs > 0) arguments.push_back(absl::StrCat("--epochs=", rung.epochs));
  arguments.push_back(absl::StrCat("--output=", folder, "/", kBestModelFile));
  arguments.push_back(absl::StrCat("--run=", folder));
  // Goes on with what is there; a model that a run left before its first state is no rival.
  arguments.insert(arguments.end(), {"--continue", "--overwrite"});
  return {std::move(arguments), absl::StrCat(folder, "/", kOutputFile)};
}

std::string LineOf(const std::string& name, int status, const absl::StatusOr<RunRecord>& run) {
  if (!run.ok() || run->status != RunStatus::kFinished) {
    return absl::StrFormat("%s: %s (exit status %d)", name,
                           run.ok() ? RunStatusName(run->status) : "failed", status);
  }
  std::string line =
      absl::StrFormat("%s: %d epochs, %.1f s", name, run->history.rows(), run->seconds);
  for (const auto& [metric, value] : FinalMetrics(*run)) {
    absl::StrAppend(&line, " - ", metric, ": ", FormatMetric(value));
  }
  return line;
}

class Sweeper {
 public:
  Sweeper(const Sweep& sweep, const std::atomic<bool>& interrupt,
          const std::function<void(const std::string&)>& say)
      : sweep_(sweep), interrupt_(interrupt), say_(say), points_(AllPoints()) {}

  absl::StatusOr<SweepOutcome> Run(Communicator& communicator) {
    ProcessPool pool(sweep_.at_once);
    WorkQueue queue(&communicator, {.slots = sweep_.at_once},
                    {.next = [this](std::string* job) { return Next(job); },
                     .take = [this](int64_t number, int,
                                    const std::string& result) { return Take(number, result); }});
    SEQ_RETURN_IF_ERROR(pool.Run(queue, interrupt_));
    outcome_.rows = Rows(AllPoints(), /*epochs=*/0);
    SortRows(sweep_.metric, &outcome_.rows);
    // What went further than the rest says more.
    std::stable_sort(outcome_.rows.begin(), outcome_.rows.end(), [&](const auto& a, const auto& b) {
      return sweep_.rungs.size() > 1 && Reached(a.point) > Reached(b.point);
    });
    return std::move(outcome_);
  }

 private:
  std::vector<size_t> AllPoints() const {
    std::vector<size_t> all(sweep_.points.size());
    for (size_t i = 0; i < all.size(); ++i) all[i] = i;
    return all;
  }

  // The jobs of a rung, one after the other; those of the next once all have ended.
  absl::StatusOr<WorkSource::Next> Next(std::string* text) {
    while (next_ == jobs_.size()) {
      if (ended_ < jobs_.size()) return WorkSource::Next::kLater;
      if (rung_ > 0) points_ = Ranked(points_, sweep_.rungs[rung_ - 1]);
      if (rung_ == sweep_.rungs.size()) return WorkSource::Next::kEnd;
      BeginRung(sweep_.rungs[rung_++]);
    }
    const SweepJob& job = jobs_[next_++];
    SEQ_RETURN_IF_ERROR(MakeFolderOf(FolderOfJob(sweep_, job)));
    *text = ProcessOf(sweep_, job, sweep_.rungs[rung_ - 1]).Text();
    return WorkSource::Next::kJob;
  }

  void BeginRung(const SweepRung& rung) {
    before_ += jobs_.size();
    jobs_.clear();
    next_ = ended_ = 0;
    points_.resize(std::min(points_.size(), static_cast<size_t>(rung.points)));
    for (const size_t point : points_) {
      ++reached_[sweep_.points[point].name];
      for (int64_t i = 0; i < sweep_.seeds; ++i) {
        const SweepJob job{point, sweep_.first_seed + i};
        const absl::StatusOr<RunRecord> run = LoadRunRecord(FolderOfJob(sweep_, job));
        if (!run.ok() || !IsDone(*run, rung)) jobs_.push_back(job);
      }
    }
  }

  absl::Status Take(int64_t number, const std::string& text) {
    SEQ_ASSIGN_OR_RETURN(const PoolResult result, PoolResult::FromText(text));
    ++outcome_.ended;
    outcome_.own_seconds += result.seconds;
    const std::string folder = FolderOfJob(sweep_, jobs_[static_cast<size_t>(number) - before_]);
    const std::string name = folder.substr(sweep_.folder.size() + 1);
    say_(absl::StrCat("[", ++ended_, "/", jobs_.size(), "] ",
                      LineOf(name, result.status, LoadRunRecord(folder))));
    if (result.status != 0 && outcome_.first_failure.empty() && !interrupt_.load()) {
      outcome_.first_failure = absl::StrCat(name, " ended with status ", result.status, ": ",
                                            folder, "/", kOutputFile, " says why");
    }
    return absl::OkStatus();
  }

  // As the runs stood after that many epochs; 0: as they stand.
  std::vector<SweepRow> Rows(const std::vector<size_t>& points, int64_t epochs) const {
    std::vector<SweepRow> rows;
    for (const size_t point : points) {
      std::vector<RunRecord> runs;
      for (int64_t i = 0; i < sweep_.seeds; ++i) {
        absl::StatusOr<RunRecord> run =
            LoadRunRecord(FolderOfJob(sweep_, {point, sweep_.first_seed + i}));
        if (!run.ok() || run->history.rows() == 0) continue;
        runs.push_back(epochs > 0 ? UpToEpoch(*std::move(run), epochs) : *std::move(run));
      }
      rows.push_back(RowOf(sweep_.points[point], std::move(runs)));
    }
    return rows;
  }

  // By what they had reached in that rung: a sweep that was cut off in a later one, where some have
  // gone further, must choose as it had chosen.
  std::vector<size_t> Ranked(const std::vector<size_t>& points, const SweepRung& rung) const {
    std::vector<SweepRow> rows = Rows(points, rung.epochs);
    SortRows(sweep_.metric, &rows);
    std::vector<size_t> ranked;
    for (const SweepRow& row : rows) {
      const auto same = [&](size_t i) { return sweep_.points[i].name == row.point.name; };
      ranked.push_back(*std::find_if(points.begin(), points.end(), same));
    }
    return ranked;
  }

  int Reached(const SweepPoint& point) const {
    const auto found = reached_.find(point.name);
    return found == reached_.end() ? 0 : found->second;
  }

  const Sweep& sweep_;
  const std::atomic<bool>& interrupt_;
  const std::function<void(const std::string&)>& say_;
  SweepOutcome outcome_;
  std::vector<size_t> points_;                // that are in the rung, the best of the one before
  size_t rung_ = 0;                           // the next one
  std::vector<SweepJob> jobs_;                // of the rung
  size_t next_ = 0, ended_ = 0, before_ = 0;  // of these; how many there were in earlier rungs
  std::map<std::string, int> reached_;        // how many rungs
};

}  // namespace

std::string FlagOfSweep(const std::vector<std::string>& train) {
  for (const std::string& argument : train) {
    const std::string name = argument.substr(0, argument.find('='));
    for (const char* flag : kOfSweep) {
      if (name == flag) return flag;
    }
  }
  return "";
}

absl::Status OpenSweep(const Sweep& sweep, const std::string& definition) {
  SEQ_RETURN_IF_ERROR(MakeFolderOf(sweep.folder));
  const std::string lock = sweep.folder + "/lock";
  // Held until the process ends, whatever ends it.
  constexpr int kHow = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW;
  static const int held = Uninterrupted([&] { return ::open(lock.c_str(), kHow, 0666); });
  if (held < 0) return SystemError(errno, "cannot lock", lock);
  if (Uninterrupted([&] { return ::flock(held, LOCK_EX | LOCK_NB); }) != 0) {
    return FailedPrecondition("another process runs the sweep in ", sweep.folder,
                              ": wait for it, or name another folder by --output");
  }
  const std::string path = absl::StrCat(sweep.folder, "/", kDefinitionFile);
  const absl::StatusOr<std::string> there = ReadFile(path, kMostDefinition);
  if (absl::IsNotFound(there.status())) return AtomicWriteFile(path, definition);
  SEQ_RETURN_IF_ERROR(there.status());
  if (*there == definition) return absl::OkStatus();
  return FailedPrecondition(sweep.folder, " holds another sweep (", path,
                            " says which): name another folder by --output");
}

absl::StatusOr<SweepOutcome> RunSweep(const Sweep& sweep, Communicator& communicator,
                                      const std::atomic<bool>& interrupt,
                                      const std::function<void(const std::string&)>& say) {
  return Sweeper(sweep, interrupt, say).Run(communicator);
}

absl::Status HelpSweep(int at_once, Communicator& communicator,
                       const std::atomic<bool>& interrupt) {
  ProcessPool pool(at_once);
  WorkQueue queue(&communicator, {.slots = at_once});
  return pool.Run(queue, interrupt);
}

}  // namespace seqgraph::tools
