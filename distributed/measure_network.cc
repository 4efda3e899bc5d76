#include "distributed/measure_network.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "base/status_macros.h"

namespace seqgraph {
namespace {

constexpr int kMeasureTag = 100;  // beside those of message_tag
constexpr int kBurst = 64;
constexpr double kSecondsOfLength = 0.5;

double SteadySeconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Rounds between ranks 0 and 1, of which rank 0 takes the times.
class Rounds {
 public:
  Rounds(Communicator& communicator, const MeasureNetworkOptions& options)
      : transport_(communicator.transport()),
        communicator_(communicator),
        options_(options),
        now_(options.now ? options.now : SteadySeconds),
        peer_(1 - communicator.rank()),
        out_(static_cast<size_t>(options.longest)),
        in_(out_.size()) {}

  // The fastest of some rounds of this kind; the root says how many.
  absl::StatusOr<double> Fastest(absl::Status (Rounds::*round)(int64_t), int64_t bytes) {
    double fastest = 1e300;
    const double begin = now_();
    for (int i = 0; i < options_.rounds; ++i) {
      const double start = now_();
      SEQ_RETURN_IF_ERROR((this->*round)(bytes));
      fastest = std::min(fastest, now_() - start);
      char more = now_() - begin < kSecondsOfLength ? 1 : 0;
      SEQ_RETURN_IF_ERROR(communicator_.is_root() ? Send(&more, 1) : Receive(&more, 1));
      if (more == 0) break;
    }
    return fastest;
  }

  absl::Status PingPong(int64_t bytes) {
    if (!communicator_.is_root()) SEQ_RETURN_IF_ERROR(Receive(in_.data(), bytes));
    SEQ_RETURN_IF_ERROR(Send(out_.data(), bytes));
    return communicator_.is_root() ? Receive(in_.data(), bytes) : absl::OkStatus();
  }

  absl::Status BothWays(int64_t bytes) {
    const auto length = static_cast<size_t>(bytes);
    SEQ_ASSIGN_OR_RETURN(const auto receive,
                         transport_.Receive(peer_, kMeasureTag, {in_.data(), length}));
    SEQ_ASSIGN_OR_RETURN(const auto send,
                         transport_.Send(peer_, kMeasureTag, {out_.data(), length}));
    return communicator_.Wait({receive, send});
  }

  absl::Status Burst(int64_t) {
    std::vector<Transport::Request> requests;
    for (size_t i = 0; i < kBurst; ++i) {
      SEQ_ASSIGN_OR_RETURN(const auto request,
                           communicator_.is_root()
                               ? transport_.Send(peer_, kMeasureTag, {&out_[i], 1})
                               : transport_.Receive(peer_, kMeasureTag, {&in_[i], 1}));
      requests.push_back(request);
    }
    SEQ_RETURN_IF_ERROR(communicator_.Wait(requests));
    return communicator_.is_root() ? Receive(in_.data(), 1) : Send(out_.data(), 1);
  }

 private:
  absl::Status Send(const char* bytes, int64_t length) {
    SEQ_ASSIGN_OR_RETURN(const auto send,
                         transport_.Send(peer_, kMeasureTag, {bytes, static_cast<size_t>(length)}));
    return transport_.Wait(send);
  }
  absl::Status Receive(char* bytes, int64_t length) {
    SEQ_ASSIGN_OR_RETURN(
        const auto receive,
        transport_.Receive(peer_, kMeasureTag, {bytes, static_cast<size_t>(length)}));
    return transport_.Wait(receive);
  }

  Transport& transport_;
  Communicator& communicator_;
  const MeasureNetworkOptions& options_;
  const std::function<double()> now_;
  const int peer_;
  std::vector<char> out_, in_;
};

// sum (x - mean x)(y - mean y) / sum (x - mean x)^2
double Slope(const std::vector<double>& x, const std::vector<double>& y) {
  double mean_x = 0, mean_y = 0, upper = 0, lower = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    mean_x += x[i] / static_cast<double>(x.size());
    mean_y += y[i] / static_cast<double>(x.size());
  }
  for (size_t i = 0; i < x.size(); ++i) {
    upper += (x[i] - mean_x) * (y[i] - mean_y);
    lower += (x[i] - mean_x) * (x[i] - mean_x);
  }
  return upper / lower;
}

absl::StatusOr<NetworkCosts> MeasureHere(Communicator& communicator,
                                         const MeasureNetworkOptions& options) {
  NetworkCosts costs;
  Rounds rounds(communicator, options);
  SEQ_ASSIGN_OR_RETURN(const double round_trip, rounds.Fastest(&Rounds::PingPong, 1));
  costs.latency = round_trip / 2;
  std::vector<double> lengths, seconds;
  for (const int64_t bytes : {options.longest / 16, options.longest / 4, options.longest}) {
    SEQ_ASSIGN_OR_RETURN(const double both, rounds.Fastest(&Rounds::BothWays, bytes));
    lengths.push_back(static_cast<double>(bytes));
    seconds.push_back(both);
  }
  costs.per_byte = std::max(Slope(lengths, seconds), 0.0);
  SEQ_ASSIGN_OR_RETURN(const double burst, rounds.Fastest(&Rounds::Burst, 1));
  costs.overhead = std::max((burst - round_trip) / (kBurst - 1), 0.0);
  return costs;
}

}  // namespace

absl::StatusOr<NetworkCosts> MeasureNetwork(Communicator& communicator,
                                            const MeasureNetworkOptions& options) {
  if (communicator.size() < 2) {
    return FailedPrecondition(
        "messages are measured between ranks 0 and 1 of a job: there is one "
        "rank alone");
  }
  NetworkCosts costs;
  if (communicator.rank() < 2) {
    SEQ_ASSIGN_OR_RETURN(costs, MeasureHere(communicator, options));
  }
  SEQ_RETURN_IF_ERROR(communicator.BroadcastValue(&costs));
  return costs;
}

double MeasureAddedByte(int64_t elements) {
  std::vector<float> a(static_cast<size_t>(std::clamp<int64_t>(elements, 64, 1 << 22)), 1);
  const std::vector<float> b(a.size(), 0.5F);
  const int repeats = static_cast<int>(std::max<size_t>(1, (1 << 16) / a.size()));
  double fastest = 1e300;
  for (int i = 0; i < 9; ++i) {
    const double start = SteadySeconds();
    for (int again = 0; again < repeats; ++again) {
      for (size_t n = 0; n < a.size(); ++n) a[n] += b[n];
      asm volatile(""
                   :
                   : "r"(a.data())
                   : "memory");  // or the sums, which nobody reads, are left out
    }
    fastest = std::min(fastest, SteadySeconds() - start);
  }
  return fastest / repeats / static_cast<double>(a.size() * sizeof(float));
}

}  // namespace seqgraph
