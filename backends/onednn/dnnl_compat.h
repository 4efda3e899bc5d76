#pragma once

// The only place that knows which oneDNN it is compiled against: 2.6.3 (operation descriptors) or
// 3.x (all arguments go to the primitive descriptor). Everything else in this backend calls the
// functions below. They throw dnnl::error as oneDNN's own C++ classes do; callers in this folder
// turn that into a status before it leaves the folder.

#include <oneapi/dnnl/dnnl.h>
#include <oneapi/dnnl/dnnl_debug.h>

#include <oneapi/dnnl/dnnl.hpp>

#if !defined(DNNL_VERSION_MAJOR) || DNNL_VERSION_MAJOR < 2
#error "oneDNN 2.6 or newer is needed"
#endif
#if DNNL_CPU_RUNTIME != DNNL_RUNTIME_OMP
#error "An OpenMP build of oneDNN is needed: executions must be synchronous on host pointers"
#endif

namespace seqgraph::onednn::compat {

/// The tensors of a recurrent primitive; an empty descriptor means "absent".
struct RnnDescs {
  dnnl::memory::desc src_layer;
  dnnl::memory::desc src_iter;
  dnnl::memory::desc weights_layer;
  dnnl::memory::desc weights_iter;
  dnnl::memory::desc bias;
  dnnl::memory::desc dst_layer;
  dnnl::memory::desc dst_iter;
};

inline dnnl::vanilla_rnn_forward::primitive_desc MakeRnnForward(const dnnl::engine& engine,
                                                                const dnnl::primitive_attr& attr,
                                                                dnnl::prop_kind kind,
                                                                dnnl::algorithm activation,
                                                                const RnnDescs& d) {
  const auto direction = dnnl::rnn_direction::unidirectional_left2right;
#if DNNL_VERSION_MAJOR >= 3
  return dnnl::vanilla_rnn_forward::primitive_desc(engine, kind, activation, direction, d.src_layer,
                                                   d.src_iter, d.weights_layer, d.weights_iter,
                                                   d.bias, d.dst_layer, d.dst_iter, attr);
#else
  return dnnl::vanilla_rnn_forward::primitive_desc(
      dnnl::vanilla_rnn_forward::desc(kind, activation, direction, d.src_layer, d.src_iter,
                                      d.weights_layer, d.weights_iter, d.bias, d.dst_layer,
                                      d.dst_iter),
      attr, engine);
#endif
}

inline dnnl::vanilla_rnn_backward::primitive_desc MakeRnnBackward(
    const dnnl::engine& engine, const dnnl::primitive_attr& attr, dnnl::algorithm activation,
    const RnnDescs& d, const RnnDescs& diff,
    const dnnl::vanilla_rnn_forward::primitive_desc& forward) {
  const auto kind = dnnl::prop_kind::backward;
  const auto direction = dnnl::rnn_direction::unidirectional_left2right;
#if DNNL_VERSION_MAJOR >= 3
  return dnnl::vanilla_rnn_backward::primitive_desc(
      engine, kind, activation, direction, d.src_layer, d.src_iter, d.weights_layer, d.weights_iter,
      d.bias, d.dst_layer, d.dst_iter, diff.src_layer, diff.src_iter, diff.weights_layer,
      diff.weights_iter, diff.bias, diff.dst_layer, diff.dst_iter, forward, attr);
#else
  return dnnl::vanilla_rnn_backward::primitive_desc(
      dnnl::vanilla_rnn_backward::desc(
          kind, activation, direction, d.src_layer, d.src_iter, d.weights_layer, d.weights_iter,
          d.bias, d.dst_layer, d.dst_iter, diff.src_layer, diff.src_iter, diff.weights_layer,
          diff.weights_iter, diff.bias, diff.dst_layer, diff.dst_iter),
      attr, engine, forward);
#endif
}

inline dnnl::matmul::primitive_desc MakeMatmul(const dnnl::engine& engine,
                                               const dnnl::primitive_attr& attr,
                                               const dnnl::memory::desc& a,
                                               const dnnl::memory::desc& b,
                                               const dnnl::memory::desc& c) {
#if DNNL_VERSION_MAJOR >= 3
  return dnnl::matmul::primitive_desc(engine, a, b, c, attr);
#else
  return dnnl::matmul::primitive_desc(dnnl::matmul::desc(a, b, c), attr, engine);
#endif
}

}  // namespace seqgraph::onednn::compat
