#pragma once

// Jobs that depend on nobody, dealt out one by one, so that a fast rank does more of them.

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "distributed/communicator.h"

namespace seqgraph {

/// What the root has to say about jobs. Other ranks need none of it.
struct WorkSource {
  enum class Next {
    kJob,
    kLater,  ///< none before more results are there
    kEnd,    ///< none any more
  };
  /// Makes the next job; they are numbered from 0. An error stops all.
  std::function<absl::StatusOr<Next>(std::string* job)> next;
  /// Takes a result, in the order in which they come: of each job once. An error stops all.
  std::function<absl::Status(int64_t number, int rank, std::string result)> take;
};

struct WorkQueueOptions {
  int slots = 1;  ///< jobs that this rank does at the same time
  int ahead = 0;  ///< jobs that lie ready here besides, where there are enough for all
};

/// The root gives out jobs and works too; no thread is needed, as it looks at what others sent
/// whenever it calls Poll() or Take(), at once. A job of a rank that is gone is given to another,
/// if the transport can tell that one is gone; the result of a job is taken once.
///
///   WorkQueue queue(&communicator, {}, source);   // on every rank
///   SEQ_RETURN_IF_ERROR(queue.Run(work, &interrupt));
class WorkQueue {
 public:
  struct Job {
    int64_t number = 0;
    std::string text;
  };

  /// The communicator must outlive it. All of its ranks make one, and end it by Finish().
  WorkQueue(Communicator* communicator, WorkQueueOptions options, WorkSource source = {});
  WorkQueue(const WorkQueue&) = delete;
  WorkQueue& operator=(const WorkQueue&) = delete;

  /// Moves on what is under way. The error that stopped all, if one did; Unavailable where the root
  /// is gone.
  absl::Status Poll();
  /// A job for a free slot, if one is here. Errors as Poll().
  absl::StatusOr<std::optional<Job>> Take();
  /// To be called once for each job that was taken.
  absl::Status Report(int64_t number, std::string result);
  /// Whether there is nothing to take any more.
  bool done() const;
  /// Ends it on all ranks: nothing more is dealt out. The first reason that comes to the root is
  /// everybody's.
  void Stop(const absl::Status& why);
  /// Waits until all ranks have come here. The error that stopped all, if one did. Where a rank
  /// stopped it, the root's message names that rank.
  absl::Status Finish();

  /// All of it, with one job at a time. `work` gives a job's result, and may call Poll() while it
  /// takes long: at the root others wait for it. Its error stops all. Cancelled once `interrupt` is
  /// set (null: never), on all ranks.
  using Work = absl::FunctionRef<absl::StatusOr<std::string>(const Job& job)>;
  absl::Status Run(Work work, const std::atomic<bool>* interrupt);

 private:
  enum Kind : int64_t { kHello, kJob, kResult, kStop, kEnd, kBye };
  struct Message {
    int64_t kind = 0, number = 0;
    std::string text;
  };
  // What the root knows of a rank.
  struct Peer {
    bool gone = false, ended = false;
    int64_t slots = 0, ahead = 0;
    std::map<int64_t, std::string> jobs;  // that it has, by number
  };
  struct Sent {
    int to;
    std::string bytes;
    Transport::Request request;
  };

  bool is_root() const { return communicator_->is_root(); }
  Peer& peer(int rank) { return peers_[static_cast<size_t>(rank)]; }
  absl::Status Send(int to, Kind kind, int64_t number, absl::string_view text);
  absl::Status MoveSends();
  absl::StatusOr<std::optional<std::pair<int, Message>>> Receive(int from);
  absl::Status PollRoot();
  absl::Status PollOther();
  absl::Status Understand(int from, Message message);
  absl::Status TakeResult(int from, int64_t number, std::string result);
  void LookForGone();
  void Lose(int rank);
  absl::Status Refill();
  absl::Status Deal();
  absl::Status FinishRoot();
  Job NextReady();

  Communicator* communicator_;
  WorkQueueOptions options_;
  WorkSource source_;
  absl::Status stopped_;
  std::list<Sent> sent_;
  // At the root.
  std::vector<Peer> peers_;
  std::deque<Job> ready_;
  int64_t made_ = 0, outstanding_ = 0;
  bool source_ended_ = false;
  int polls_ = 0;
  // Elsewhere.
  std::deque<Job> here_;
  int64_t working_ = 0;
  bool ended_ = false;
};

}  // namespace seqgraph
