#include "distributed/mpi_transport.h"

#include <dlfcn.h>
#include <sched.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/status_macros.h"

namespace seqgraph {
namespace {

constexpr char kObject[] = "libseqgraph_mpi.so";

// Where the shared object may be, the likeliest first.
std::vector<std::string> MpiObjects() {
  if (const char* given = std::getenv("SEQGRAPH_MPI_LIBRARY"); given != nullptr && *given != 0) {
    return {given};
  }
  std::vector<std::string> paths;
  std::error_code error;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", error);
  std::filesystem::path folder = program.parent_path();
  paths.push_back(folder / kObject);
  paths.push_back(program.string() + ".runfiles/seqgraph/distributed/mpi/" + kObject);
  paths.push_back(folder.parent_path() / "lib" / "seqgraph" / kObject);
  paths.push_back(folder.parent_path() / "lib" / kObject);
  // Bazel's output folder, from a program in it.
  for (int up = 0; up < 3 && folder.has_relative_path(); ++up) {
    folder = folder.parent_path();
    paths.push_back(folder / "distributed" / "mpi" / kObject);
  }
  return paths;
}

class MpiTransport : public Transport {
 public:
  MpiTransport(const SeqgraphMpiTable* mpi, HasLeft has_left)
      : mpi_(mpi), has_left_(std::move(has_left)) {}

  int rank() const override { return mpi_->rank(); }
  int size() const override { return mpi_->size(); }

  absl::StatusOr<Request> Send(int to, int tag, absl::Span<const char> bytes) override {
    Pending pending{.peer = to, .tag = tag};
    SEQ_RETURN_IF_ERROR(StatusOf(
        mpi_->send(bytes.data(), static_cast<int64_t>(bytes.size()), to, tag, &pending.request),
        pending));
    return Keep(pending);
  }

  absl::StatusOr<Request> Receive(int from, int tag, absl::Span<char> bytes) override {
    Pending pending{.peer = from, .tag = tag, .expected = static_cast<int64_t>(bytes.size())};
    SEQ_RETURN_IF_ERROR(StatusOf(
        mpi_->receive(bytes.data(), pending.expected, from, tag, &pending.request), pending));
    return Keep(pending);
  }

  absl::StatusOr<bool> Test(Request request) override {
    const auto found = pending_.find(request);
    if (found == pending_.end()) return Internal("no message under way has number ", request);
    Pending& pending = found->second;
    bool done = false;
    SeqgraphMpiMessage message = {};
    const int error = mpi_->test(&pending.request, &done, &message);
    if (error == 0 && !done) return false;
    const Pending ended = pending;
    pending_.erase(found);
    SEQ_RETURN_IF_ERROR(StatusOf(error, ended));
    if (ended.expected < 0 || (!message.truncated && message.bytes == ended.expected)) return true;
    return Internal("rank ", ended.peer, " sent ",
                    message.truncated && message.bytes <= ended.expected
                        ? absl::StrCat("more than ", ended.expected)
                        : absl::StrCat(message.bytes),
                    " bytes with tag ", ended.tag, ", rank ", rank(), " expected ", ended.expected);
  }

  absl::Status Wait(Request request) override {
    using Clock = std::chrono::steady_clock;
    using std::chrono::microseconds;
    // Measured: a message of 1 KB between two ranks takes about a microsecond. Who waits longer
    // than this waits for another rank's work, and may stand in its way.
    constexpr int kSpins = 200;
    constexpr microseconds kYielding(2000), kShortest(50), kLongest(1000);
    constexpr microseconds kBetweenQuestions(100000);
    for (int i = 0; i < kSpins; ++i) {
      SEQ_ASSIGN_OR_RETURN(const bool done, Test(request));
      if (done) return absl::OkStatus();
    }
    const Clock::time_point begin = Clock::now();
    Clock::time_point asked = begin;
    bool left = false;
    while (true) {
      SEQ_ASSIGN_OR_RETURN(const bool done, Test(request));
      if (done) return absl::OkStatus();
      const Clock::time_point now = Clock::now();
      const auto waited = std::chrono::duration_cast<microseconds>(now - begin);
      if (waited < kYielding) {
        ::sched_yield();
        continue;
      }
      if (now - asked > kBetweenQuestions) {
        const int peer = pending_[request].peer;
        if (left)
          return Unavailable("rank ", peer, " has left the job, and rank ", rank(),
                             " waits for it");
        asked = now;
        // What it sent before may be on its way still: one more round.
        left = has_left_ != nullptr && has_left_(peer);
      }
      std::this_thread::sleep_for(std::clamp(waited / 32, kShortest, kLongest));
    }
  }

  absl::StatusOr<Waiting> Probe(int from, int tag) override {
    bool waits = false;
    SeqgraphMpiMessage message = {};
    SEQ_RETURN_IF_ERROR(
        StatusOf(mpi_->probe(from, tag, &waits, &message), {.peer = from, .tag = tag}));
    return waits ? Waiting{message.from, message.bytes} : Waiting{};
  }

 private:
  struct Pending {
    SeqgraphMpiRequest request = {};
    int peer = 0, tag = 0;
    int64_t expected = -1;  // of a receive
  };

  Request Keep(const Pending& pending) {
    pending_[++last_] = pending;
    return last_;
  }

  absl::Status StatusOf(int error, const Pending& of) const {
    if (error == 0) return absl::OkStatus();
    char text[kSeqgraphMpiText];
    mpi_->text(error, text);
    // Where a rank has died, the watch finds the cause and ends the process meanwhile.
    std::this_thread::sleep_for(std::chrono::seconds(2));
    return Unavailable("rank ", rank(), " and rank ", of.peer,
                       " cannot exchange a message: ", text);
  }

  const SeqgraphMpiTable* mpi_;
  HasLeft has_left_;
  Request last_ = 0;
  std::unordered_map<Request, Pending> pending_;
};

}  // namespace

absl::StatusOr<const SeqgraphMpiTable*> LoadMpi(const std::string& path) {
  constexpr char kAdvice[] = "install libopenmpi-dev and openmpi-bin, then build again";
  const std::vector<std::string> paths =
      path.empty() ? MpiObjects() : std::vector<std::string>{path};
  std::error_code error;
  const auto found = std::find_if(paths.begin(), paths.end(), [&](const std::string& each) {
    return std::filesystem::exists(each, error);
  });
  if (found == paths.end()) {
    if (paths.size() > 1) return NotFound("--distributed needs MPI: ", kAdvice);
    return NotFound("--distributed needs MPI, and there is no ", paths[0], ": ", kAdvice);
  }
  // Global, because Open MPI loads parts of its own that look for its symbols.
  void* object = ::dlopen(found->c_str(), RTLD_NOW | RTLD_GLOBAL);
  if (object == nullptr) {
    return NotFound("--distributed needs MPI, which cannot be loaded (", ::dlerror(),
                    "): ", kAdvice);
  }
  const auto table =
      reinterpret_cast<decltype(&seqgraph_mpi_table)>(::dlsym(object, "seqgraph_mpi_table"));
  if (table == nullptr || table()->version != kSeqgraphMpiVersion) {
    return FailedPrecondition(*found, " belongs to another version of Seqgraph; build again");
  }
  return table();
}

std::unique_ptr<Transport> MakeMpiTransport(const SeqgraphMpiTable* mpi, HasLeft has_left) {
  return std::make_unique<MpiTransport>(mpi, std::move(has_left));
}

}  // namespace seqgraph
