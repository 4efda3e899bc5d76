#include "tests/benchmark/bare_rnn.h"

#include <random>
#include <unordered_map>

#include "backends/onednn/dnnl_compat.h"

namespace seqgraph {
namespace {

using dnnl::memory;
using Tag = memory::format_tag;

memory::desc Desc(const memory::dims& dims, Tag tag) {
  return memory::desc(dims, memory::data_type::f32, tag);
}

// Memory filled with reals in [-0.1, 0.1).
memory RandomMemory(const memory::desc& desc, const dnnl::engine& engine) {
  memory result(desc, engine);
  std::mt19937 rng(1);
  std::uniform_real_distribution<float> uniform(-0.1f, 0.1f);
  float* elements = static_cast<float*>(result.get_data_handle());
  for (size_t i = 0; i < desc.get_size() / sizeof(float); ++i) elements[i] = uniform(rng);
  return result;
}

// The tensors of any recurrent primitive; an empty descriptor means "absent".
struct CellDescs : onednn::compat::RnnDescs {
  memory::desc src_iter_c, dst_iter_c;  // LSTM alone
};

// The primitives that the backend does not use, for both versions of oneDNN.

dnnl::lstm_forward::primitive_desc MakeLstmForward(const dnnl::engine& engine,
                                                   const dnnl::primitive_attr& attr,
                                                   dnnl::prop_kind kind, const CellDescs& d) {
  const auto direction = dnnl::rnn_direction::unidirectional_left2right;
#if DNNL_VERSION_MAJOR >= 3
  return dnnl::lstm_forward::primitive_desc(engine, kind, direction, d.src_layer, d.src_iter,
                                            d.src_iter_c, d.weights_layer, d.weights_iter, d.bias,
                                            d.dst_layer, d.dst_iter, d.dst_iter_c, attr);
#else
  return dnnl::lstm_forward::primitive_desc(
      dnnl::lstm_forward::desc(kind, direction, d.src_layer, d.src_iter, d.src_iter_c,
                               d.weights_layer, d.weights_iter, d.bias, d.dst_layer, d.dst_iter,
                               d.dst_iter_c),
      attr, engine);
#endif
}

dnnl::lstm_backward::primitive_desc MakeLstmBackward(
    const dnnl::engine& engine, const dnnl::primitive_attr& attr, const CellDescs& d,
    const CellDescs& diff, const dnnl::lstm_forward::primitive_desc& forward) {
  const auto kind = dnnl::prop_kind::backward;
  const auto direction = dnnl::rnn_direction::unidirectional_left2right;
#if DNNL_VERSION_MAJOR >= 3
  return dnnl::lstm_backward::primitive_desc(
      engine, kind, direction, d.src_layer, d.src_iter, d.src_iter_c, d.weights_layer,
      d.weights_iter, d.bias, d.dst_layer, d.dst_iter, d.dst_iter_c, diff.src_layer, diff.src_iter,
      diff.src_iter_c, diff.weights_layer, diff.weights_iter, diff.bias, diff.dst_layer,
      diff.dst_iter, diff.dst_iter_c, forward, attr);
#else
  return dnnl::lstm_backward::primitive_desc(
      dnnl::lstm_backward::desc(kind, direction, d.src_layer, d.src_iter, d.src_iter_c,
                                d.weights_layer, d.weights_iter, d.bias, d.dst_layer, d.dst_iter,
                                d.dst_iter_c, diff.src_layer, diff.src_iter, diff.src_iter_c,
                                diff.weights_layer, diff.weights_iter, diff.bias, diff.dst_layer,
                                diff.dst_iter, diff.dst_iter_c),
      attr, engine, forward);
#endif
}

// `Forward`: dnnl::gru_forward (the reset before the product) or dnnl::lbr_gru_forward (after it).
template <typename Forward>
typename Forward::primitive_desc MakeGruForward(const dnnl::engine& engine,
                                                const dnnl::primitive_attr& attr,
                                                dnnl::prop_kind kind, const CellDescs& d) {
  const auto direction = dnnl::rnn_direction::unidirectional_left2right;
#if DNNL_VERSION_MAJOR >= 3
  return typename Forward::primitive_desc(engine, kind, direction, d.src_layer, d.src_iter,
                                          d.weights_layer, d.weights_iter, d.bias, d.dst_layer,
                                          d.dst_iter, attr);
#else
  return typename Forward::primitive_desc(
      typename Forward::desc(kind, direction, d.src_layer, d.src_iter, d.weights_layer,
                             d.weights_iter, d.bias, d.dst_layer, d.dst_iter),
      attr, engine);
#endif
}

// `Backward`: dnnl::gru_backward or dnnl::lbr_gru_backward.
template <typename Backward, typename ForwardDesc>
typename Backward::primitive_desc MakeGruBackward(const dnnl::engine& engine,
                                                  const dnnl::primitive_attr& attr,
                                                  const CellDescs& d, const CellDescs& diff,
                                                  const ForwardDesc& forward) {
  const auto kind = dnnl::prop_kind::backward;
  const auto direction = dnnl::rnn_direction::unidirectional_left2right;
#if DNNL_VERSION_MAJOR >= 3
  return typename Backward::primitive_desc(
      engine, kind, direction, d.src_layer, d.src_iter, d.weights_layer, d.weights_iter, d.bias,
      d.dst_layer, d.dst_iter, diff.src_layer, diff.src_iter, diff.weights_layer, diff.weights_iter,
      diff.bias, diff.dst_layer, diff.dst_iter, forward, attr);
#else
  return typename Backward::primitive_desc(
      typename Backward::desc(kind, direction, d.src_layer, d.src_iter, d.weights_layer,
                              d.weights_iter, d.bias, d.dst_layer, d.dst_iter, diff.src_layer,
                              diff.src_iter, diff.weights_layer, diff.weights_iter, diff.bias,
                              diff.dst_layer, diff.dst_iter),
      attr, engine, forward);
#endif
}

}  // namespace

struct BareRnn::Impl {
  // Takes the pair of primitives, with all their memory.
  template <typename Forward, typename Backward>
  void Set(const CellDescs& d, const typename Forward::primitive_desc& forward_pd,
           const typename Backward::primitive_desc& backward_pd) {
    forward = Forward(forward_pd);
    backward = Backward(backward_pd);
    Add(forward_args, DNNL_ARG_SRC_LAYER, d.src_layer);
    Add(forward_args, DNNL_ARG_SRC_ITER, d.src_iter);
    Add(forward_args, DNNL_ARG_SRC_ITER_C, d.src_iter_c);
    Add(forward_args, DNNL_ARG_WEIGHTS_LAYER, forward_pd.weights_layer_desc());
    Add(forward_args, DNNL_ARG_WEIGHTS_ITER, forward_pd.weights_iter_desc());
    Add(forward_args, DNNL_ARG_BIAS, d.bias);
    Add(forward_args, DNNL_ARG_DST_LAYER, d.dst_layer);
    Add(forward_args, DNNL_ARG_DST_ITER, d.dst_iter);
    Add(forward_args, DNNL_ARG_DST_ITER_C, d.dst_iter_c);
    forward_args[DNNL_ARG_WORKSPACE] = memory(forward_pd.workspace_desc(), engine);
    backward_args = forward_args;
    Add(backward_args, DNNL_ARG_WEIGHTS_LAYER, backward_pd.weights_layer_desc());
    Add(backward_args, DNNL_ARG_WEIGHTS_ITER, backward_pd.weights_iter_desc());
    Add(backward_args, DNNL_ARG_DIFF_SRC_LAYER, d.src_layer);
    Add(backward_args, DNNL_ARG_DIFF_SRC_ITER, d.src_iter);
    Add(backward_args, DNNL_ARG_DIFF_SRC_ITER_C, d.src_iter_c);
    Add(backward_args, DNNL_ARG_DIFF_WEIGHTS_LAYER, backward_pd.diff_weights_layer_desc());
    Add(backward_args, DNNL_ARG_DIFF_WEIGHTS_ITER, backward_pd.diff_weights_iter_desc());
    Add(backward_args, DNNL_ARG_DIFF_BIAS, d.bias);
    Add(backward_args, DNNL_ARG_DIFF_DST_LAYER, d.dst_layer);
    Add(backward_args, DNNL_ARG_DIFF_DST_ITER, d.dst_iter);
    Add(backward_args, DNNL_ARG_DIFF_DST_ITER_C, d.dst_iter_c);
  }

