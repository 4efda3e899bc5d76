#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "runtime/function_call.h"
#include "stream/stream_model.h"

namespace seqgraph {

/// One sequence on its way through a model: its states, and memory to compute a step in. For one
/// thread at a time; streams of one model may be stepped on as many threads as one likes.
class Stream {
 public:
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  const StreamModel& model() const { return *model_; }

  /// Where the elements of input i are read (StreamModel::inputs), and those of result i were
  /// written by the last step. T is the element type; the pointers stay the same for life.
  template <typename T>
  T* input(int i) {
    return static_cast<T*>(inputs_[i]);
  }
  template <typename T>
  const T* result(int i) const {
    return static_cast<const T*>(results_[i]);
  }

  /// Takes the step whose inputs have been written, or StreamModel::steps() of them. An error
  /// (InvalidArgument: a token that is not in the vocabulary) leaves the states as they were.
  absl::Status Step();

  /// The same for calls many at a time: `inputs[i]` holds the elements of input i of each call, one
  /// after the other, `results[i]` gets those of result i; null: not wanted. By blocks of
  /// StreamModel::block() where that many are left. An error leaves the states as they were before
  /// the call that failed; `done`, if it is not null, says how many there were before it.
  absl::Status StepBlock(int64_t calls, absl::Span<const void* const> inputs,
                         absl::Span<void* const> results, int64_t* done = nullptr);

  /// Back to the beginning.
  void Reset();
  /// The states as bytes, which any process with the same model can go on from, and back. They
  /// hold a version, what they fit, and a checksum. Restore changes nothing unless all is well:
  /// InvalidArgument for bytes of another kind or another model, DataLoss for damaged ones,
  /// FailedPrecondition for those of a newer version.
  std::string Save() const;
  absl::Status Restore(absl::string_view bytes);
  /// How many saved states these bytes are, one after the other, without their model. Errors are
  /// those of Restore(), and say which state.
  static absl::StatusOr<int64_t> CountSaved(absl::string_view bytes);
  /// Goes on from where another stream of the same model is: for branches, as of a beam search.
  /// InvalidArgument for one of another model.
  absl::Status CopyFrom(const Stream& other);

  /// The content of a state that begins with an input of the model (StepsOf), to be set after
  /// Reset; null if there is none of that name. `bytes` of it, if that is not null. The pointer
  /// holds until the next step.
  void* state(absl::string_view name, int64_t* bytes = nullptr);

 private:
  friend class StreamModel;
  friend class StreamBatch;
  Stream() = default;

  // Where state s is read by the next step.
  void* StatePlace(size_t s) const { return call_->input(state_inputs_[s]); }
  void TakeState(size_t s, const FunctionCall& call, const StreamShape& shape);
  absl::Status RunBlock(absl::Span<const void* const> inputs, absl::Span<void* const> results,
                        int64_t at);

  std::shared_ptr<const StreamModel> model_;
  const StreamShape* shape_ = nullptr;  ///< of one step
  std::unique_ptr<FunctionCall> call_;
  std::unique_ptr<FunctionCall> block_;  ///< null: no blocks
  std::vector<void*> inputs_;            ///< in the memory of call_
  std::vector<const void*> results_;
  std::vector<int> state_inputs_;  ///< of call_
  std::vector<size_t> copied_;     ///< states that call_ does not carry
};

}  // namespace seqgraph
