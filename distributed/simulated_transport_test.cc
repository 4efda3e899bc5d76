#include "distributed/simulated_transport.h"

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "distributed/testing/on_ranks.h"
#include "distributed/tree_reduce.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

using ::testing::HasSubstr;

constexpr int kTag = 9;

// Times in seconds that are easy to add: 10 until a message comes, 1 for each byte.
constexpr NetworkCosts kPlain{.latency = 10, .per_byte = 1, .overhead = 0, .per_added_byte = 0};

absl::Status SendTo(SimulatedRank& r, int to, absl::string_view bytes) {
  Transport& transport = r.communicator().transport();
  SEQ_ASSIGN_OR_RETURN(const auto send, transport.Send(to, kTag, {bytes.data(), bytes.size()}));
  return transport.Wait(send);
}

absl::StatusOr<std::string> ReceiveFrom(SimulatedRank& r, int from, size_t length) {
  std::string bytes(length, '?');
  Transport& transport = r.communicator().transport();
  SEQ_ASSIGN_OR_RETURN(const auto receive, transport.Receive(from, kTag, absl::MakeSpan(bytes)));
  SEQ_RETURN_IF_ERROR(transport.Wait(receive));
  return bytes;
}

TEST(SimulatedNetwork, AMessageTakesLatencyAndItsBytes) {
  SimulatedNetwork network(2, kPlain);
  SEQ_ASSERT_OK(network.Run([](SimulatedRank& r) -> absl::Status {
    if (r.communicator().is_root()) {
      r.Advance(5);
      SEQ_RETURN_IF_ERROR(SendTo(r, 1, "abc"));
      EXPECT_EQ(r.clock(), 8);  // its link is free again
      return absl::OkStatus();
    }
    SEQ_ASSIGN_OR_RETURN(const std::string got, ReceiveFrom(r, 0, 3));
    EXPECT_EQ(got, "abc");
    EXPECT_EQ(r.clock(), 5 + 10 + 3);
    return absl::OkStatus();
  }));
  EXPECT_EQ(network.seconds(), 18);
  EXPECT_EQ(network.use(0).computing, 5);
  EXPECT_EQ(network.use(0).bytes, 3);
  EXPECT_EQ(network.use(0).messages, 1);
  EXPECT_EQ(network.use(1).bytes, 0);
}

TEST(SimulatedNetwork, ProcessorsAreBusyForPartOfTheLatency) {
  NetworkCosts costs = kPlain;
  costs.overhead = 2;
  SimulatedNetwork network(2, costs);
  SEQ_ASSERT_OK(network.Run([](SimulatedRank& r) -> absl::Status {
    Transport& transport = r.communicator().transport();
    std::vector<Transport::Request> requests;
    char bytes[3] = {};
    for (char& byte : bytes) {
      SEQ_ASSIGN_OR_RETURN(const auto request, r.communicator().is_root()
                                                   ? transport.Send(1, kTag, {&byte, 1})
                                                   : transport.Receive(0, kTag, {&byte, 1}));
      requests.push_back(request);
    }
    if (r.communicator().is_root()) {
      EXPECT_EQ(r.clock(), 6);
    }
    SEQ_RETURN_IF_ERROR(r.communicator().Wait(requests));
    // They leave at 2, 4, 6, take 6 and a byte, and the receiver 2 each.
    EXPECT_EQ(r.clock(), r.communicator().is_root() ? 7 : 6 + 6 + 1 + 2);
    return absl::OkStatus();
  }));
}

// Two messages to rank 0: the second has to wait for its link. Two of rank 0: the same.
TEST(SimulatedNetwork, ALinkCarriesOneMessageAfterTheOther) {
  SimulatedNetwork network(3, kPlain);
  SEQ_ASSERT_OK(network.Run([](SimulatedRank& r) -> absl::Status {
    Communicator& c = r.communicator();
    if (!c.is_root()) {
      r.Advance(c.rank() == 1 ? 3 : 1);
      SEQ_RETURN_IF_ERROR(SendTo(r, 0, "12345"));  // of rank 2 from 11 to 16, of rank 1 to 21
      SEQ_RETURN_IF_ERROR(ReceiveFrom(r, 0, 4).status());
      EXPECT_EQ(r.clock(), c.rank() == 1 ? 21 + 4 + 10 : 21 + 8 + 10);
      return absl::OkStatus();
    }
    SEQ_RETURN_IF_ERROR(ReceiveFrom(r, 2, 5).status());
    EXPECT_EQ(r.clock(), 16);
    SEQ_RETURN_IF_ERROR(ReceiveFrom(r, 1, 5).status());
    EXPECT_EQ(r.clock(), 21);
    Transport& transport = c.transport();
    SEQ_ASSIGN_OR_RETURN(const auto first, transport.Send(1, kTag, {"1234", 4}));
    SEQ_ASSIGN_OR_RETURN(const auto second, transport.Send(2, kTag, {"1234", 4}));
    EXPECT_EQ(r.clock(), 21);
    return c.Wait({first, second});
  }));
}

