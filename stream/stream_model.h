#pragma once

// Models run step by step, on streams whose inputs come as they happen.
//
//   SEQ_ASSIGN_OR_RETURN(const auto model, StreamModel::Create(std::move(loaded)));
//   SEQ_ASSIGN_OR_RETURN(const auto stream, model->NewStream());
//   while (...) {
//     stream->input<float>(0)[0] = sample;
//     SEQ_RETURN_IF_ERROR(stream->Step());
//     use(stream->result<float>(0)[0]);
//   }
//
// After k steps the results are, bit for bit, those that the whole function has for the sequence of
// these k steps on the same backend. A step allocates nothing, takes no lock, makes no system call
// and touches no memory for the first time.

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "graph/model.h"
#include "graph/op_registry.h"
#include "graph/pass.h"
#include "graph/stepping.h"

namespace seqgraph {

class Backend;       // runtime/backend.h
class Stream;        // stream/stream.h
class StreamBatch;   // stream/stream_batch.h
struct StreamShape;  // stream/stream_shape.h

/// The most streams that one call steps.
inline constexpr int64_t kMaxStreamBatch = 64;

struct StreamOptions {
  /// The function to run. It may update nothing but states of stateful layers, which each stream
  /// has of its own: at first those that the model has.
  std::string function = "predict";
  /// StreamBatch steps up to so many streams at once; in [1, kMaxStreamBatch]. More than 1 needs a
  /// function whose batch is open.
  int64_t max_batch = 1;
  /// Stream::StepBlock takes so many steps at once where it has them: same bits, fewer calls. Where
  /// inputs or results are not a sequence of steps, or under a mask, it takes them one by one.
  int64_t block = 1;
  /// Cells that go backwards (bidirectional layers) begin so many steps ahead of each step, and
  /// what they give comes as many later (StreamPort::delay); 0: they are refused. This is not what
  /// the whole sequence gives but where it ends as many steps ahead.
  int64_t lookahead = 0;
  /// The axis of time of inputs by name, where it is not found out right; -1: none.
  std::map<std::string, int, std::less<>> time_axes = {};
  /// Inputs that are states, and the results that they become after a step, for functions that were
  /// made for one step at a time: {"h_in", "h_out"}. At first zero. Unless time_axes are told too,
  /// the function is run as it is.
  std::vector<std::pair<std::string, std::string>> states = {};
  /// Bytes that each of its calls may hold (CompileOptions::max_memory); absent: no limit.
  std::optional<int64_t> max_memory = std::nullopt;
  const Backend* backend = nullptr;  ///< of programs that can be shared; null: "simd"
  const OpRegistry* ops = nullptr;   ///< null: AllOps()
  const PassList* passes = nullptr;  ///< null: StandardPasses()
};

/// What a stream takes or gives in each step.
struct StreamPort {
  std::string name;
  /// Of one stream, with its batch of 1 and, along time_axis, the steps of a call.
  TensorType type;
  int time_axis = -1;  ///< -1: it has none, and holds for the sequence up to this step
  /// Of a result, in its own steps: a call gives what belongs to so many steps before, and the
  /// first calls nothing that has a meaning. As windows of convolutions and
  /// StreamOptions::lookahead ask.
  int64_t delay = 0;
  int64_t elements() const { return type.shape.num_elements(); }
};

/// A model made ready for streams: weights are packed once, and shared by all streams. Never
/// changes; any number of threads may share it.
class StreamModel : public std::enable_shared_from_this<StreamModel> {
 public:
  /// Errors: those of StepsOf (Unimplemented by node where the model cannot go step by step: it
  /// goes backwards, pools over all time, or needs steps that have not come), NotFound for names
  /// that are not there, InvalidArgument for options that do not fit.
  static absl::StatusOr<std::shared_ptr<const StreamModel>> Create(
      Model model, const StreamOptions& options = {});
  ~StreamModel();

  const Model& model() const { return model_; }
  const std::vector<StreamPort>& inputs() const;
  const std::vector<StreamPort>& results() const;
  /// -1 if there is none of that name.
  int FindInput(absl::string_view name) const;
  int FindResult(absl::string_view name) const;
  /// Steps of the inputs that one call takes: 1, or what the strides of the model multiply to.
  int64_t steps() const;
  /// Calls that StepBlock makes one of: StreamOptions::block over steps(), or 1.
  int64_t block() const { return block_; }
  int64_t max_batch() const;

  /// A stream at the beginning. Errors: ResourceExhausted without memory.
  absl::StatusOr<std::unique_ptr<Stream>> NewStream() const;
  /// What steps several streams in one call.
  absl::StatusOr<std::unique_ptr<StreamBatch>> NewBatch() const;

  /// Bytes of a stream's states together, and of all that a stream takes.
  int64_t state_bytes() const;
  int64_t stream_bytes() const;
  /// Nodes that run by their op's definition, which may allocate: empty for a model that keeps all
  /// that is promised above.
  const std::vector<std::string>& nodes_by_definition() const { return by_definition_; }
  /// What each node of a step runs on: "lstm_1 (LSTMCell): simd lstm AVX2 ...".
  std::vector<std::string> Describe() const;
  /// A number of the states' names and types and of the weights: of what a saved state fits. It is
  /// found when it is first asked for, which reads all weights.
  uint64_t fingerprint() const;

 private:
  friend class Stream;
  friend class StreamBatch;
  StreamModel();

  absl::Status Compile(const StreamOptions& options);

  Model model_;
  std::vector<std::unique_ptr<StreamShape>> shapes_;  ///< of batches of 1, 2, 4, ..
  std::unique_ptr<StreamShape> block_shape_;          ///< of one stream; null: none
  int64_t block_ = 1;
  std::vector<std::string> by_definition_;
  mutable std::atomic<uint64_t> fingerprint_{0};  ///< 0: not known yet
};

}  // namespace seqgraph
