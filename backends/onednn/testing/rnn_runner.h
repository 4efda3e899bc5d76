#pragma once

// For tests: an RnnPrimitive with the buffers of one run, fed with dense data.

#include <cstdlib>
#include <cstring>
#include <memory>
#include <utility>

#include "backends/onednn/aligned_buffer.h"
#include "backends/onednn/rnn_primitive.h"
#include "backends/onednn/testing/rnn_oracle.h"
#include "tests/testing.h"

namespace seqgraph::onednn {

inline RnnConfig Config(int64_t time, int64_t batch, int64_t features, int64_t units,
                        Activation activation = Activation::kTanh) {
  RnnConfig c;
  c.time = time;
  c.batch = batch;
  c.features = features;
  c.x_width = features;
  c.units = units;
  c.activation = activation;
  c.training = true;
  return c;
}

inline const float* OrNull(const Floats& v) { return v.empty() ? nullptr : v.data(); }

// Rows of `width` floats into rows of `padded`, padding set to `filler`.
inline Floats Widen(const Floats& v, int64_t width, int64_t padded, float filler) {
  Floats result(v.size() / width * padded, filler);
  for (size_t i = 0; i < v.size(); ++i) result[i / width * padded + i % width] = v[i];
  return result;
}

inline Floats Narrow(const Floats& v, int64_t padded, int64_t width) {
  Floats result(v.size() / padded * width);
  for (size_t i = 0; i < result.size(); ++i) result[i] = v[i / width * padded + i % width];
  return result;
}

// An RnnPrimitive with its buffers. Everything it may write starts as garbage.
class Runner {
 public:
  explicit Runner(const RnnConfig& config) : c_(config) {
    auto primitive = RnnPrimitive::Create(config);
    if (!primitive.ok()) {
      ADD_FAILURE() << primitive.status();
      std::abort();
    }
    rnn = *std::move(primitive);
    const float garbage = 1e3f;
    y.assign(c_.time * c_.batch * rnn->y_width(), garbage);
    dx.assign(c_.time * c_.batch * c_.x_width, garbage);
    out.h_last.assign(c_.batch * c_.units, garbage);
    out.dh0 = out.h_last;
    out.dw.assign(c_.projected ? 0 : c_.features * c_.units, garbage);
    out.du.assign(c_.units * c_.units, garbage);
    out.db.assign(c_.units, garbage);
    workspace = AlignedBuffer(rnn->workspace_bytes());
    scratch = AlignedBuffer(rnn->scratch_bytes() + 1);
    std::memset(scratch.data(), 0x7f, scratch.size());
  }

  void Forward(const RnnData& d) {
    x = Widen(d.x, c_.features, c_.x_width, 7.0f);
    RnnForwardArgs a;
    a.x = x.data();
    a.h0 = OrNull(d.h0);
    a.w = c_.projected ? nullptr : d.w.data();
    a.u = d.u.data();
    a.b = OrNull(d.b);
    a.y = y.data();
    a.h_last = out.h_last.data();
    a.workspace = workspace.data();
    a.scratch = scratch.data();
    SEQ_ASSERT_OK(rnn->Forward(a));
    out.y = Narrow(y, rnn->y_width(), c_.units);
  }

  void Backward(const RnnData& d) {
    // What other kernels leave in the shared scratch between the two runs.
    std::memset(scratch.data(), 0x7f, scratch.size());
    const Floats dy = Widen(d.dy, c_.units, rnn->y_width(), 0.0f);
    RnnBackwardArgs a;
    a.x = x.data();
    a.h0 = OrNull(d.h0);
    a.w = c_.projected ? nullptr : d.w.data();
    a.u = d.u.data();
    a.b = OrNull(d.b);
    a.y = y.data();
    a.dy = OrNull(dy);
    a.dh_last = OrNull(d.dh_last);
    a.dx = dx.data();
    a.dh0 = out.dh0.data();
    a.dw = c_.projected ? nullptr : out.dw.data();
    a.du = out.du.data();
    a.db = out.db.data();
    a.workspace = workspace.data();
    a.scratch = scratch.data();
    SEQ_ASSERT_OK(rnn->Backward(a));
    out.dx = Narrow(dx, c_.x_width, c_.features);
  }

  std::unique_ptr<RnnPrimitive> rnn;
  Floats x, y, dx;
  RnnFloats out;
  AlignedBuffer workspace, scratch;

 private:
  const RnnConfig c_;
};

}  // namespace seqgraph::onednn
