// One rank of a job, for tests: does what its first argument says with the others, and ends with
// status 0 if all was as it should be.

#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "base/status_macros.h"
#include "distributed/communicator.h"
#include "distributed/job.h"
#include "distributed/same_facts.h"
#include "distributed/termination.h"
#include "distributed/tree_reduce.h"

namespace seqgraph {
namespace {

using Arguments = std::vector<std::string>;

#define EXPECT(condition) \
  if (!(condition)) return Internal("rank ", c.rank(), ", line ", __LINE__, ": not ", #condition)

absl::Span<const char> BytesOf(const std::string& text) { return {text.data(), text.size()}; }

// Every operation, against what it must give.
absl::Status Operations(Communicator& c, const Arguments&) {
  SEQ_RETURN_IF_ERROR(c.Barrier());
  std::string text = c.is_root() ? "of the root" : "";
  SEQ_RETURN_IF_ERROR(c.Broadcast(&text));
  EXPECT(text == "of the root");
  double value = c.is_root() ? 2.5 : 0;
  SEQ_RETURN_IF_ERROR(c.BroadcastValue(&value));
  EXPECT(value == 2.5);

  // Rank r has r + 1 times the digit r; an empty text is one too.
  const auto own = [](int rank) { return std::string(rank == 2 ? 0 : rank + 1, '0' + rank); };
  SEQ_ASSIGN_OR_RETURN(const auto gathered, c.Gather(own(c.rank())));
  EXPECT(static_cast<int>(gathered.size()) == (c.is_root() ? c.size() : 0));
  SEQ_ASSIGN_OR_RETURN(const auto everywhere, c.AllGather(own(c.rank())));
  for (int r = 0; r < c.size(); ++r) EXPECT(everywhere[r] == own(r));

  // Shares of 50 floats: 0 1 2 ... 49.
  std::vector<IndexRange> shares;
  for (int r = 0; r < c.size(); ++r) shares.push_back(PartOf(50, c.size(), r, 16));
  std::vector<float> data(50, -1);
  for (int64_t i = shares[c.rank()].begin; i < shares[c.rank()].end; ++i) data[i] = i;
  SEQ_RETURN_IF_ERROR(c.AllGather(absl::MakeSpan(data), shares));
  for (int i = 0; i < 50; ++i) EXPECT(data[i] == i);

  // Blocks 0 to 7 of 100 elements: block b has b + i at i, and all together 28 + 8 i.
  TreeReduceScatter reduce(&c, 8, 100);
  for (int64_t b = reduce.own_blocks().begin; b < reduce.own_blocks().end; ++b) {
    const absl::Span<float> block = reduce.NextBlock();
    for (int i = 0; i < 100; ++i) block[i] = b + i;
    reduce.AddBlock();
  }
  SEQ_RETURN_IF_ERROR(reduce.Finish());
  for (int64_t i = 0; i < reduce.own_share().size(); ++i) {
    EXPECT(reduce.share()[i] == 28 + 8 * (reduce.own_share().begin + i));
  }
  return c.Barrier();
}

// The last rank sends so many bytes to the first, and each a word to itself.
absl::Status Large(Communicator& c, const Arguments& arguments) {
  const int64_t count = std::stoll(arguments.at(0));
  const int last = c.size() - 1;
  Transport& t = c.transport();
  std::string word = "word";
  std::string got(4, ' ');
  SEQ_ASSIGN_OR_RETURN(const auto out, t.Send(c.rank(), 7, BytesOf(word)));
  SEQ_ASSIGN_OR_RETURN(const auto in, t.Receive(c.rank(), 7, absl::MakeSpan(got)));
  SEQ_RETURN_IF_ERROR(c.Wait({out, in}));
  EXPECT(got == word);
  const auto byte = [](int64_t i) { return static_cast<char>(i % 251); };
  if (c.rank() == last) {
    std::string bytes(count, ' ');
    for (int64_t i = 0; i < count; ++i) bytes[i] = byte(i);
    SEQ_ASSIGN_OR_RETURN(const auto sent, t.Send(0, 8, BytesOf(bytes)));
    if (!c.is_root()) return t.Wait(sent);
    SEQ_ASSIGN_OR_RETURN(const auto received, t.Receive(0, 8, absl::MakeSpan(bytes)));
    return c.Wait({sent, received});
  }
  if (!c.is_root()) return absl::OkStatus();
  Transport::Waiting waiting;
  while (waiting.from < 0) {
    SEQ_ASSIGN_OR_RETURN(waiting, t.Probe(last, 8));
  }
  EXPECT(waiting.bytes == count);
  std::string bytes(count, ' ');
  SEQ_ASSIGN_OR_RETURN(const auto received, t.Receive(last, 8, absl::MakeSpan(bytes)));
  SEQ_RETURN_IF_ERROR(t.Wait(received));
  for (int64_t i = 0; i < count; ++i) EXPECT(bytes[i] == byte(i));
  return absl::OkStatus();
}

// Rank 1 sends so many bytes, and rank 0 expects another number.
absl::Status WrongLength(Communicator& c, const Arguments& arguments) {
  const size_t sent = std::stoul(arguments.at(0)), expected = std::stoul(arguments.at(1));
  if (c.rank() > 1) return absl::OkStatus();
  std::string bytes(c.rank() == 1 ? sent : expected, 'x');
  Transport& t = c.transport();
  SEQ_ASSIGN_OR_RETURN(const auto request, c.rank() == 1 ? t.Send(0, 9, BytesOf(bytes))
                                                         : t.Receive(1, 9, absl::MakeSpan(bytes)));
  return t.Wait(request);
}

// Rank 0 takes work of whoever has sent some, until all have.
absl::Status Probe(Communicator& c, const Arguments&) {
  Transport& t = c.transport();
  SEQ_ASSIGN_OR_RETURN(const auto nothing, t.Probe(Transport::kAnyone, 11));
  EXPECT(nothing.from == -1 && nothing.bytes == 0);
  SEQ_RETURN_IF_ERROR(c.Barrier());
  if (!c.is_root()) {
    const std::string work(static_cast<size_t>(10 * c.rank()), 'w');
    SEQ_ASSIGN_OR_RETURN(const auto request, t.Send(0, 10, BytesOf(work)));
    return t.Wait(request);
  }
  std::map<int, int64_t> seen;
  while (static_cast<int>(seen.size()) + 1 < c.size()) {
    SEQ_ASSIGN_OR_RETURN(const auto waiting, t.Probe(Transport::kAnyone, 10));
    if (waiting.from < 0) continue;
    EXPECT(seen.count(waiting.from) == 0);
    seen[waiting.from] = waiting.bytes;
    std::string work(static_cast<size_t>(waiting.bytes), ' ');
    SEQ_ASSIGN_OR_RETURN(const auto request, t.Receive(waiting.from, 10, absl::MakeSpan(work)));
    SEQ_RETURN_IF_ERROR(t.Wait(request));
    EXPECT(work == std::string(work.size(), 'w'));
  }
  for (const auto& [from, bytes] : seen) EXPECT(bytes == 10 * from);
  return absl::OkStatus();
}

// Microseconds that a broadcast of so many bytes takes, there and back.
absl::Status Latency(Communicator& c, const Arguments& arguments) {
  std::string bytes(std::stoul(arguments.at(0)), 'x');
  const int rounds = std::stoi(arguments.at(1));
  for (int warm_up = 0; warm_up < 2; ++warm_up) {
    SEQ_RETURN_IF_ERROR(c.Barrier());
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < rounds; ++i) {
      SEQ_RETURN_IF_ERROR(c.Broadcast(absl::MakeSpan(bytes)));
      SEQ_RETURN_IF_ERROR(c.Barrier());
    }
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
    if (c.is_root() && warm_up == 1) {
      std::printf("%zu bytes: %.2f us\n", bytes.size(), taken.count() / rounds * 1e6);
    }
  }
  return absl::OkStatus();
}

// Rank 1 says something else than the others.
absl::Status OtherFacts(Communicator& c, const Arguments&) {
  return CheckSame(c, {{"data", c.rank() == 1 ? "rows of today" : "rows of yesterday"}});
}

// Exchanges messages until somebody ends it; says first which process which rank is. "patient":
// SIGTERM does not end it.
absl::Status Forever(Communicator& c, const Arguments& arguments) {
  if (!arguments.empty()) ::signal(SIGTERM, [](int) { NoteTermination(); });
  SEQ_ASSIGN_OR_RETURN(const auto all, c.Gather(absl::StrCat(::getpid())));
  for (const std::string& pid : all) std::printf("%s ", pid.c_str());
  if (c.is_root()) std::printf("started\n");
  std::fflush(stdout);
  std::string bytes(1000, 'x');
  while (true) SEQ_RETURN_IF_ERROR(c.Broadcast(absl::MakeSpan(bytes)));
}

// That rank ends with an error of its own, and the others wait for it.
absl::Status Fail(Communicator& c, const Arguments& arguments) {
  if (c.rank() == std::stoi(arguments.at(0))) return NotFound("cannot read x.csv");
  return c.Barrier();
}

// That rank leaves at once, without an error; the others need it (or not: "-1").
absl::Status Leave(Communicator& c, const Arguments& arguments) {
  const int leaver = std::stoi(arguments.at(0));
  if (c.rank() == leaver) return absl::OkStatus();
  if (leaver >= 0) return c.Barrier();
  std::this_thread::sleep_for(std::chrono::milliseconds(500 * c.rank()));
  return absl::OkStatus();
}

absl::Status Run(const std::string& what, const Arguments& arguments) {
  const std::map<std::string, absl::Status (*)(Communicator&, const Arguments&)> known = {
      {"operations", Operations}, {"large", Large},     {"wrong_length", WrongLength},
      {"probe", Probe},           {"latency", Latency}, {"other_facts", OtherFacts},
      {"forever", Forever},       {"fail", Fail},       {"leave", Leave}};
  SEQ_ASSIGN_OR_RETURN(const auto communicator, JoinJob());
  const absl::Status status = known.at(what)(*communicator, arguments);
  if (status.ok() && communicator->is_root()) {
    std::printf("%s with %d ranks: done\n", what.c_str(), communicator->size());
  }
  return status;
}

}  // namespace
}  // namespace seqgraph

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  const absl::Status status =
      seqgraph::Run(argv[1], std::vector<std::string>(argv + 2, argv + argc));
  seqgraph::LeaveJob(status);
  if (!status.ok()) std::fprintf(stderr, "rank: %s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}
