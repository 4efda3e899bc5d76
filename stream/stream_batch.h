#pragma once

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "runtime/function_call.h"
#include "stream/stream_model.h"

namespace seqgraph {

/// Steps several streams in one call, which reads the weights once for all of them. It holds
/// nothing from one call to the next: any streams of its model, in any order, may take part, and
/// join and leave as they like. For one thread at a time.
class StreamBatch {
 public:
  StreamBatch(const StreamBatch&) = delete;
  StreamBatch& operator=(const StreamBatch&) = delete;

  /// Stream::Step of each stream, all different: inputs are read from them, results written to
  /// them. More than StreamModel::max_batch() are taken in several calls. An error leaves all
  /// streams of the call that failed as they were, and says which these are; those before them have
  /// taken the step. InvalidArgument for a stream of another model.
  absl::Status Step(absl::Span<Stream* const> streams);

 private:
  friend class StreamModel;
  StreamBatch() = default;

  absl::Status StepTogether(absl::Span<Stream* const> streams);

  std::shared_ptr<const StreamModel> model_;
  std::vector<std::unique_ptr<FunctionCall>> calls_;  ///< of StreamModel::shapes_
};

}  // namespace seqgraph
