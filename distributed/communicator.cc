#include "distributed/communicator.h"

#include <cstring>
#include <utility>

#include "base/status_macros.h"

namespace seqgraph {
namespace {

// No message is longer: what claims to be is a fault, not a reason to allocate.
constexpr int64_t kMostBytes = int64_t{1} << 36;

absl::Span<char> BytesOf(int64_t& value) {
  return absl::MakeSpan(reinterpret_cast<char*>(&value), sizeof(value));
}

absl::Span<char> BytesOf(absl::Span<float> floats, IndexRange range) {
  return absl::MakeSpan(reinterpret_cast<char*>(floats.data() + range.begin),
                        static_cast<size_t>(range.size()) * sizeof(float));
}

}  // namespace

absl::Status Communicator::Wait(absl::Span<const Transport::Request> requests) {
  absl::Status status;
  for (const Transport::Request request : requests) status.Update(transport_->Wait(request));
  return status;
}

absl::Status Communicator::Barrier() {
  char sent = 0, received = 0;
  for (int distance = 1; distance < size(); distance *= 2) {
    const int to = (rank() + distance) % size(), from = (rank() + size() - distance) % size();
    SEQ_ASSIGN_OR_RETURN(const auto receive,
                         transport_->Receive(from, message_tag::kBarrier, {&received, 1}));
    SEQ_ASSIGN_OR_RETURN(const auto send, transport_->Send(to, message_tag::kBarrier, {&sent, 1}));
    SEQ_RETURN_IF_ERROR(Wait({receive, send}));
  }
  return absl::OkStatus();
}

absl::Status Communicator::Broadcast(absl::Span<char> bytes) {
  if (size() == 1) return absl::OkStatus();
  // Rank r has it from r without its lowest set bit, and passes it on to r + each lower bit.
  int bit = 1;
  while (bit < size() && (rank() & bit) == 0) bit *= 2;
  if (rank() != kRoot) {
    SEQ_ASSIGN_OR_RETURN(const auto receive,
                         transport_->Receive(rank() - bit, message_tag::kBroadcast, bytes));
    SEQ_RETURN_IF_ERROR(transport_->Wait(receive));
  }
  std::vector<Transport::Request> sent;
  for (bit /= 2; bit > 0; bit /= 2) {
    if (rank() + bit >= size()) continue;
    SEQ_ASSIGN_OR_RETURN(const auto send,
                         transport_->Send(rank() + bit, message_tag::kBroadcast, bytes));
    sent.push_back(send);
  }
  return Wait(sent);
}

absl::Status Communicator::Broadcast(std::string* bytes) {
  int64_t length = static_cast<int64_t>(bytes->size());
  SEQ_RETURN_IF_ERROR(Broadcast(BytesOf(length)));
  if (length < 0 || length > kMostBytes) {
    return Internal("the root tells of ", length,
                    " bytes, which no message has: do all ranks run the same build?");
  }
  bytes->resize(static_cast<size_t>(length));
  return length == 0 ? absl::OkStatus() : Broadcast(absl::MakeSpan(*bytes));
}

absl::StatusOr<std::vector<std::string>> Communicator::Gather(absl::string_view mine) {
  if (!is_root()) {
    int64_t length = static_cast<int64_t>(mine.size());
    SEQ_ASSIGN_OR_RETURN(const auto head,
                         transport_->Send(kRoot, message_tag::kGather, BytesOf(length)));
    SEQ_RETURN_IF_ERROR(transport_->Wait(head));
    if (length == 0) return std::vector<std::string>();
    SEQ_ASSIGN_OR_RETURN(const auto body,
                         transport_->Send(kRoot, message_tag::kGather, {mine.data(), mine.size()}));
    SEQ_RETURN_IF_ERROR(transport_->Wait(body));
    return std::vector<std::string>();
  }
  std::vector<std::string> all(static_cast<size_t>(size()));
  std::vector<int64_t> lengths(all.size());
  std::vector<Transport::Request> heads, bodies;
  for (int from = 1; from < size(); ++from) {
    SEQ_ASSIGN_OR_RETURN(const auto head,
                         transport_->Receive(from, message_tag::kGather, BytesOf(lengths[from])));
    heads.push_back(head);
  }
  SEQ_RETURN_IF_ERROR(Wait(heads));
  all[0] = std::string(mine);
  for (int from = 1; from < size(); ++from) {
    if (lengths[from] == 0) continue;
    if (lengths[from] < 0 || lengths[from] > kMostBytes) {
      return Internal("rank ", from, " tells of ", lengths[from],
                      " bytes, which no message has: do all ranks run the same build?");
    }
    all[from].resize(static_cast<size_t>(lengths[from]));
    SEQ_ASSIGN_OR_RETURN(const auto body, transport_->Receive(from, message_tag::kGather,
                                                              absl::MakeSpan(all[from])));
    bodies.push_back(body);
  }
  SEQ_RETURN_IF_ERROR(Wait(bodies));
  return all;
}

absl::StatusOr<std::vector<std::string>> Communicator::AllGather(absl::string_view mine) {
  SEQ_ASSIGN_OR_RETURN(std::vector<std::string> all, Gather(mine));
  all.resize(static_cast<size_t>(size()));
  for (std::string& each : all) SEQ_RETURN_IF_ERROR(Broadcast(&each));
  return all;
}

absl::StatusOr<std::string> Communicator::Scatter(const std::vector<std::string>& of_ranks) {
  int64_t length = 0;
  if (!is_root()) {
    SEQ_ASSIGN_OR_RETURN(const auto head,
                         transport_->Receive(kRoot, message_tag::kScatter, BytesOf(length)));
    SEQ_RETURN_IF_ERROR(transport_->Wait(head));
    if (length < 0 || length > kMostBytes) {
      return Internal("the root scatters ", length,
                      " bytes, which no message has: do all ranks run the same build?");
    }
    std::string mine(static_cast<size_t>(length), '\0');
    if (length == 0) return mine;
    SEQ_ASSIGN_OR_RETURN(const auto body,
                         transport_->Receive(kRoot, message_tag::kScatter, absl::MakeSpan(mine)));
    SEQ_RETURN_IF_ERROR(transport_->Wait(body));
    return mine;
  }
  std::vector<int64_t> lengths(of_ranks.size());
  std::vector<Transport::Request> sent;
  for (int to = 1; to < size(); ++to) {
    const std::string& bytes = of_ranks[to];
    lengths[to] = static_cast<int64_t>(bytes.size());
    SEQ_ASSIGN_OR_RETURN(const auto head,
                         transport_->Send(to, message_tag::kScatter, BytesOf(lengths[to])));
    sent.push_back(head);
    if (bytes.empty()) continue;
    SEQ_ASSIGN_OR_RETURN(const auto body,
                         transport_->Send(to, message_tag::kScatter, {bytes.data(), bytes.size()}));
    sent.push_back(body);
  }
  SEQ_RETURN_IF_ERROR(Wait(sent));
  return of_ranks[kRoot];
}

absl::Status Communicator::AllGather(absl::Span<float> data, absl::Span<const IndexRange> shares) {
  const int next = (rank() + 1) % size(), before = (rank() + size() - 1) % size();
  for (int round = 0; round + 1 < size(); ++round) {
    const IndexRange out = shares[(rank() + size() - round) % size()];
    const IndexRange in = shares[(before + size() - round) % size()];
    std::vector<Transport::Request> both;
    if (in.size() > 0) {
      SEQ_ASSIGN_OR_RETURN(const auto receive,
                           transport_->Receive(before, message_tag::kAllGather, BytesOf(data, in)));
      both.push_back(receive);
    }
    if (out.size() > 0) {
      SEQ_ASSIGN_OR_RETURN(const auto send,
                           transport_->Send(next, message_tag::kAllGather, BytesOf(data, out)));
      both.push_back(send);
    }
    SEQ_RETURN_IF_ERROR(Wait(both));
  }
  return absl::OkStatus();
}

}  // namespace seqgraph
