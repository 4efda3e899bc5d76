#include "distributed/work_queue.h"

#include <time.h>

#include <cstring>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace seqgraph {
namespace {

constexpr size_t kHead = 2 * sizeof(int64_t);
constexpr int64_t kMostMessageBytes = int64_t{1} << 32;  // what claims to be longer is a fault
constexpr long kNanosecondsBetweenLooks = 200'000;
constexpr int kPollsBetweenLooksForGone = 64;

void PauseBetweenLooks() {
  const struct timespec pause = {0, kNanosecondsBetweenLooks};
  ::nanosleep(&pause, nullptr);
}

}  // namespace

WorkQueue::WorkQueue(Communicator* communicator, WorkQueueOptions options, WorkSource source)
    : communicator_(communicator), options_(options), source_(std::move(source)) {
  if (is_root()) {
    peers_.resize(static_cast<size_t>(communicator_->size()));
    peers_[0].slots = options_.slots;
    return;
  }
  const int64_t both[2] = {options_.slots, options_.ahead};
  stopped_ = Send(Communicator::kRoot, kHello, 0,
                  absl::string_view(reinterpret_cast<const char*>(both), sizeof(both)));
}

absl::Status WorkQueue::Send(int to, Kind kind, int64_t number, absl::string_view text) {
  Sent& sent = sent_.emplace_back(Sent{to, std::string(kHead, '\0'), 0});
  const int64_t head[2] = {kind, number};
  std::memcpy(sent.bytes.data(), head, kHead);
  sent.bytes.append(text.data(), text.size());
  const auto request = communicator_->transport().Send(to, message_tag::kWork, sent.bytes);
  if (!request.ok()) {
    sent_.pop_back();
    return request.status();
  }
  sent.request = *request;
  return absl::OkStatus();
}

