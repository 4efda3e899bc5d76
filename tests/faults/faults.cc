#include "tests/faults/faults.h"

#include <signal.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <random>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "data/testing/test_util.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

namespace fs = std::filesystem;

constexpr int kKilled = 1000 + SIGKILL;

// What FAULTS_DO has for it.
std::string Act(const std::string& what) {
  const std::map<std::string, int> errors = {
      {"ENOSPC", ENOSPC}, {"EIO", EIO}, {"EDQUOT", EDQUOT}, {"EINTR", EINTR}, {"ENOMEM", ENOMEM}};
  const auto found = errors.find(what);
  return found == errors.end() ? what : absl::StrCat(found->second);
}

const std::string& Shim() {
  static const auto* const path = new std::string(fs::absolute("tests/faults/libfault_shim.so"));
  return *path;
}

// The lines of standard error that are no notes.
std::vector<std::string> Complaints(const std::string& err) {
  std::vector<std::string> lines = absl::StrSplit(err, '\n', absl::SkipEmpty());
  std::erase_if(lines, [](const std::string& line) {
    return absl::StartsWith(line, "seqgraph: note: ") || !absl::StartsWith(line, "seqgraph: ");
  });
  return lines;
}

// Of the environment.
int64_t NumberOf(const char* variable, int64_t otherwise) {
  const char* const given = std::getenv(variable);
  if (given == nullptr) return otherwise;
  int64_t number = 0;
  EXPECT_TRUE(absl::SimpleAtoi(given, &number)) << variable << "=" << given;
  return number;
}

// One for all that this program draws.
uint64_t Seed() {
  static const uint64_t seed = [] {
    const int64_t drawn = NumberOf("SEQGRAPH_SEED", std::random_device{}());
    std::cout << "SEQGRAPH_SEED=" << drawn << "\n";
    return static_cast<uint64_t>(drawn);
  }();
  return seed;
}

std::string Told(const FaultRun& run, const Fault& fault) {
  return absl::StrCat(fault.kinds, " call ", fault.at, ", ", fault.what, " in ", fault.calls,
                      " calls: status ", run.process.status, ", ", run.process.err);
}

}  // namespace

bool FaultsCanBeMade() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  std::cout << "a sanitizer owns the allocator, and wants to be loaded first\n";
  return false;
#else
  return true;
#endif
}

const std::vector<std::string>& FaultKinds() {
  static const auto* const kinds =
      new std::vector<std::string>{"write",    "sync", "rename", "open",   "mkdir", "close",
                                   "truncate", "lock", "unlink", "stdout", "memory"};
  return *kinds;
}

FaultRun RunWithFault(const std::vector<std::string>& arguments, const std::string& folder,
                      const Fault& fault) {
  static const auto* const counts_folder = new std::string(MakeTempDir());
  const std::string counts = *counts_folder + "/counts", cache = folder + "/cache";
  std::vector<int64_t> numbers(2 * FaultKinds().size());
  const auto size = static_cast<int64_t>(numbers.size() * sizeof(numbers[0]));
  data::WriteFileOrDie(counts, std::string(static_cast<size_t>(size), '\0'));
  fs::remove_all(cache);
  FaultRun run;
  run.process = RunSeqgraph(
      arguments,
      {.folder = folder,
       .environment = {"LD_PRELOAD=" + Shim(), "FAULTS_COUNTS=" + counts, "FAULTS_UNDER=" + folder,
                       "FAULTS_KINDS=" + fault.kinds, absl::StrCat("FAULTS_AT=", fault.at),
                       absl::StrCat("FAULTS_FOR=", fault.calls), "FAULTS_DO=" + Act(fault.what),
                       "XDG_CACHE_HOME=" + cache}});
  const std::string bytes = data::ReadFileOrDie(counts);
  std::memcpy(numbers.data(), bytes.data(), static_cast<size_t>(size));
  for (size_t i = 0; i < FaultKinds().size(); ++i) {
    run.calls[FaultKinds()[i]] = numbers[i];
    if (const int64_t faults = numbers[FaultKinds().size() + i]; faults > 0) {
      run.faults[FaultKinds()[i]] = faults;
    }
  }
  return run;
}

FaultTrial::FaultTrial(FaultCase it, std::string folder)
    : case_(std::move(it)), folder_(std::move(folder)) {
  const FaultRun run = Run({});
  EXPECT_EQ(run.process.status, 0) << case_.name << ": " << run.process.err;
  new_ = Outputs();
  calls_ = run.calls;
  for (const auto& [path, bytes] : case_.outputs) {
    EXPECT_TRUE(new_.contains(path)) << case_.name << " does not write " << path;
  }
}

int64_t FaultTrial::Count(const std::string& kinds) const {
  int64_t count = 0;
  for (const auto kind : absl::StrSplit(kinds, ',')) count += calls_.at(std::string(kind));
  return count;
}

FaultRun FaultTrial::Run(const Fault& fault) {
  for (const auto& [path, bytes] : case_.outputs) {
    data::WriteFileOrDie(absl::StrCat(folder_, "/", path), bytes);
  }
  return RunWithFault(case_.arguments, folder_, fault);
}

std::map<std::string, std::string> FaultTrial::Outputs() const {
  std::map<std::string, std::string> files;
  for (const auto& [path, bytes] : case_.outputs) {
    const std::string file = absl::StrCat(folder_, "/", path);
    if (fs::exists(file)) files[path] = data::ReadFileOrDie(file);
  }
  return files;
}

