#ifndef SEQGRAPH_RUNTIME_HPP_
#define SEQGRAPH_RUNTIME_HPP_

// libseqgraph_runtime from C++20: <seqgraph/runtime.h> with handles that free themselves, spans and
// exceptions. Header only; installed as <seqgraph/runtime.hpp>.
//
//   seqgraph::runtime::Model model = seqgraph::runtime::Model::Load("model.pb");
//   seqgraph::runtime::Function predict = model.Compile("predict");
//   std::ranges::copy(tokens, predict.input<std::int32_t>(0).begin());
//   predict.Run();
//   float probability = predict.output<float>(0)[0];
//
// Streams are in <seqgraph/stream.hpp>. What runtime.h says of threads holds here too. Whatever
// fails throws an Error; without exceptions
// (-fno-exceptions) it is written to stderr and ends the program.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#if __has_include("runtime_library/runtime.h")
#include "runtime_library/runtime.h"
#else
#include <seqgraph/runtime.h>
#endif

namespace seqgraph::runtime {

/// What failed: a code of seqgraph_code, and a text that says what to do.
class Error : public std::runtime_error {
 public:
  Error(std::int32_t code, const std::string& text) : std::runtime_error(text), code_(code) {}
  std::int32_t code() const noexcept { return code_; }

 private:
  std::int32_t code_;
};

/// Throws an Error unless `call(status)` gives SEQGRAPH_OK.
template <typename Call>
void Check(Call&& call) {
  seqgraph_status status = SEQGRAPH_STATUS_INIT;
  if (call(&status) == SEQGRAPH_OK) return;
#if defined(__cpp_exceptions)
  throw Error(status.code, status.text);
#else
  std::fprintf(stderr, "seqgraph: %s\n", status.text);
  std::abort();
#endif
}

/// The seqgraph_dtype of float, double, std::int32_t or std::int64_t.
template <typename T>
constexpr std::int32_t DTypeOf() {
  if constexpr (std::is_same_v<T, float>) {
    return SEQGRAPH_FLOAT32;
  } else if constexpr (std::is_same_v<T, double>) {
    return SEQGRAPH_FLOAT64;
  } else if constexpr (std::is_same_v<T, std::int32_t>) {
    return SEQGRAPH_INT32;
  } else {
    static_assert(std::is_same_v<T, std::int64_t>, "float, double, std::int32_t or std::int64_t");
    return SEQGRAPH_INT64;
  }
}

/// An input, an output or a variable.
struct Tensor {
  std::string name;
  std::int32_t dtype = 0;          ///< a seqgraph_dtype
  std::vector<std::int64_t> dims;  ///< outermost first; -1: the batch, before compiling
  std::int64_t num_bytes = -1;     ///< -1 where an extent is the batch
  void* data = nullptr;            ///< of a compiled function's input or output
  bool is_trainable = false;
  bool is_optimizer_state = false;

  /// The elements at `data`; an Error if they are not of type T.
  template <typename T>
  std::span<T> elements() const {
    Check([&](seqgraph_status* status) {
      if (dtype == DTypeOf<std::remove_const_t<T>>() && data != nullptr) return std::int32_t{0};
      std::snprintf(status->text, sizeof(status->text), "%s is not of the type that is asked for",
                    name.c_str());
      return status->code = SEQGRAPH_INVALID_ARGUMENT;
    });
    return {static_cast<T*>(data), static_cast<std::size_t>(num_bytes) / sizeof(T)};
  }
};

namespace internal {

template <typename Call>
Tensor GetTensor(Call&& call) {
  seqgraph_tensor_info info = SEQGRAPH_INIT(seqgraph_tensor_info);
  Check([&](seqgraph_status* status) { return call(&info, status); });
  return {info.name,
          info.dtype,
          {info.dims, info.dims + info.rank},
          info.num_bytes,
          info.data,
          info.is_trainable != 0,
          info.is_optimizer_state != 0};
}

/// The tensors of a handle, each by get(handle, index, info, status).
template <typename Handle, typename Get>
std::vector<Tensor> GetTensors(Handle* handle, std::int32_t count, Get get) {
  std::vector<Tensor> all;
  for (std::int32_t i = 0; i < count; ++i) {
    all.push_back(GetTensor([&](seqgraph_tensor_info* tensor, seqgraph_status* s) {
      return get(handle, i, tensor, s);
    }));
  }
  return all;
}

struct Free {
  void operator()(seqgraph_model* model) const { seqgraph_model_free(model); }
  void operator()(seqgraph_function* function) const { seqgraph_function_free(function); }
  void operator()(seqgraph_stream_model* model) const { seqgraph_stream_model_free(model); }
  void operator()(seqgraph_stream* stream) const { seqgraph_stream_free(stream); }
  void operator()(seqgraph_stream_batch* batch) const { seqgraph_stream_batch_free(batch); }
};

}  // namespace internal

/// A compiled function. For one thread at a time.
class Function {
 public:
  explicit Function(seqgraph_function* handle) : handle_(handle) {
    seqgraph_function_info info = SEQGRAPH_INIT(seqgraph_function_info);
    Check([&](seqgraph_status* s) { return seqgraph_function_get_info(get(), &info, s); });
    inputs_ = internal::GetTensors(get(), info.num_inputs, seqgraph_function_get_input_info);
    outputs_ = internal::GetTensors(get(), info.num_outputs, seqgraph_function_get_output_info);
  }

