#include "distributed/simulated_transport.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <queue>
#include <semaphore>
#include <string>
#include <system_error>
#include <thread>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/status_macros.h"

namespace seqgraph {
namespace {

constexpr double kNotYet = std::numeric_limits<double>::infinity();
// What asking takes at least: who asks until something has come must get there.
constexpr double kAskSeconds = 0.1e-6;

struct Message {
  int from = 0, to = 0;
  int64_t bytes = 0;
  std::string carried;       // until the receive has begun
  double arrival = kNotYet;  // known once its head has come to the receiver's link
};

// Tag, sender, and a number that grows.
using MessageKey = std::tuple<int, int, int64_t>;

struct PendingReceive {
  int from = 0, tag = 0;
  absl::Span<char> bytes;
  std::unique_ptr<Message> message;  // null: not sent yet
};

struct RankState {
  double out_free = 0, in_free = 0;  // when its links are
  SimulatedUse use;
  Transport::Request last = 0;
  std::unordered_map<Transport::Request, double> sends;  // when they leave the link
  std::unordered_map<Transport::Request, PendingReceive> receives;
  std::map<MessageKey, Transport::Request> begun;                // receives without a message
  std::map<MessageKey, std::unique_ptr<Message>> not_asked_for;  // messages without a receive
  const PendingReceive* awaited = nullptr;
  bool done = false;
  std::binary_semaphore turn{0};
};

// The first of a tag and a sender; end() if there is none.
template <typename T>
auto FirstOf(std::map<MessageKey, T>& map, int tag, int from) {
  const auto it = map.lower_bound({tag, from, 0});
  const bool found =
      it != map.end() && std::get<0>(it->first) == tag && std::get<1>(it->first) == from;
  return found ? it : map.end();
}

}  // namespace

// One thread at a time is in here: whoever has the turn. It goes on by itself until it must wait,
// and then finds out who is next.
class SimulatedNetwork::Simulation {
 public:
  Simulation(int size, const NetworkCosts& costs, const SimulationOptions& options)
      : costs_(costs), options_(options), ranks_(static_cast<size_t>(size)) {}

  absl::Status Run(const std::function<absl::Status(SimulatedRank&)>& body);

  int size() const { return static_cast<int>(ranks_.size()); }
  RankState& rank(int r) { return ranks_[static_cast<size_t>(r)]; }

  absl::StatusOr<Transport::Request> Send(int from, int to, int tag, absl::Span<const char> bytes);
  absl::StatusOr<Transport::Request> Receive(int to, int from, int tag, absl::Span<char> bytes);
  absl::Status Wait(int r, Transport::Request request);
  absl::StatusOr<bool> Test(int r, Transport::Request request);
  Transport::Waiting Probe(int r, int from, int tag);

 private:
  struct Head {
    double time;
    int64_t number;
    Message* message;
    bool operator>(const Head& o) const {
      return std::tie(time, number) > std::tie(o.time, o.number);
    }
  };
  using Ready = std::pair<double, int>;
  template <typename T>
  using Earliest = std::priority_queue<T, std::vector<T>, std::greater<T>>;

  void RunRank(int r, const std::function<absl::Status(SimulatedRank&)>& body);
  int Next();
  void Deliver();
  void GiveTurn(int r);
  // Lets everything happen that is due before the clock of `r`, which costs it a little.
  void CatchUp(int r);
  static void Carry(const absl::Span<const char> bytes, PendingReceive& receive);
  absl::Status Finish(int r, std::unordered_map<Transport::Request, PendingReceive>::iterator it);

  const NetworkCosts costs_;
  const SimulationOptions options_;
  std::vector<RankState> ranks_;
  int64_t number_ = 0;
  Earliest<Head> heads_;
  Earliest<Ready> ready_;
  std::binary_semaphore all_done_{0};
  bool cancelled_ = false;
  absl::Status first_error_;
};

namespace {

// Forwards to the simulation.
template <typename Simulation>
class SimulatedTransport : public Transport {
 public:
  SimulatedTransport(Simulation* simulation, int rank) : simulation_(simulation), rank_(rank) {}
  int rank() const override { return rank_; }
  int size() const override { return simulation_->size(); }
  absl::StatusOr<Request> Send(int to, int tag, absl::Span<const char> bytes) override {
    return simulation_->Send(rank_, to, tag, bytes);
  }
  absl::StatusOr<Request> Receive(int from, int tag, absl::Span<char> bytes) override {
    return simulation_->Receive(rank_, from, tag, bytes);
  }
  absl::Status Wait(Request request) override { return simulation_->Wait(rank_, request); }
  absl::StatusOr<bool> Test(Request request) override { return simulation_->Test(rank_, request); }
  absl::StatusOr<Waiting> Probe(int from, int tag) override {
    return simulation_->Probe(rank_, from, tag);
  }

 private:
  Simulation* simulation_;
  const int rank_;
};

class RankOfState : public SimulatedRank {
 public:
  RankOfState(SimulatedUse* use, std::unique_ptr<Transport> transport)
      : use_(use), communicator_(std::move(transport)) {}
  Communicator& communicator() override { return communicator_; }
  void Advance(double seconds) override {
    use_->clock += seconds;
    use_->computing += seconds;
  }
  double clock() const override { return use_->clock; }