// The first block of 100 bytes is under way while the sender computes, and so does the receiver.
TEST(SimulatedNetwork, MessagesGoOnWhileRanksCompute) {
  SimulatedNetwork network(2, kPlain);
  SEQ_ASSERT_OK(network.Run([](SimulatedRank& r) -> absl::Status {
    Transport& transport = r.communicator().transport();
    std::string bytes(100, 'x');
    SEQ_ASSIGN_OR_RETURN(const auto request,
                         r.communicator().is_root()
                             ? transport.Send(1, kTag, {bytes.data(), bytes.size()})
                             : transport.Receive(0, kTag, absl::MakeSpan(bytes)));
    r.Advance(105);
    SEQ_RETURN_IF_ERROR(transport.Wait(request));
    EXPECT_EQ(r.clock(), r.communicator().is_root() ? 105 : 110);
    return absl::OkStatus();
  }));
}

TEST(SimulatedNetwork, WhoAsksGetsToTheTimeWhenItHasCome) {
  NetworkCosts costs = kPlain;
  costs.latency = 1e-5;
  costs.per_byte = 1e-6;
  SimulatedNetwork network(3, costs);
  SEQ_ASSERT_OK(network.Run([](SimulatedRank& r) -> absl::Status {
    Communicator& c = r.communicator();
    if (!c.is_root()) return c.rank() == 2 ? SendTo(r, 0, "found") : absl::OkStatus();
    Transport::Waiting waiting;
    while (waiting.from < 0) {
      SEQ_ASSIGN_OR_RETURN(waiting, c.transport().Probe(Transport::kAnyone, kTag));
    }
    EXPECT_EQ(waiting.from, 2);
    EXPECT_EQ(waiting.bytes, 5);
    EXPECT_GE(r.clock(), 1.5e-5);
    EXPECT_LE(r.clock(), 1.53e-5);
    std::string bytes(5, '?');
    SEQ_ASSIGN_OR_RETURN(const auto receive, c.transport().Receive(2, kTag, absl::MakeSpan(bytes)));
    SEQ_ASSIGN_OR_RETURN(const bool done, c.transport().Test(receive));
    EXPECT_TRUE(done);
    EXPECT_EQ(bytes, "found");
    return absl::OkStatus();
  }));
}

TEST(SimulatedNetwork, SaysWhoWaitsInVain) {
  SimulatedNetwork network(3, kPlain);
  const absl::Status gone = network.Run([](SimulatedRank& r) {
    return r.communicator().rank() == 1 ? absl::OkStatus() : ReceiveFrom(r, 1, 1).status();
  });
  EXPECT_TRUE(absl::IsUnavailable(gone)) << gone;
  EXPECT_THAT(std::string(gone.message()), HasSubstr("rank 1 is gone, and rank 0 waits"));
  const absl::Status circle = network.Run([](SimulatedRank& r) {
    return ReceiveFrom(r, (r.communicator().rank() + 1) % 3, 1).status();
  });
  EXPECT_TRUE(absl::IsUnavailable(circle)) << circle;
  EXPECT_THAT(std::string(circle.message()), HasSubstr("rank 1 sends nothing, and rank 0 waits"));
  const absl::Status length = network.Run([](SimulatedRank& r) {
    return r.communicator().rank() == 0   ? SendTo(r, 1, "ab")
           : r.communicator().rank() == 1 ? ReceiveFrom(r, 0, 3).status()
                                          : absl::OkStatus();
  });
  EXPECT_THAT(std::string(length.message()), HasSubstr("sent 2 bytes with tag 9, rank 1 expected"));
}

