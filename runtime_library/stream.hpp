#ifndef SEQGRAPH_STREAM_HPP_
#define SEQGRAPH_STREAM_HPP_

// Streams of <seqgraph/runtime.h> from C++20, as <seqgraph/runtime.hpp> has the rest. Installed as
// <seqgraph/stream.hpp>.
//
//   const auto model = seqgraph::runtime::StreamModel::Load("model.pb");
//   seqgraph::runtime::Stream stream = model.NewStream();
//   const std::span<float> in = stream.input<float>(0);
//   const std::span<const float> out = stream.output<float>(0);
//   for (...) {
//     in[0] = sample;
//     stream.Step();
//     use(out[0]);
//   }

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#if __has_include("runtime_library/runtime.hpp")
#include "runtime_library/runtime.hpp"
#else
#include <seqgraph/runtime.hpp>
#endif

namespace seqgraph::runtime {

/// One sequence on its way through a model. For one thread at a time.
class Stream {
 public:
  Stream(seqgraph_stream* handle, const seqgraph_stream_info& info) : handle_(handle) {
    inputs_ = internal::GetTensors(get(), info.num_inputs, seqgraph_stream_get_input);
    outputs_ = internal::GetTensors(get(), info.num_outputs, seqgraph_stream_get_output);
  }

  const std::vector<Tensor>& inputs() const { return inputs_; }
  const std::vector<Tensor>& outputs() const { return outputs_; }
  /// The elements of an input, which the next step reads, and of an output, which the last one has
  /// written: the same memory for life. Asking for them is not for every step.
  template <typename T>
  std::span<T> input(std::size_t index) {
    return inputs_.at(index).elements<T>();
  }
  template <typename T>
  std::span<const T> output(std::size_t index) const {
    return outputs_.at(index).elements<const T>();
  }

  /// Takes the step whose inputs have been written.
  void Step() {
    seqgraph_status status;
    status.struct_size = sizeof(status);
    status.text[0] = '\0';
    if (seqgraph_stream_step(get(), &status) == SEQGRAPH_OK) return;
    Check([&](seqgraph_status* s) { return (*s = status).code; });
  }
  /// The same `num_calls` times: inputs[i] and outputs[i] hold the elements of each call, one after
  /// the other; a null output is not wanted.
  void StepBlock(std::int64_t num_calls, const void* const* inputs, void* const* outputs) {
    Check([&](seqgraph_status* s) {
      return seqgraph_stream_step_block(get(), num_calls, inputs, outputs, nullptr, s);
    });
  }
  /// Back to the beginning.
  void Reset() {
    Check([&](seqgraph_status* s) { return seqgraph_stream_reset(get(), s); });
  }
  /// Goes on from where another stream of the same model is.
  void CopyFrom(const Stream& other) {
    Check([&](seqgraph_status* s) { return seqgraph_stream_copy(get(), other.get(), s); });
  }
  /// The states as bytes, and back.
  std::vector<std::byte> Save() const {
    std::size_t size = 0;
    Check([&](seqgraph_status* s) { return seqgraph_stream_save(get(), nullptr, &size, s); });
    std::vector<std::byte> bytes(size);
    Check([&](seqgraph_status* s) { return seqgraph_stream_save(get(), bytes.data(), &size, s); });
    return bytes;
  }
  void Restore(std::span<const std::byte> bytes) {
    Check([&](seqgraph_status* s) {
      return seqgraph_stream_restore(get(), bytes.data(), bytes.size(), s);
    });
  }

  seqgraph_stream* get() const { return handle_.get(); }

 private:
  std::unique_ptr<seqgraph_stream, internal::Free> handle_;
  std::vector<Tensor> inputs_, outputs_;
};

/// Steps several streams in one call. For one thread at a time.
class StreamBatch {
 public:
  explicit StreamBatch(seqgraph_stream_batch* handle) : handle_(handle) {}
  /// Stream::Step of each, all different.
  void Step(std::span<seqgraph_stream* const> streams) {
    Check([&](seqgraph_status* s) {
      return seqgraph_stream_batch_step(handle_.get(), streams.data(),
                                        static_cast<std::int32_t>(streams.size()), s);
    });
  }

 private:
  std::unique_ptr<seqgraph_stream_batch, internal::Free> handle_;
};

struct StreamOptions {
  std::string function = "predict";
  std::int64_t max_batch = 1;      ///< streams that a batch steps at once, at most 64
  std::int64_t block = 1;          ///< steps that Stream::StepBlock takes at once where it can
  std::int64_t max_num_bytes = 0;  ///< memory that each call may hold; 0: no limit
};

/// A model made ready for streams. Any number of threads may share it.
class StreamModel {
 public:
  static StreamModel Load(const std::string& path, const StreamOptions& options = {}) {
    const seqgraph_stream_options given = Given(options);
    seqgraph_stream_model* handle = nullptr;
    Check([&](seqgraph_status* s) {
      return seqgraph_stream_model_load(path.c_str(), &given, &handle, s);
    });
    return StreamModel(handle);
  }
  static StreamModel Parse(std::span<const std::byte> bytes, const StreamOptions& options = {}) {
    const seqgraph_stream_options given = Given(options);
    seqgraph_stream_model* handle = nullptr;
    Check([&](seqgraph_status* s) {
      return seqgraph_stream_model_parse(bytes.data(), bytes.size(), &given, &handle, s);
    });
    return StreamModel(handle);
  }

  const seqgraph_stream_info& info() const { return info_; }
  Stream NewStream() const {
    seqgraph_stream* stream = nullptr;
    Check([&](seqgraph_status* s) { return seqgraph_stream_create(get(), &stream, s); });
    return Stream(stream, info_);
  }
  StreamBatch NewBatch() const {
    seqgraph_stream_batch* batch = nullptr;
    Check([&](seqgraph_status* s) { return seqgraph_stream_batch_create(get(), &batch, s); });
    return StreamBatch(batch);
  }
  seqgraph_stream_model* get() const { return handle_.get(); }

 private:
  explicit StreamModel(seqgraph_stream_model* handle) : handle_(handle) {
    Check([&](seqgraph_status* s) { return seqgraph_stream_model_get_info(get(), &info_, s); });
  }
  static seqgraph_stream_options Given(const StreamOptions& options) {
    seqgraph_stream_options given = SEQGRAPH_INIT(seqgraph_stream_options);
    given.function = options.function.c_str();
    given.max_batch = options.max_batch;
    given.block = options.block;
    given.max_num_bytes = options.max_num_bytes;
    return given;
  }

  std::unique_ptr<seqgraph_stream_model, internal::Free> handle_;
  seqgraph_stream_info info_ = SEQGRAPH_INIT(seqgraph_stream_info);
};

}  // namespace seqgraph::runtime

#endif  // SEQGRAPH_STREAM_HPP_