void FaultTrial::ExpectJudged() const {
  if (case_.judge != nullptr) {
    EXPECT_EQ(case_.judge(folder_), "");
  }
}

void FaultTrial::ExpectOldOrNew() const {
  const std::map<std::string, std::string> now = Outputs();
  if (now == case_.outputs || now == new_) return;
  EXPECT_TRUE(case_.judge != nullptr) << "neither old nor new";
  ExpectJudged();
}

void FaultTrial::ExpectNew() const {
  const std::map<std::string, std::string> now = Outputs();
  if (case_.same_bytes) {
    EXPECT_TRUE(now == new_) << "not what an undisturbed run writes";
    return;
  }
  ExpectJudged();
  for (const auto& [path, bytes] : case_.outputs) {
    EXPECT_TRUE(now.contains(path) && now.at(path) != bytes) << path << " was not written";
  }
}

bool FaultTrial::HasLitter() const {
  for (const auto& entry : fs::recursive_directory_iterator(folder_)) {
    if (absl::EndsWith(entry.path().string(), ".tmp")) return true;
  }
  return false;
}

void FaultTrial::ExpectToldOrDone(const Fault& fault) {
  const FaultRun run = Run(fault);
  SCOPED_TRACE(absl::StrCat(case_.name, ": ", Told(run, fault)));
  EXPECT_FALSE(run.faults.empty());
  ASSERT_TRUE(run.process.status == 0 || run.process.status == 1);
  EXPECT_EQ(Complaints(run.process.err).size(), run.process.status == 0 ? 0u : 1u);
  run.process.status == 0 ? ExpectNew() : ExpectOldOrNew();
  // Who cannot remove a file leaves it to the next.
  if (run.faults.contains("unlink")) Run({});
  EXPECT_FALSE(HasLitter());
}

void FaultTrial::ExpectFilesWhole(const Fault& fault) {
  const FaultRun run = Run(fault);
  SCOPED_TRACE(absl::StrCat(case_.name, ": ", Told(run, fault)));
  EXPECT_FALSE(run.faults.empty());
  EXPECT_TRUE(run.process.status == 0 || run.process.status == 1);
  ExpectOldOrNew();
  if (HasLitter()) Run({});
  EXPECT_FALSE(HasLitter());
}

void FaultTrial::ExpectDone(const Fault& fault) {
  const FaultRun run = Run(fault);
  SCOPED_TRACE(absl::StrCat(case_.name, ": ", Told(run, fault)));
  EXPECT_FALSE(run.faults.empty());
  EXPECT_EQ(run.process.status, 0);
  EXPECT_EQ(run.process.err.find("note: cannot"), std::string::npos);
  ExpectNew();
  EXPECT_FALSE(HasLitter());
}

void FaultTrial::ExpectWholeAfterKill(const Fault& fault) {
  const FaultRun run = Run(fault);
  SCOPED_TRACE(absl::StrCat(case_.name, ": ", Told(run, fault)));
  ASSERT_EQ(run.process.status, kKilled);
  ExpectOldOrNew();
  // Not by Run(): what the killed one left is what the next finds, its cache too.
  const ProcessResult next = RunSeqgraph(
      case_.arguments,
      {.folder = folder_, .environment = {absl::StrCat("XDG_CACHE_HOME=", folder_, "/cache")}});
  EXPECT_EQ(next.status, 0) << next.err;
  ExpectNew();
  EXPECT_FALSE(HasLitter());
}

void FaultTrial::ExpectNoMemoryIsTold(const Fault& fault) {
  const FaultRun run = Run(fault);
  SCOPED_TRACE(absl::StrCat(case_.name, ": ", Told(run, fault)));
  const bool crash_of_onednn = case_.on_onednn && run.process.status == 1000 + SIGSEGV;
  ASSERT_TRUE(run.process.status == 0 || run.process.status == 1 || crash_of_onednn);
  run.process.status == 0 ? ExpectNew() : ExpectOldOrNew();
  if (run.process.status == 1) {
    EXPECT_FALSE(Complaints(run.process.err).empty());
    // Where a library ends the program itself, it says why, and main.cc in which command:
    // libarchive's __archive_errx (from archive_entry and its strings), libgomp's gomp_fatal (from
    // gomp_malloc).
    const bool library = absl::StrContains(run.process.err, "ABORTED: a library or plugin ended");
    EXPECT_TRUE(absl::StrContains(run.process.err, "RESOURCE_EXHAUSTED") ||
                (library && (absl::StrContains(run.process.err, "libarchive: ") ||
                             absl::StrContains(run.process.err, "libgomp: "))));
  }
  if (HasLitter()) Run({});
  EXPECT_FALSE(HasLitter());
}

std::vector<int64_t> CallsToTry(const std::string& what, int64_t n, int64_t first, int64_t drawn) {
  drawn = NumberOf("SEQGRAPH_SOAK", drawn);
  std::set<int64_t> calls;
  const bool all = n <= first + drawn;
  for (int64_t k = 1; k <= (all ? n : first); ++k) calls.insert(k);
  if (!all) {
    std::mt19937_64 random(Seed() + std::hash<std::string>{}(what));
    std::uniform_int_distribution<int64_t> draw(first + 1, n);
    for (int64_t i = 0; i < drawn; ++i) calls.insert(draw(random));
  }
  std::cout << what << ": " << calls.size() << " of " << n << " calls\n";
  return {calls.begin(), calls.end()};
}

}  // namespace seqgraph