absl::Status WorkQueue::MoveSends() {
  for (auto it = sent_.begin(); it != sent_.end();) {
    const absl::StatusOr<bool> done = communicator_->transport().Test(it->request);
    if (done.ok() && !*done) {
      ++it;
      continue;
    }
    const int to = it->to;
    it = sent_.erase(it);
    if (done.ok()) continue;
    if (!is_root() || !absl::IsUnavailable(done.status())) return done.status();
    Lose(to);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<std::pair<int, WorkQueue::Message>>> WorkQueue::Receive(int from) {
  Transport& transport = communicator_->transport();
  SEQ_ASSIGN_OR_RETURN(const Transport::Waiting waiting, transport.Probe(from, message_tag::kWork));
  if (waiting.from < 0) return std::nullopt;
  if (waiting.bytes < static_cast<int64_t>(kHead) || waiting.bytes > kMostMessageBytes) {
    return Internal("rank ", waiting.from, " sends ", waiting.bytes,
                    " bytes, which no message has: do all ranks run the same build?");
  }
  std::string bytes(static_cast<size_t>(waiting.bytes), '\0');
  SEQ_ASSIGN_OR_RETURN(const auto request,
                       transport.Receive(waiting.from, message_tag::kWork, absl::MakeSpan(bytes)));
  SEQ_RETURN_IF_ERROR(transport.Wait(request));
  int64_t head[2];
  std::memcpy(head, bytes.data(), kHead);
  bytes.erase(0, kHead);
  return std::make_pair(waiting.from, Message{head[0], head[1], std::move(bytes)});
}

absl::Status WorkQueue::Poll() {
  SEQ_RETURN_IF_ERROR(MoveSends());
  SEQ_RETURN_IF_ERROR(is_root() ? PollRoot() : PollOther());
  return stopped_;
}

// -------------------------------------------------------------------------------- at the root --

absl::Status WorkQueue::PollRoot() {
  // With several ranks only: alone there is nobody to hear.
  while (communicator_->size() > 1) {
    SEQ_ASSIGN_OR_RETURN(auto received, Receive(Transport::kAnyone));
    if (!received.has_value()) break;
    SEQ_RETURN_IF_ERROR(Understand(received->first, std::move(received->second)));
  }
  if (++polls_ % kPollsBetweenLooksForGone == 0) LookForGone();
  return Deal();
}

absl::Status WorkQueue::Understand(int from, Message message) {
  if (peer(from).gone) return absl::OkStatus();  // Others have its jobs.
  switch (message.kind) {
    case kHello: {
      int64_t both[2];
      if (message.text.size() != sizeof(both)) {
        return Internal(
            "rank ", from,
            " begins with another hello than this one: do all ranks run the same build?");
      }
      std::memcpy(both, message.text.data(), sizeof(both));
      peer(from).slots = both[0];
      peer(from).ahead = both[1];
      return absl::OkStatus();
    }
    case kResult:
      return TakeResult(from, message.number, std::move(message.text));
    case kStop:
      if (stopped_.ok()) {
        stopped_ = absl::Status(static_cast<absl::StatusCode>(message.number),
                                absl::StrCat("rank ", from, ": ", message.text));
      }
      return absl::OkStatus();
    case kBye:
      peer(from).ended = true;
      return absl::OkStatus();
    default:
      return Internal("rank ", from, " sends a message of kind ", message.kind,
                      ", which is none here: do all ranks run the same build?");
  }
}

absl::Status WorkQueue::TakeResult(int from, int64_t number, std::string result) {
  if (peer(from).jobs.erase(number) == 0) {
    return Internal("rank ", from, " reports job ", number, ", which it does not have");
  }
  --outstanding_;
  if (!stopped_.ok()) return absl::OkStatus();
  stopped_.Update(source_.take(number, from, std::move(result)));
  return absl::OkStatus();
}

void WorkQueue::LookForGone() {
  for (int rank = 1; rank < communicator_->size(); ++rank) {
    if (peer(rank).gone || peer(rank).ended) continue;
    const auto waiting = communicator_->transport().Probe(rank, message_tag::kWork);
    if (absl::IsUnavailable(waiting.status())) Lose(rank);
  }
}

// Its jobs come before all that was not begun.
void WorkQueue::Lose(int rank) {
  Peer& lost = peer(rank);
  lost.gone = true;
  for (auto it = lost.jobs.rbegin(); it != lost.jobs.rend(); ++it) {
    ready_.push_front({it->first, std::move(it->second)});
    --outstanding_;
  }
  lost.jobs.clear();
}

// Two: one to give, and one more, which says that there are enough to lie ready somewhere.
absl::Status WorkQueue::Refill() {
  while (stopped_.ok() && !source_ended_ && ready_.size() < 2) {
    std::string job;
    SEQ_ASSIGN_OR_RETURN(const WorkSource::Next next, source_.next(&job));
    if (next == WorkSource::Next::kLater) break;
    source_ended_ = next == WorkSource::Next::kEnd;
    if (!source_ended_) ready_.push_back({made_++, std::move(job)});
  }
  return absl::OkStatus();
}

WorkQueue::Job WorkQueue::NextReady() {
  Job job = std::move(ready_.front());
  ready_.pop_front();
  ++outstanding_;
  return job;
}

absl::Status WorkQueue::Deal() {
  for (const bool ahead : {false, true}) {
    for (int rank = 1; rank < communicator_->size(); ++rank) {
      Peer& other = peer(rank);
      if (other.gone || other.ended) continue;
      while (stopped_.ok() &&
             static_cast<int64_t>(other.jobs.size()) < other.slots + (ahead ? other.ahead : 0)) {
        SEQ_RETURN_IF_ERROR(Refill());
        if (ready_.size() < (ahead ? 2 : 1)) break;
        Job job = NextReady();
        const absl::Status sent = Send(rank, kJob, job.number, job.text);
        other.jobs[job.number] = std::move(job.text);
        if (absl::IsUnavailable(sent)) Lose(rank);
        if (other.gone) break;
        SEQ_RETURN_IF_ERROR(sent);
      }
    }
  }
  return absl::OkStatus();
}

absl::Status WorkQueue::FinishRoot() {
  for (int rank = 1; rank < communicator_->size(); ++rank) {
    if (peer(rank).gone) continue;
    const bool stopped = !stopped_.ok();
    const absl::Status sent =
        Send(rank, stopped ? kStop : kEnd, stopped ? static_cast<int64_t>(stopped_.code()) : 0,
             stopped ? stopped_.message() : "");
    if (absl::IsUnavailable(sent)) Lose(rank);
  }
  const auto all_ended = [&] {
    for (size_t rank = 1; rank < peers_.size(); ++rank) {
      if (!peers_[rank].gone && !peers_[rank].ended) return false;
    }
    return true;
  };
  for (LookForGone(); !all_ended(); LookForGone()) {
    SEQ_RETURN_IF_ERROR(MoveSends());
    SEQ_ASSIGN_OR_RETURN(auto received, Receive(Transport::kAnyone));
    if (received.has_value()) {
      SEQ_RETURN_IF_ERROR(Understand(received->first, std::move(received->second)));
    } else {
      PauseBetweenLooks();
    }
  }
  return stopped_;
}

// ---------------------------------------------------------------------------------- elsewhere --

absl::Status WorkQueue::PollOther() {
  while (!ended_) {
    SEQ_ASSIGN_OR_RETURN(auto received, Receive(Communicator::kRoot));
    if (!received.has_value()) break;
    Message& message = received->second;
    if (message.kind == kJob) {
      here_.push_back({message.number, std::move(message.text)});
      continue;
    }
    ended_ = true;
    here_.clear();
    if (message.kind == kStop) {
      stopped_ = absl::Status(static_cast<absl::StatusCode>(message.number), message.text);
    } else if (message.kind != kEnd) {
      stopped_ = Internal("rank 0 sends a message of kind ", message.kind,
                          ", which is none here: do all ranks run the same build?");
    }
  }
  return absl::OkStatus();
}

// -------------------------------------------------------------------------------------- both --

absl::StatusOr<std::optional<WorkQueue::Job>> WorkQueue::Take() {
  SEQ_RETURN_IF_ERROR(Poll());
  if (!is_root()) {
    if (here_.empty() || working_ == options_.slots) return std::nullopt;
    Job job = std::move(here_.front());
    here_.pop_front();
    ++working_;
    return job;
  }
  if (static_cast<int64_t>(peer(0).jobs.size()) >= peer(0).slots) return std::nullopt;
  SEQ_RETURN_IF_ERROR(Refill());
  if (ready_.empty()) return std::nullopt;
  Job job = NextReady();
  peer(0).jobs[job.number];  // the root does not lose itself
  return job;
}

absl::Status WorkQueue::Report(int64_t number, std::string result) {
  if (is_root()) {
    SEQ_RETURN_IF_ERROR(TakeResult(0, number, std::move(result)));
    return stopped_;
  }
  --working_;
  return Send(Communicator::kRoot, kResult, number, result);
}

bool WorkQueue::done() const {
  if (!is_root()) return ended_;
  return !stopped_.ok() || (source_ended_ && ready_.empty() && outstanding_ == 0);
}

void WorkQueue::Stop(const absl::Status& why) {
  if (!stopped_.ok() || ended_) return;
  stopped_ = why;
  if (is_root()) return;
  Send(Communicator::kRoot, kStop, static_cast<int64_t>(why.code()), why.message()).IgnoreError();
}

absl::Status WorkQueue::Finish() {
  if (is_root()) return FinishRoot();
  while (!ended_) {
    SEQ_RETURN_IF_ERROR(MoveSends());
    SEQ_RETURN_IF_ERROR(PollOther());
    if (!ended_) PauseBetweenLooks();
  }
  SEQ_RETURN_IF_ERROR(Send(Communicator::kRoot, kBye, 0, ""));
  // The root has read it before it goes on, so a root that is gone then is no error.
  for (Sent& sent : sent_) {
    const absl::Status status = communicator_->transport().Wait(sent.request);
    if (!absl::IsUnavailable(status)) SEQ_RETURN_IF_ERROR(status);
  }
  sent_.clear();
  return stopped_;
}

absl::Status WorkQueue::Run(Work work, const std::atomic<bool>* interrupt) {
  while (!done()) {
    if (interrupt != nullptr && interrupt->load()) Stop(Cancelled("interrupted"));
    absl::StatusOr<std::optional<Job>> job = Take();
    if (job.ok() && !job->has_value()) {
      if (!done()) PauseBetweenLooks();
      continue;
    }
    if (job.ok()) {
      absl::StatusOr<std::string> result = work(**job);
      const absl::Status reported =
          result.ok() ? Report((*job)->number, *std::move(result)) : result.status();
      if (reported.ok()) continue;
      Stop(reported);
      break;
    }
    Stop(job.status());
    break;
  }
  return Finish();
}

}  // namespace seqgraph