  template <typename Forward, typename Backward>
  void SetGru(const CellDescs& d) {
    const auto pd = MakeGruForward<Forward>(engine, {}, dnnl::prop_kind::forward_training, d);
    Set<Forward, Backward>(d, pd, MakeGruBackward<Backward>(engine, {}, d, d, pd));
  }

  void Add(std::unordered_map<int, memory>& args, int arg, const memory::desc& desc) const {
    if (!desc.is_zero()) args[arg] = RandomMemory(desc, engine);
  }

  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
  dnnl::primitive forward, backward;
  std::unordered_map<int, memory> forward_args, backward_args;
};

BareRnn::BareRnn(BareCell cell, int64_t time, int64_t batch, int64_t features, int64_t units)
    : impl_(std::make_unique<Impl>()) {
  const int64_t gates = cell == BareCell::kRnn ? 1 : cell == BareCell::kLstm ? 4 : 3;
  const memory::desc state = Desc({1, 1, batch, units}, Tag::ldnc);
  CellDescs d;
  d.src_layer = Desc({time, batch, features}, Tag::tnc);
  d.weights_layer = Desc({1, 1, features, gates, units}, Tag::any);
  d.weights_iter = Desc({1, 1, units, gates, units}, Tag::any);
  d.bias = Desc({1, 1, cell == BareCell::kLbrGru ? 4 : gates, units}, Tag::ldgo);
  d.dst_layer = Desc({time, batch, units}, Tag::tnc);
  d.dst_iter = state;
  const dnnl::engine& engine = impl_->engine;
  switch (cell) {
    case BareCell::kRnn: {
      const auto tanh = dnnl::algorithm::eltwise_tanh;
      const auto pd =
          onednn::compat::MakeRnnForward(engine, {}, dnnl::prop_kind::forward_training, tanh, d);
      impl_->Set<dnnl::vanilla_rnn_forward, dnnl::vanilla_rnn_backward>(
          d, pd, onednn::compat::MakeRnnBackward(engine, {}, tanh, d, d, pd));
      break;
    }
    case BareCell::kLstm: {
      d.dst_iter_c = state;
      const auto pd = MakeLstmForward(engine, {}, dnnl::prop_kind::forward_training, d);
      impl_->Set<dnnl::lstm_forward, dnnl::lstm_backward>(d, pd,
                                                          MakeLstmBackward(engine, {}, d, d, pd));
      break;
    }
    case BareCell::kGru:
      impl_->SetGru<dnnl::gru_forward, dnnl::gru_backward>(d);
      break;
    case BareCell::kLbrGru:
      impl_->SetGru<dnnl::lbr_gru_forward, dnnl::lbr_gru_backward>(d);
      break;
  }
}

BareRnn::~BareRnn() = default;

void BareRnn::Run() {
  impl_->forward.execute(impl_->stream, impl_->forward_args);
  impl_->backward.execute(impl_->stream, impl_->backward_args);
  impl_->stream.wait();
}

}  // namespace seqgraph
