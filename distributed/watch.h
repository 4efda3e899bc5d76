#pragma once

// Ends a job when one of its ranks dies, hangs or cannot be reached, which MPI alone does not.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "distributed/communicator.h"
#include "distributed/sockets.h"
#include "distributed/termination.h"

namespace seqgraph {

struct WatchOptions {
  /// A rank that is silent for so long is lost; the root's counts for all.
  double timeout_seconds = 7;
  /// Between two signs of life; 0: half a second, or a quarter of a short timeout.
  double heartbeat_seconds = 0;
  /// Gets the one line that says why the job ends, and ends the process; null: standard error, and
  /// exit status 1. For tests, which go on.
  std::function<void(const std::string&)> report;
  std::function<void()> end;
};

/// A thread beside the work of a rank, with a TCP connection to the root: each tells the other
/// every half second that it lives. A connection that ends without a goodbye is a process that
/// ended, and one that is silent for too long a process that hangs or a link that is cut. The root
/// then writes one line that names the rank, its host and the cause, tells the others, and all
/// processes end. Where the root is lost, rank 1 does that.
///
/// While it lives, the process survives the first SIGTERM by 0.3 s (unless somebody handles it): so
/// long a launcher that ends all ranks at once waits for the word of the one who knows why.
class Watch {
 public:
  /// All ranks call it. Errors: a rank that cannot reach the root; all get the same.
  static absl::StatusOr<std::unique_ptr<Watch>> Start(Communicator& communicator,
                                                      const WatchOptions& options = {});
  /// Without Leave before, the others see a process that ended.
  ~Watch();

  /// Where the root listens; 0 elsewhere.
  int port() const { return listener_.port; }
  /// Whether that rank has said goodbye.
  bool HasLeft(int rank) const { return left_[static_cast<size_t>(rank)].load(); }
  /// Says goodbye, and waits until all have.
  void Leave();
  /// Ends the job for that reason, of this rank. Returns where the root does not answer (and after
  /// `end`, if that returns).
  void Fail(const std::string& cause);

 private:
  using Clock = std::chrono::steady_clock;
  // A connection, and who is at its other end; -1: who has not said it yet.
  struct Peer {
    Socket socket;
    int rank = -1;
    std::string received;
    Clock::time_point heard;
    bool told_to_end = false;  // by a signal
  };
  struct Loss {
    int rank = -1;
    std::string cause;
    Clock::time_point due;  // when this is said
  };

  Watch(Communicator& communicator, const WatchOptions& options);
  absl::Status Connect(Communicator& communicator);
  absl::Status AwaitRanks();

  void Run();
  void Poll(Clock::time_point until);
  void NoticePause(Clock::duration late);
  void TakeConnections();
  void Take(Peer& peer);
  bool TakeHello(Peer& peer);
  void TakeMessage(Peer& peer, char kind, const std::string& text);
  void DoAsRequested();
  // Of at least so long.
  void LookForSilence(Clock::time_point now, std::chrono::milliseconds limit);
  void Goodbye(int rank);
  void ToAll(char kind, const std::string& text = "");
  // A rank is lost; what is noticed first counts.
  void Lose(int rank, const std::string& cause, double delay_seconds = 0);
  void EndAll();
  void Wake();
  std::string HostOf(int rank) const { return hosts_[static_cast<size_t>(rank)]; }

  const int rank_, size_;
  WatchOptions options_;
  Listener listener_;  // of the root
  std::string token_;  // who knows it belongs to the job
  std::vector<std::string> hosts_;
  std::vector<Peer> peers_;
  std::vector<std::atomic<bool>> left_;
  Loss loss_;
  Clock::time_point terminated_;  // when SIGTERM came; zero: it did not
  Clock::time_point mute_until_;
  Socket wake_;

  std::mutex mutex_;
  std::condition_variable changed_;
  bool leaving_ = false, said_goodbye_ = false, all_left_ = false, stopped_ = false, ended_ = false;
  std::string failure_;
  std::unique_ptr<TerminationNotice> notice_;  // null in tests
  std::thread thread_;
};

}  // namespace seqgraph
