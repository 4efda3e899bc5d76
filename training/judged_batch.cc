#include "training/judged_batch.h"

#include <cstring>

#include "base/status_macros.h"

namespace seqgraph {
namespace {

template <typename T>
void AppendValue(T value, std::string* bytes) {
  bytes->append(reinterpret_cast<const char*>(&value), sizeof(value));
}

template <typename T>
void AppendArray(absl::Span<const T> values, std::string* bytes) {
  AppendValue(static_cast<int64_t>(values.size()), bytes);
  bytes->append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
}

// Takes values off the front of bytes; after the first that is not there, nothing.
class Unpacker {
 public:
  explicit Unpacker(absl::string_view bytes) : rest_(bytes) {}

  template <typename T>
  void Take(T* value) {
    if (!Has(sizeof(T))) return;
    std::memcpy(value, rest_.data(), sizeof(T));
    rest_.remove_prefix(sizeof(T));
  }
  template <typename T>
  void Take(std::vector<T>* values) {
    int64_t count = 0;
    Take(&count);
    if (count < 0 || !Has(static_cast<uint64_t>(count), sizeof(T))) return;
    values->resize(static_cast<size_t>(count));
    if (count > 0) std::memcpy(values->data(), rest_.data(), values->size() * sizeof(T));
    rest_.remove_prefix(values->size() * sizeof(T));
  }
  bool ok() const { return ok_; }
  absl::string_view rest() const { return rest_; }

 private:
  bool Has(uint64_t count, uint64_t size = 1) {
    ok_ = ok_ && count <= rest_.size() / size;
    return ok_;
  }

  absl::string_view rest_;
  bool ok_ = true;
};

}  // namespace

void AppendPacked(const JudgedBatch& batch, std::string* bytes) {
  AppendValue(batch.batch(), bytes);
  AppendValue(batch.loss(), bytes);
  AppendValue(static_cast<int64_t>(batch.num_outputs()), bytes);
  for (size_t i = 0; i < batch.num_outputs(); ++i) {
    const MetricBatch plain = batch.metric_batch(/*weighted=*/false, i);
    const MetricBatch weighted = batch.metric_batch(/*weighted=*/true, i);
    AppendValue(batch.has_loss(i) ? batch.loss(i) : 0.0, bytes);
    AppendValue(static_cast<int64_t>(batch.has_loss(i)), bytes);
    AppendValue(plain.rows, bytes);
    AppendArray(plain.predictions, bytes);
    AppendArray(plain.labels, bytes);
    AppendArray(plain.classes, bytes);
    AppendArray(plain.weights, bytes);
    AppendArray(weighted.weights, bytes);
  }
}

absl::StatusOr<PackedBatch> PackedBatch::TakeFrom(absl::string_view* bytes) {
  // Each output says at least its loss, its rows and the lengths of its arrays.
  constexpr int64_t kLeastBytes = 8 * 8;
  Unpacker from(*bytes);
  PackedBatch batch;
  int64_t outputs = 0;
  from.Take(&batch.batch_);
  from.Take(&batch.loss_);
  from.Take(&outputs);
  if (outputs < 0 || outputs > static_cast<int64_t>(bytes->size()) / kLeastBytes) {
    return InvalidArgument("no packed batch has ", outputs, " outputs in ", bytes->size(),
                           " bytes");
  }
  batch.outputs_.resize(static_cast<size_t>(outputs));
  for (Output& output : batch.outputs_) {
    int64_t has_loss = 0;
    from.Take(&output.loss);
    from.Take(&has_loss);
    from.Take(&output.rows);
    from.Take(&output.predictions);
    from.Take(&output.labels);
    from.Take(&output.classes);
    from.Take(&output.mask);
    from.Take(&output.weights);
    output.has_loss = has_loss != 0;
  }
  if (!from.ok())
    return InvalidArgument("a packed batch is cut off after ", bytes->size(), " bytes");
  *bytes = from.rest();
  return batch;
}

MetricBatch PackedBatch::metric_batch(bool weighted, size_t of) const {
  const Output& output = outputs_[of];
  return {.rows = output.rows,
          .predictions = output.predictions,
          .labels = output.labels,
          .classes = output.classes,
          .weights = weighted ? output.weights : output.mask};
}

}  // namespace seqgraph