// What a rank of a reduce-scatter has at the end, over any transport.
absl::Status ReduceBlocks(Communicator& c, const std::vector<std::vector<float>>& values,
                          std::vector<float>* sum) {
  const auto elements = static_cast<int64_t>(values[0].size());
  TreeReduceScatter reduce(&c, static_cast<int64_t>(values.size()), elements);
  for (int64_t b = reduce.own_blocks().begin; b < reduce.own_blocks().end; ++b) {
    const std::vector<float>& block = values[static_cast<size_t>(b)];
    std::copy(block.begin(), block.end(), reduce.NextBlock().begin());
    reduce.AddBlock();
  }
  SEQ_RETURN_IF_ERROR(reduce.Finish());
  std::copy(reduce.share().begin(), reduce.share().end(), sum->begin() + reduce.own_share().begin);
  return c.AllGather(absl::MakeSpan(*sum), reduce.shares());
}

TEST(SimulatedNetwork, ReducesToTheBitsOfThreads) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<std::vector<float>> values(13, std::vector<float>(83));
  for (auto& block : values) {
    for (size_t i = 0; i < block.size(); ++i) block[i] = std::ldexp(normal(random), i % 20);
  }
  for (const int size : {2, 3, 5}) {
    std::vector<std::vector<float>> threads(size, std::vector<float>(83)), simulated = threads;
    OnRanks(size, [&](Communicator& c) {
      SEQ_EXPECT_OK(ReduceBlocks(c, values, &threads[static_cast<size_t>(c.rank())]));
    });
    double seconds = 0;
    for (int again = 0; again < 2; ++again) {
      SimulatedNetwork network(size, {});
      SEQ_ASSERT_OK(network.Run([&](SimulatedRank& r) {
        Communicator& c = r.communicator();
        return ReduceBlocks(c, values, &simulated[static_cast<size_t>(c.rank())]);
      }));
      EXPECT_EQ(simulated, threads);
      if (again == 1) {
        EXPECT_EQ(network.seconds(), seconds);
      }
      seconds = network.seconds();
    }
    EXPECT_GT(seconds, 0);
  }
}

// Ten rounds reach 1,000 ranks: the root sends ten messages, each 1 behind the other, of which the
// second goes to 256 and from there over eight others to 511, 10 + 1 each.
TEST(SimulatedNetwork, HasRoomForAThousandRanks) {
  SimulatedNetwork network(1000, kPlain);
  SEQ_ASSERT_OK(network.Run([](SimulatedRank& r) -> absl::Status {
    char byte = r.communicator().is_root() ? 'x' : '?';
    SEQ_RETURN_IF_ERROR(r.communicator().Broadcast({&byte, 1}));
    EXPECT_EQ(byte, 'x');
    return absl::OkStatus();
  }));
  double latest = 0;
  for (int r = 0; r < 1000; ++r) latest = std::max(latest, network.use(r).clock);
  EXPECT_EQ(network.seconds(), latest);
  EXPECT_EQ(network.use(1).clock, 10 + 10);  // the last of ten that the root sends
  EXPECT_EQ(network.use(511).clock, 1 + 9 * 11);
  EXPECT_EQ(network.use(512).clock, 11 + 9);  // it sends nine on
}

TEST(SimulatedNetwork, CarriesOnlyWhatIsShortIfTold) {
  SimulatedNetwork network(2, kPlain, {.longest_carried = 4});
  SEQ_ASSERT_OK(network.Run([](SimulatedRank& r) -> absl::Status {
    if (r.communicator().is_root()) {
      SEQ_RETURN_IF_ERROR(SendTo(r, 1, "abcd"));
      return SendTo(r, 1, "abcde");
    }
    SEQ_ASSIGN_OR_RETURN(const std::string carried, ReceiveFrom(r, 0, 4));
    EXPECT_EQ(carried, "abcd");
    SEQ_ASSIGN_OR_RETURN(const std::string length_only, ReceiveFrom(r, 0, 5));
    EXPECT_EQ(length_only, "?????");
    EXPECT_EQ(r.clock(), 4 + 5 + 10);
    return absl::OkStatus();
  }));
}

}  // namespace
}  // namespace seqgraph