 private:
  SimulatedUse* use_;
  Communicator communicator_;
};

}  // namespace

absl::Status SimulatedNetwork::Simulation::Run(
    const std::function<absl::Status(SimulatedRank&)>& body) {
  std::vector<std::thread> threads;
  for (int r = 0; r < size(); ++r) ready_.push({0.0, r});
  try {
    for (int r = 0; r < size(); ++r) threads.emplace_back([this, r, &body] { RunRank(r, body); });
  } catch (const std::system_error& error) {
    cancelled_ = true;
    for (size_t r = 0; r < threads.size(); ++r) ranks_[r].turn.release();
    for (std::thread& thread : threads) thread.join();
    return absl::ResourceExhaustedError(
        absl::StrCat("the simulation of ", size(), " ranks needs as many threads: ", error.what()));
  }
  GiveTurn(Next());
  all_done_.acquire();
  for (std::thread& thread : threads) thread.join();
  return first_error_;
}

void SimulatedNetwork::Simulation::RunRank(
    int r, const std::function<absl::Status(SimulatedRank&)>& body) {
  rank(r).turn.acquire();
  if (cancelled_) return;
  {
    RankOfState own(&rank(r).use, std::make_unique<SimulatedTransport<Simulation>>(this, r));
    first_error_.Update(body(own));
  }
  rank(r).done = true;
  rank(r).begun.clear();  // what it had begun to receive may lie in memory that is gone
  GiveTurn(Next());
}

// Who goes on: whose clock is the earliest once all that happens before has happened; where nothing
// happens any more, the first that waits in vain; -1: all are done.
int SimulatedNetwork::Simulation::Next() {
  while (true) {
    if (!heads_.empty() && (ready_.empty() || heads_.top().time <= ready_.top().first)) {
      Deliver();
    } else if (!ready_.empty()) {
      const int r = ready_.top().second;
      ready_.pop();
      return r;
    } else {
      const auto waits = [](const RankState& state) { return !state.done; };
      const auto it = std::find_if(ranks_.begin(), ranks_.end(), waits);
      return it == ranks_.end() ? -1 : static_cast<int>(it - ranks_.begin());
    }
  }
}

// The head of a message has come to its receiver's link.
void SimulatedNetwork::Simulation::Deliver() {
  const Head head = heads_.top();
  heads_.pop();
  Message& message = *head.message;
  RankState& to = rank(message.to);
  message.arrival =
      std::max(head.time, to.in_free) + static_cast<double>(message.bytes) * costs_.per_byte;
  to.in_free = message.arrival;
  if (to.awaited == nullptr || to.awaited->message.get() != &message) return;
  to.awaited = nullptr;
  to.use.clock = std::max(to.use.clock, message.arrival);
  ready_.push({to.use.clock, message.to});
}

void SimulatedNetwork::Simulation::GiveTurn(int r) { (r < 0 ? all_done_ : rank(r).turn).release(); }

void SimulatedNetwork::Simulation::CatchUp(int r) {
  rank(r).use.clock += kAskSeconds;
  ready_.push({rank(r).use.clock, r});
  const int next = Next();
  if (next == r) return;
  GiveTurn(next);
  rank(r).turn.acquire();
}

void SimulatedNetwork::Simulation::Carry(const absl::Span<const char> bytes,
                                         PendingReceive& receive) {
  if (bytes.empty() || bytes.size() != receive.bytes.size()) return;
  std::memcpy(receive.bytes.data(), bytes.data(), bytes.size());
}

absl::StatusOr<Transport::Request> SimulatedNetwork::Simulation::Send(
    int from, int to, int tag, absl::Span<const char> bytes) {
  if (to < 0 || to >= size()) {
    return Internal("a message to rank ", to, " of ", size(), ", which count from 0");
  }
  RankState& sender = rank(from);
  RankState& receiver = rank(to);
  auto message = std::make_unique<Message>();
  message->from = from;
  message->to = to;
  message->bytes = static_cast<int64_t>(bytes.size());
  if (to == from) {
    message->arrival = sender.use.clock;
  } else {
    const double busy = costs_.busy();
    sender.use.clock += busy;
    const double start = std::max(sender.use.clock, sender.out_free);
    sender.out_free = start + static_cast<double>(bytes.size()) * costs_.per_byte;
    heads_.push({start + costs_.latency - 2 * busy, ++number_, message.get()});
    sender.use.messages += 1;
    sender.use.bytes += message->bytes;
  }
  sender.sends[++sender.last] = to == from ? sender.use.clock : sender.out_free;
  const bool carry = message->bytes <= options_.longest_carried;
  const auto begun = FirstOf(receiver.begun, tag, from);
  if (begun != receiver.begun.end()) {
    PendingReceive& receive = receiver.receives[begun->second];
    if (carry) Carry(bytes, receive);
    receive.message = std::move(message);
    receiver.begun.erase(begun);
  } else {
    if (carry) message->carried.assign(bytes.data(), bytes.size());
    receiver.not_asked_for.emplace(MessageKey{tag, from, ++number_}, std::move(message));
  }
  return sender.last;
}

absl::StatusOr<Transport::Request> SimulatedNetwork::Simulation::Receive(int to, int from, int tag,
                                                                         absl::Span<char> bytes) {
  if (from < 0 || from >= size()) {
    return Internal("a message of rank ", from, " of ", size(), ", which count from 0");
  }
  RankState& receiver = rank(to);
  PendingReceive receive{from, tag, bytes, nullptr};
  const auto sent = FirstOf(receiver.not_asked_for, tag, from);
  ++receiver.last;
  if (sent != receiver.not_asked_for.end()) {
    receive.message = std::move(sent->second);
    receiver.not_asked_for.erase(sent);
    Carry(receive.message->carried, receive);
    std::string().swap(receive.message->carried);
  } else {
    receiver.begun.emplace(MessageKey{tag, from, ++number_}, receiver.last);
  }
  receiver.receives.emplace(receiver.last, std::move(receive));
  return receiver.last;
}

absl::Status SimulatedNetwork::Simulation::Finish(
    int r, std::unordered_map<Transport::Request, PendingReceive>::iterator it) {
  RankState& own = rank(r);
  const PendingReceive receive = std::move(it->second);
  own.receives.erase(it);
  const Message& message = *receive.message;
  own.use.clock = std::max(own.use.clock, message.arrival);
  if (message.from != r) own.use.clock += costs_.busy();
  if (message.bytes == static_cast<int64_t>(receive.bytes.size())) return absl::OkStatus();
  return Internal("rank ", receive.from, " sent ", message.bytes, " bytes with tag ", receive.tag,
                  ", rank ", r, " expected ", receive.bytes.size());
}

absl::Status SimulatedNetwork::Simulation::Wait(int r, Transport::Request request) {
  RankState& own = rank(r);
  if (const auto sent = own.sends.find(request); sent != own.sends.end()) {
    own.use.clock = std::max(own.use.clock, sent->second);
    own.sends.erase(sent);
    return absl::OkStatus();
  }
  const auto it = own.receives.find(request);
  if (it == own.receives.end()) return Internal("no message under way has number ", request);
  if (it->second.message == nullptr || it->second.message->arrival == kNotYet) {
    own.awaited = &it->second;
    const int next = Next();
    if (next != r) {
      GiveTurn(next);
      own.turn.acquire();
    }
    own.awaited = nullptr;
  }
  if (it->second.message == nullptr) {
    const PendingReceive receive = std::move(it->second);
    own.receives.erase(it);
    std::erase_if(own.begun, [&](const auto& begun) { return begun.second == request; });
    return Unavailable(rank(receive.from).done ? "rank " : "all wait: rank ", receive.from,
                       rank(receive.from).done ? " is gone" : " sends nothing", ", and rank ", r,
                       " waits for it with tag ", receive.tag);
  }
  return Finish(r, it);
}

absl::StatusOr<bool> SimulatedNetwork::Simulation::Test(int r, Transport::Request request) {
  CatchUp(r);
  RankState& own = rank(r);
  if (const auto sent = own.sends.find(request); sent != own.sends.end()) {
    if (sent->second > own.use.clock) return false;
    own.sends.erase(sent);
    return true;
  }
  const auto it = own.receives.find(request);
  if (it == own.receives.end()) return Internal("no message under way has number ", request);
  if (it->second.message == nullptr || it->second.message->arrival > own.use.clock) return false;
  SEQ_RETURN_IF_ERROR(Finish(r, it));
  return true;
}

Transport::Waiting SimulatedNetwork::Simulation::Probe(int r, int from, int tag) {
  CatchUp(r);
  RankState& own = rank(r);
  for (auto it = own.not_asked_for.lower_bound({tag, std::max(from, 0), 0});
       it != own.not_asked_for.end() && std::get<0>(it->first) == tag; ++it) {
    const Message& message = *it->second;
    if (from != Transport::kAnyone && from != message.from) break;
    if (message.arrival <= own.use.clock) return {message.from, message.bytes};
  }
  return {};
}

SimulatedNetwork::SimulatedNetwork(int ranks, const NetworkCosts& costs,
                                   const SimulationOptions& options)
    : ranks_(ranks), costs_(costs), options_(options) {}

SimulatedNetwork::~SimulatedNetwork() = default;

absl::Status SimulatedNetwork::Run(const std::function<absl::Status(SimulatedRank&)>& body) {
  simulation_ = std::make_unique<Simulation>(ranks_, costs_, options_);
  return simulation_->Run(body);
}

SimulatedUse SimulatedNetwork::use(int rank) const {
  return simulation_ == nullptr ? SimulatedUse() : simulation_->rank(rank).use;
}

double SimulatedNetwork::seconds() const {
  double latest = 0;
  for (int r = 0; r < ranks_; ++r) latest = std::max(latest, use(r).clock);
  return latest;
}

}  // namespace seqgraph
