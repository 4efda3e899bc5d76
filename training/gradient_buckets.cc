#include "training/gradient_buckets.h"

#include <algorithm>

#include "base/status_macros.h"

namespace seqgraph {

GradientBuckets::GradientBuckets(Communicator* communicator, const FlatLayout* layout,
                                 int64_t bucket_bytes)
    : communicator_(communicator), layout_(layout) {
  std::vector<int64_t> rooms;
  for (size_t i = 0; i < layout->tensors(); ++i) rooms.push_back(layout->room(i));
  for (const IndexRange tensors : GroupsFromTheLast(rooms, FloatsOfBucket(bucket_bytes))) {
    const int64_t begin = layout->begin(static_cast<size_t>(tensors.begin));
    const auto last = static_cast<size_t>(tensors.end - 1);
    const int64_t end = layout->begin(last) + layout->room(last);
    Bucket bucket{.tensors = tensors, .elements = {begin, end}};
    for (int rank = 0; rank < communicator->size(); ++rank) {
      const IndexRange part =
          PartOf(end - begin, communicator->size(), rank, TreeReduceScatter::kUnit);
      bucket.shares.push_back({begin + part.begin, begin + part.end});
    }
    buckets_.push_back(std::move(bucket));
  }
}

std::vector<IndexRange> GradientBuckets::SharesOf(int rank) const {
  std::vector<IndexRange> shares;
  for (const Bucket& bucket : buckets_) shares.push_back(bucket.shares[rank]);
  return shares;
}

void GradientBuckets::Begin(int64_t blocks) {
  std::vector<TreeReduceScatter>& reduces = reduces_[blocks];
  if (reduces.empty()) {
    for (const Bucket& bucket : buckets_) {
      reduces.emplace_back(communicator_, blocks, bucket.elements.size());
    }
  }
  for (TreeReduceScatter& reduce : reduces) reduce.Begin();
  now_ = &reduces;
  sent_ = 0;
}

absl::Status GradientBuckets::Take(size_t bucket, absl::Span<const float* const> gradients,
                                   double rows, bool is_last_block) {
  const Bucket& here = buckets_[bucket];
  TreeReduceScatter& reduce = (*now_)[bucket];
  const absl::Span<float> to = reduce.NextBlock();
  for (int64_t i = here.tensors.begin; i < here.tensors.end; ++i) {
    const size_t tensor = static_cast<size_t>(i);
    float* at = to.data() + (layout_->begin(tensor) - here.elements.begin);
    if (rows == 0) {  // What was computed of no row may be no number.
      std::fill_n(at, layout_->size(tensor), 0.0f);
    } else {
      ScaleInto(gradients[tensor], static_cast<float>(rows), layout_->size(tensor), at);
    }
  }
  reduce.AddBlock();
  if (!is_last_block) return absl::OkStatus();
  ++sent_;
  return reduce.Start();
}

absl::Status GradientBuckets::Progress() {
  for (size_t i = 0; i < sent_; ++i) SEQ_RETURN_IF_ERROR((*now_)[i].Progress());
  return absl::OkStatus();
}

absl::Status GradientBuckets::Finish(double rows, absl::Span<float> flat) {
  for (; sent_ < buckets_.size(); ++sent_) SEQ_RETURN_IF_ERROR((*now_)[sent_].Start());
  for (size_t i = 0; i < buckets_.size(); ++i) {
    TreeReduceScatter& reduce = (*now_)[i];
    SEQ_RETURN_IF_ERROR(reduce.Finish());
    DivideBy(rows > 0 ? static_cast<float>(rows) : 1.0f, reduce.share());
    std::copy(reduce.share().begin(), reduce.share().end(),
              flat.begin() + buckets_[i].shares[communicator_->rank()].begin);
  }
  return absl::OkStatus();
}

absl::Status GradientBuckets::AllGather(absl::Span<float> flat) {
  for (const Bucket& bucket : buckets_) {
    SEQ_RETURN_IF_ERROR(communicator_->AllGather(flat, bucket.shares));
  }
  return absl::OkStatus();
}

int64_t GradientBuckets::memory() const {
  int64_t bytes = 0;
  for (const auto& [blocks, reduces] : reduces_) {
    for (const TreeReduceScatter& reduce : reduces) bytes += reduce.memory();
  }
  return bytes;
}

}  // namespace seqgraph