  /// Runs it on its inputs.
  void Run() {
    Check([&](seqgraph_status* s) { return seqgraph_function_run(get(), s); });
  }

  const std::vector<Tensor>& inputs() const { return inputs_; }
  const std::vector<Tensor>& outputs() const { return outputs_; }
  /// The elements of an input, to be written before Run, and of an output after it.
  /// Std::out_of_range for an index that there is not.
  template <typename T>
  std::span<T> input(std::size_t index) {
    return inputs_.at(index).elements<T>();
  }
  template <typename T>
  std::span<const T> output(std::size_t index) const {
    return outputs_.at(index).elements<const T>();
  }
  template <typename T>
  std::span<T> input(const std::string& name) {
    return input<T>(Find(seqgraph_function_find_input(get(), name.c_str()), name));
  }
  template <typename T>
  std::span<const T> output(const std::string& name) const {
    return output<T>(Find(seqgraph_function_find_output(get(), name.c_str()), name));
  }

  seqgraph_function* get() const { return handle_.get(); }

 private:
  static std::size_t Find(std::int32_t index, const std::string& name) {
    Check([&](seqgraph_status* status) {
      if (index >= 0) return std::int32_t{0};
      std::snprintf(status->text, sizeof(status->text), "there is no input or output %s",
                    name.c_str());
      return status->code = SEQGRAPH_NOT_FOUND;
    });
    return static_cast<std::size_t>(index);
  }

  std::unique_ptr<seqgraph_function, internal::Free> handle_;
  std::vector<Tensor> inputs_, outputs_;
};

struct Options {
  std::int64_t batch = 1;  ///< rows of a run
  std::int32_t threads = 1;
  std::int64_t max_num_bytes = 0;  ///< memory that the function may hold; 0: no limit
};

/// Named functions over shared variables.
class Model {
 public:
  explicit Model(seqgraph_model* handle) : handle_(handle) {}
  static Model Load(const std::string& path) {
    seqgraph_model* handle = nullptr;
    Check([&](seqgraph_status* s) { return seqgraph_model_load(path.c_str(), &handle, s); });
    return Model(handle);
  }
  static Model Parse(std::span<const std::byte> bytes) {
    seqgraph_model* handle = nullptr;
    Check([&](seqgraph_status* s) {
      return seqgraph_model_parse(bytes.data(), bytes.size(), &handle, s);
    });
    return Model(handle);
  }

  /// Names of its functions, in the file's order.
  std::vector<std::string> functions() const {
    std::vector<std::string> names;
    for (std::int32_t i = 0; i < info().num_functions; ++i) {
      seqgraph_function_info function = SEQGRAPH_INIT(seqgraph_function_info);
      Check(
          [&](seqgraph_status* s) { return seqgraph_model_get_function(get(), i, &function, s); });
      names.emplace_back(function.name);
    }
    return names;
  }
  /// Names of the classes that it tells apart.
  std::vector<std::string> labels() const {
    std::vector<std::string> names;
    while (const char* label =
               seqgraph_model_label(get(), static_cast<std::int32_t>(names.size()))) {
      names.emplace_back(label);
    }
    return names;
  }
  std::vector<Tensor> variables() const {
    return internal::GetTensors(get(), info().num_variables, seqgraph_model_get_variable);
  }

  Function Compile(const std::string& name, const Options& options = {}) {
    seqgraph_options given = SEQGRAPH_INIT(seqgraph_options);
    given.batch = options.batch;
    given.threads = options.threads;
    given.max_num_bytes = options.max_num_bytes;
    seqgraph_function* function = nullptr;
    Check([&](seqgraph_status* s) {
      return seqgraph_function_compile(get(), name.c_str(), &given, &function, s);
    });
    return Function(function);
  }

  /// Copies a variable out or in; all of its elements.
  template <typename T>
  void GetVariable(const std::string& name, std::span<T> to) const {
    Check([&](seqgraph_status* s) {
      return seqgraph_variable_get(get(), name.c_str(), to.data(), to.size_bytes(), s);
    });
  }
  template <typename T>
  void SetVariable(const std::string& name, std::span<T> from) {
    Check([&](seqgraph_status* s) {
      return seqgraph_variable_set(get(), name.c_str(), from.data(), from.size_bytes(), s);
    });
  }

  seqgraph_model* get() const { return handle_.get(); }

 private:
  seqgraph_model_info info() const {
    seqgraph_model_info found = SEQGRAPH_INIT(seqgraph_model_info);
    Check([&](seqgraph_status* s) { return seqgraph_model_get_info(get(), &found, s); });
    return found;
  }

  std::unique_ptr<seqgraph_model, internal::Free> handle_;
};

}  // namespace seqgraph::runtime

#endif  // SEQGRAPH_RUNTIME_HPP_
