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

}  // namespace

struct BareRnn::Impl {
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
  dnnl::primitive forward, backward;
  std::unordered_map<int, memory> forward_args, backward_args;
};

BareRnn::BareRnn(int64_t time, int64_t batch, int64_t features, int64_t units)
    : impl_(std::make_unique<Impl>()) {
  onednn::compat::RnnDescs descs;
  descs.src_layer = Desc({time, batch, features}, Tag::tnc);
  descs.weights_layer = Desc({1, 1, features, 1, units}, Tag::any);
  descs.weights_iter = Desc({1, 1, units, 1, units}, Tag::any);
  descs.bias = Desc({1, 1, 1, units}, Tag::ldgo);
  descs.dst_layer = Desc({time, batch, units}, Tag::tnc);
  descs.dst_iter = Desc({1, 1, batch, units}, Tag::ldnc);
  const auto forward = onednn::compat::MakeRnnForward(
      impl_->engine, {}, dnnl::prop_kind::forward_training, dnnl::algorithm::eltwise_tanh, descs);
  const auto backward = onednn::compat::MakeRnnBackward(
      impl_->engine, {}, dnnl::algorithm::eltwise_tanh, descs, descs, forward);
  impl_->forward = dnnl::vanilla_rnn_forward(forward);
  impl_->backward = dnnl::vanilla_rnn_backward(backward);

  const auto random = [this](const memory::desc& desc) {
    return RandomMemory(desc, impl_->engine);
  };
  impl_->forward_args = {
      {DNNL_ARG_SRC_LAYER, random(descs.src_layer)},
      {DNNL_ARG_WEIGHTS_LAYER, random(forward.weights_layer_desc())},
      {DNNL_ARG_WEIGHTS_ITER, random(forward.weights_iter_desc())},
      {DNNL_ARG_BIAS, random(descs.bias)},
      {DNNL_ARG_DST_LAYER, random(descs.dst_layer)},
      {DNNL_ARG_DST_ITER, random(descs.dst_iter)},
      {DNNL_ARG_WORKSPACE, memory(forward.workspace_desc(), impl_->engine)},
  };
  impl_->backward_args = impl_->forward_args;
  impl_->backward_args[DNNL_ARG_WEIGHTS_LAYER] = random(backward.weights_layer_desc());
  impl_->backward_args[DNNL_ARG_WEIGHTS_ITER] = random(backward.weights_iter_desc());
  impl_->backward_args[DNNL_ARG_DIFF_SRC_LAYER] = random(descs.src_layer);
  impl_->backward_args[DNNL_ARG_DIFF_WEIGHTS_LAYER] = random(backward.diff_weights_layer_desc());
  impl_->backward_args[DNNL_ARG_DIFF_WEIGHTS_ITER] = random(backward.diff_weights_iter_desc());
  impl_->backward_args[DNNL_ARG_DIFF_BIAS] = random(descs.bias);
  impl_->backward_args[DNNL_ARG_DIFF_DST_LAYER] = random(descs.dst_layer);
  impl_->backward_args[DNNL_ARG_DIFF_DST_ITER] = random(descs.dst_iter);
}

BareRnn::~BareRnn() = default;

void BareRnn::Run() {
  impl_->forward.execute(impl_->stream, impl_->forward_args);
  impl_->backward.execute(impl_->stream, impl_->backward_args);
  impl_->stream.wait();
}

}  // namespace seqgraph
