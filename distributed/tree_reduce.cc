#include "distributed/tree_reduce.h"

#include <algorithm>

#include "base/status_macros.h"
#include "distributed/float_loops.h"

namespace seqgraph {
namespace {

template <typename T>
auto BytesOf(T* floats, int64_t count) {
  using Byte = std::conditional_t<std::is_const_v<T>, const char, char>;
  return absl::Span<Byte>(reinterpret_cast<Byte*>(floats),
                          static_cast<size_t>(count) * sizeof(float));
}

}  // namespace

TreeReduceScatter::TreeReduceScatter(Communicator* communicator, int64_t blocks, int64_t elements)
    : communicator_(communicator), tree_(blocks), elements_(elements) {
  for (int r = 0; r < communicator->size(); ++r) {
    blocks_of_.push_back(PartOf(blocks, communicator->size(), r));
    shares_.push_back(PartOf(elements, communicator->size(), r, kUnit));
    nodes_of_.push_back(tree_.NodesIn(blocks_of_.back()));
  }
  Begin();
}

void TreeReduceScatter::Begin() {
  for (const Node& node : stack_) free_.push_back(node.buffer);
  stack_.clear();
  next_block_ = own_blocks().begin;
}

int TreeReduceScatter::TakeBuffer() {
  if (free_.empty()) {
    buffers_.emplace_back(static_cast<size_t>(elements_));
    return static_cast<int>(buffers_.size()) - 1;
  }
  const int buffer = free_.back();
  free_.pop_back();
  return buffer;
}

absl::Span<float> TreeReduceScatter::NextBlock() {
  if (next_buffer_ < 0) next_buffer_ = TakeBuffer();
  return absl::MakeSpan(buffers_[next_buffer_]);
}

bool TreeReduceScatter::IsNode(IndexRange range) const {
  IndexRange node{0, tree_.blocks()};
  while (!(node == range)) {
    if (node.size() <= 1) return false;
    const IndexRange left = BlockTree::Left(node);
    node = range.begin < left.end ? left : BlockTree::Right(node);
    if (node.begin > range.begin || node.end < range.end) return false;
  }
  return true;
}

void TreeReduceScatter::AddBlock() {
  stack_.push_back({{next_block_, next_block_ + 1}, next_buffer_});
  ++next_block_;
  next_buffer_ = -1;
  while (stack_.size() > 1) {
    Node& left = stack_[stack_.size() - 2];
    const Node right = stack_.back();
    const IndexRange both{left.blocks.begin, right.blocks.end};
    if (!IsNode(both)) return;
    AddTo(buffers_[right.buffer].data(), elements_, buffers_[left.buffer].data());
    left.blocks = both;
    free_.push_back(right.buffer);
    stack_.pop_back();
  }
}

void ScaleInto(const float* __restrict from, float factor, int64_t count, float* __restrict to) {
  ForEachElement(count, [=](int64_t i) { to[i] = factor * from[i]; });
}

void DivideBy(float divisor, absl::Span<float> elements) {
  float* __restrict all = elements.data();
  ForEachElement(static_cast<int64_t>(elements.size()), [=](int64_t i) { all[i] /= divisor; });
}

absl::Status TreeReduceScatter::Start() {
  started_ = true;
  parts_.clear();
  if (communicator_->size() == 1) return absl::OkStatus();
  for (const Node& node : stack_) {
    parts_.push_back({node.blocks, buffers_[node.buffer].data() + own_share().begin});
  }
  const int64_t own = own_share().size();
  size_t incoming = 0;
  for (int r = 0; r < communicator_->size(); ++r) {
    if (r != rank()) incoming += nodes_of_[r].size();
  }
  received_.resize(incoming * static_cast<size_t>(own));
  float* to = received_.data();
  Transport& transport = communicator_->transport();
  // Each begins with its neighbour, so that not all send to the same rank at once.
  for (int step = 1; step < communicator_->size(); ++step) {
    const int from = (rank() + communicator_->size() - step) % communicator_->size();
    for (const IndexRange node : nodes_of_[from]) {
      if (own == 0) continue;
      SEQ_ASSIGN_OR_RETURN(const auto receive,
                           transport.Receive(from, message_tag::kReduce, BytesOf(to, own)));
      under_way_.push_back(receive);
      parts_.push_back({node, to});
      to += own;
    }
  }
  for (int step = 1; step < communicator_->size(); ++step) {
    const int peer = (rank() + step) % communicator_->size();
    const IndexRange share = shares_[peer];
    for (const Node& node : stack_) {
      if (share.size() == 0) continue;
      const float* from = buffers_[node.buffer].data() + share.begin;
      SEQ_ASSIGN_OR_RETURN(const auto send,
                           transport.Send(peer, message_tag::kReduce, BytesOf(from, share.size())));
      under_way_.push_back(send);
    }
  }
  return absl::OkStatus();
}

absl::Status TreeReduceScatter::Progress() {
  for (size_t i = 0; i < under_way_.size();) {
    SEQ_ASSIGN_OR_RETURN(const bool done, communicator_->transport().Test(under_way_[i]));
    if (!done) {
      ++i;
      continue;
    }
    under_way_[i] = under_way_.back();
    under_way_.pop_back();
  }
  return absl::OkStatus();
}

float* TreeReduceScatter::SumOf(IndexRange node, const std::vector<Part>& parts, float* to) {
  for (const Part& part : parts) {
    if (part.blocks == node) return part.share;
  }
  const int64_t own = own_share().size();
  // The left sum is made in place; the right one in the memory behind, one array a level.
  const float* left = SumOf(BlockTree::Left(node), parts, to);
  float* behind = to + own;
  const float* right = SumOf(BlockTree::Right(node), parts, behind);
  if (left == to) {
    AddTo(right, own, to);
  } else {
    SumInto(left, right, own, to);
  }
  return to;
}

absl::Status TreeReduceScatter::Finish() {
  if (!started_) SEQ_RETURN_IF_ERROR(Start());
  started_ = false;
  const IndexRange share = own_share();
  if (communicator_->size() == 1) {
    share_ = absl::MakeSpan(buffers_[stack_[0].buffer]);
    return absl::OkStatus();
  }
  const absl::Status status = communicator_->Wait(under_way_);
  under_way_.clear();
  SEQ_RETURN_IF_ERROR(status);
  share_ = {};
  if (share.size() == 0) return absl::OkStatus();
  int64_t levels = 2;
  for (int64_t blocks = 1; blocks < tree_.blocks(); blocks *= 2) ++levels;
  scratch_.resize(static_cast<size_t>(share.size() * levels));
  float* sum = SumOf({0, tree_.blocks()}, parts_, scratch_.data());
  share_ = absl::MakeSpan(sum, static_cast<size_t>(share.size()));
  return absl::OkStatus();
}

absl::Span<float> TreeReduceScatter::share() { return share_; }

int64_t TreeReduceScatter::memory() const {
  return static_cast<int64_t>(
      (buffers_.size() * static_cast<size_t>(elements_) + received_.size() + scratch_.size()) *
      sizeof(float));
}

int64_t TreeReduceScatter::traffic() const {
  const int64_t nodes = static_cast<int64_t>(nodes_of_[rank()].size());
  return nodes * (elements_ - own_share().size()) * static_cast<int64_t>(sizeof(float));
}

}  // namespace seqgraph
