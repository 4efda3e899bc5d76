#pragma once

#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "backends/onednn/aligned_buffer.h"
#include "backends/onednn/dnnl_compat.h"
#include "base/status_macros.h"

namespace seqgraph::onednn {

/// Before primitives are made. oneDNN 2.6 does not look everywhere whether it was given memory
/// (dnnl_primitive_create, brgemm_kernel_create), and crashes: so more than it takes is tried for.
inline absl::Status RoomForPrimitives() {
  if (AlignedBuffer(size_t{16} << 20).data() != nullptr) return absl::OkStatus();
  return ResourceExhausted(
      "no memory for what oneDNN makes: a smaller batch, or another backend, needs less");
}

/// What it means that a primitive could not be made: memory, or that oneDNN has none.
inline absl::Status CannotMake(const dnnl::error& e, absl::string_view what) {
  if (e.status == dnnl_out_of_memory) {
    return ResourceExhausted("no memory for ", what,
                             ": a smaller batch, or another backend, needs less");
  }
  return Unimplemented("oneDNN has no ", what, ": ", e.what());
}

/// A primitive with its arguments as the C API wants them: memory objects made once, whose pointers
/// are set before a run. dnnl::primitive::execute would build such an array on the heap each time.
class Executable {
 public:
  void set_primitive(dnnl::primitive primitive) { primitive_ = std::move(primitive); }

  void Bind(int arg, const dnnl::memory::desc& desc, const dnnl::engine& engine) {
    memories_.emplace_back(desc, engine, nullptr);
    args_.push_back({arg, memories_.back().get()});
  }

  /// Points `arg`, which must be bound, to `data`.
  void Set(int arg, const void* data) {
    for (const dnnl_exec_arg_t& bound : args_) {  // sixteen at most
      if (bound.arg == arg) dnnl_memory_set_data_handle(bound.memory, const_cast<void*>(data));
    }
  }

  absl::Status Run(const dnnl::stream& stream, const char* what) const {
    dnnl_status_t status = dnnl_primitive_execute(primitive_.get(), stream.get(),
                                                  static_cast<int>(args_.size()), args_.data());
    if (status == dnnl_success) status = dnnl_stream_wait(stream.get());
    if (status == dnnl_success) return absl::OkStatus();
    return Internal("oneDNN failed to run ", what, ": ", dnnl_status2str(status));
  }

 private:
  dnnl::primitive primitive_;
  std::vector<dnnl::memory> memories_;
  std::vector<dnnl_exec_arg_t> args_;
};

}  // namespace seqgraph::onednn
