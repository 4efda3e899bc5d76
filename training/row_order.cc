#include "training/row_order.h"

#include <algorithm>
#include <functional>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "base/counter_random.h"

namespace seqgraph {

RowOrder::RowOrder(int64_t rows, int64_t batch, uint64_t seed, absl::Span<const int64_t> steps)
    : batch_(batch), seed_(seed), steps_(steps), order_(rows) {
  const bool differ =
      std::adjacent_find(steps.begin(), steps.end(), std::not_equal_to<int64_t>()) != steps.end();
  if (rows == 0 || !differ) return;
  batches_.resize(rows / batch);
  drawn_.resize(static_cast<int64_t>(batches_.size()) * batch);
}

absl::Span<const int64_t> RowOrder::Of(int epoch) {
  Shuffle(seed_, absl::StrCat("shuffle/", epoch), absl::MakeSpan(order_));
  if (!batches_.empty()) GatherBySteps(epoch);
  return order_;
}

void RowOrder::GatherBySteps(int epoch) {
  const auto rows = static_cast<int64_t>(drawn_.size());
  for (int64_t i = 0; i < rows; ++i) drawn_[i] = {steps_[order_[i]], i, order_[i]};
  for (int64_t begin = 0; begin < rows; begin += kStretch * batch_) {
    std::sort(drawn_.begin() + begin, drawn_.begin() + std::min(begin + kStretch * batch_, rows),
              [](const Drawn& a, const Drawn& b) {
                return std::tie(a.steps, a.place) < std::tie(b.steps, b.place);
              });
  }
  Shuffle(seed_, absl::StrCat("batches/", epoch), absl::MakeSpan(batches_));
  auto to = order_.begin();
  for (const int64_t number : batches_) {
    const auto from = drawn_.begin() + number * batch_;
    to = std::transform(from, from + batch_, to, [](const Drawn& each) { return each.row; });
  }
}

}  // namespace seqgraph
