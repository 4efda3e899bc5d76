#include "training/metrics.h"

#include "graph/status_macros.h"

namespace seqgraph {

Metric BinaryAccuracy(double threshold) {
  const float bound = static_cast<float>(threshold);
  return {"accuracy", /*higher_is_better=*/true,
          [bound](absl::Span<const float> predictions, absl::Span<const float> labels) {
            SEQ_CHECK(predictions.size() == labels.size());
            int64_t right = 0;
            for (size_t i = 0; i < labels.size(); ++i) {
              right += (predictions[i] > bound ? 1.0f : 0.0f) == labels[i];
            }
            return static_cast<double>(right);
          }};
}

}  // namespace seqgraph
