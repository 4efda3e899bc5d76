#include "serialization/layers_proto.h"

#include <cmath>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "graph/shape.h"
#include "serialization/function_proto.h"

namespace seqgraph {
namespace {

// A regularizer that does nothing is not saved: `field` makes the message.
template <typename Field>
void SaveRegularizer(const Regularizer& from, Field field) {
  if (!from.present()) return;
  proto::Regularizer* to = field();
  to->set_l1(from.l1);
  to->set_l2(from.l2);
}

proto::RecurrentLayer RecurrentToProto(const RecurrentLayer& from) {
  proto::RecurrentLayer to;
  to.set_kind(static_cast<proto::RecurrentLayer::Kind>(from.kind));
  to.set_units(from.units);
  to.set_activation(from.activation);
  to.set_use_bias(from.use_bias);
  to.set_return_sequences(from.return_sequences);
  to.set_go_backwards(from.go_backwards);
  to.set_stateful(from.stateful);
  to.set_zero_output_for_mask(from.zero_output_for_mask);
  to.set_reset_after(from.reset_after);
  to.set_unit_forget_bias(from.unit_forget_bias);
  to.set_dropout(from.dropout);
  to.set_recurrent_dropout(from.recurrent_dropout);
  *to.mutable_kernel_initializer() = InitializerToProto(from.kernel_initializer);
  *to.mutable_recurrent_initializer() = InitializerToProto(from.recurrent_initializer);
  *to.mutable_bias_initializer() = InitializerToProto(from.bias_initializer);
  SaveRegularizer(from.kernel_regularizer, [&] { return to.mutable_kernel_regularizer(); });
  SaveRegularizer(from.recurrent_regularizer, [&] { return to.mutable_recurrent_regularizer(); });
  SaveRegularizer(from.bias_regularizer, [&] { return to.mutable_bias_regularizer(); });
  return to;
}

struct SaveKind {
  proto::Layer& to;

  void operator()(const EmbeddingLayer& from) const {
    proto::EmbeddingLayer& layer = *to.mutable_embedding();
    layer.set_input_dim(from.input_dim);
    layer.set_output_dim(from.output_dim);
    layer.set_mask_zero(from.mask_zero);
    *layer.mutable_embeddings_initializer() = InitializerToProto(from.embeddings_initializer);
    SaveRegularizer(from.embeddings_regularizer,
                    [&] { return layer.mutable_embeddings_regularizer(); });
  }
  void operator()(const OneHotLayer& from) const { to.mutable_one_hot()->set_depth(from.depth); }
  void operator()(const RecurrentLayer& from) const {
    *to.mutable_recurrent() = RecurrentToProto(from);
  }
  void operator()(const BidirectionalLayer& from) const {
    proto::BidirectionalLayer& layer = *to.mutable_bidirectional();
    *layer.mutable_forward() = RecurrentToProto(from.forward);
    *layer.mutable_backward() = RecurrentToProto(from.backward);
    layer.set_forward_name(from.forward_name);
    layer.set_backward_name(from.backward_name);
    layer.set_merge_mode(static_cast<proto::BidirectionalLayer::MergeMode>(from.merge_mode));
  }
  void operator()(const DenseLayer& from) const {
    proto::DenseLayer& layer = *to.mutable_dense();
    layer.set_units(from.units);
    layer.set_activation(from.activation);
    layer.set_use_bias(from.use_bias);
    *layer.mutable_kernel_initializer() = InitializerToProto(from.kernel_initializer);
    *layer.mutable_bias_initializer() = InitializerToProto(from.bias_initializer);
    SaveRegularizer(from.kernel_regularizer, [&] { return layer.mutable_kernel_regularizer(); });
    SaveRegularizer(from.bias_regularizer, [&] { return layer.mutable_bias_regularizer(); });
  }
  void operator()(const DropoutLayer& from) const {
    to.mutable_dropout()->set_rate(from.rate);
    to.mutable_dropout()->set_spatial(from.spatial);
  }
  void operator()(const PoolingLayer& from) const {
    to.mutable_pooling()->set_kind(static_cast<proto::PoolingLayer::Kind>(from.kind));
  }
  void operator()(const ActivationLayer& from) const {
    to.mutable_activation()->set_activation(from.activation);
  }
};

// Reads one layer; the first mistake is kept.
class LayerReader {
 public:
  absl::StatusOr<Layer> Read(const proto::Layer& from) {
    Layer layer;
    Name(from.name(), &layer.name);
    layer.trainable = !from.frozen();
    ReadKind(from, &layer.kind);
    SEQ_RETURN_IF_ERROR(Annotate(status_, absl::StrCat("layer ", from.name())));
    return layer;
  }

 private:
  void Fail(const std::string& why) {
    if (status_.ok()) status_ = absl::InvalidArgumentError(why);
  }
  void Name(const std::string& from, std::string* to) {
    if (from.empty() || from.size() > kMaxNameBytes) {
      Fail(absl::StrCat("a name or activation has ", from.size(), " bytes; it must have 1 to ",
                        kMaxNameBytes));
    }
    *to = from;
  }
  void Extent(const char* what, int64_t from, int64_t* to) {
    if (from < 1 || from > Shape::kMaxElements) {
      Fail(absl::StrCat(what, " is ", from, "; it must be from 1 to 2^40"));
    }
    *to = from;
  }
  void Real(const char* what, double from, double* to) {
    if (!std::isfinite(from)) Fail(absl::StrCat(what, " is not finite"));
    *to = from;
  }
  void Read(const proto::Initializer& from, Initializer* to) {
    const absl::StatusOr<Initializer> initializer = InitializerFromProto(from);
    if (initializer.ok()) {
      *to = *initializer;
    } else {
      Fail(std::string(initializer.status().message()));
    }
  }
  void Read(const proto::Regularizer& from, Regularizer* to) {
    Real("l1", from.l1(), &to->l1);
    Real("l2", from.l2(), &to->l2);
  }
  // Kinds have the same numbers in files and in memory.
  template <typename Kind>
  void Enum(const char* what, int from, Kind last, Kind* to) {
    if (from < 0 || from > static_cast<int>(last)) {
      Fail(absl::StrCat("this program does not know ", what, " ", from));
      return;
    }
    *to = static_cast<Kind>(from);
  }

  RecurrentLayer ReadRecurrent(const proto::RecurrentLayer& from) {
    RecurrentLayer to;
    Enum("recurrent kind", from.kind(), RecurrentKind::kGRU, &to.kind);
    Extent("units", from.units(), &to.units);
    Name(from.activation(), &to.activation);
    to.use_bias = from.use_bias();
    to.return_sequences = from.return_sequences();
    to.go_backwards = from.go_backwards();
    to.stateful = from.stateful();
    to.zero_output_for_mask = from.zero_output_for_mask();
    to.reset_after = from.reset_after();
    to.unit_forget_bias = from.unit_forget_bias();
    Real("dropout", from.dropout(), &to.dropout);
    Real("recurrent_dropout", from.recurrent_dropout(), &to.recurrent_dropout);
    Read(from.kernel_initializer(), &to.kernel_initializer);
    Read(from.recurrent_initializer(), &to.recurrent_initializer);
    Read(from.bias_initializer(), &to.bias_initializer);
    Read(from.kernel_regularizer(), &to.kernel_regularizer);
    Read(from.recurrent_regularizer(), &to.recurrent_regularizer);
    Read(from.bias_regularizer(), &to.bias_regularizer);
    return to;
  }

  EmbeddingLayer ReadEmbedding(const proto::EmbeddingLayer& from) {
    EmbeddingLayer to;
    Extent("input_dim", from.input_dim(), &to.input_dim);
    Extent("output_dim", from.output_dim(), &to.output_dim);
    to.mask_zero = from.mask_zero();
    Read(from.embeddings_initializer(), &to.embeddings_initializer);
    Read(from.embeddings_regularizer(), &to.embeddings_regularizer);
    return to;
  }

  BidirectionalLayer ReadBidirectional(const proto::BidirectionalLayer& from) {
    BidirectionalLayer to;
    to.forward = ReadRecurrent(from.forward());
    to.backward = ReadRecurrent(from.backward());
    Name(from.forward_name(), &to.forward_name);
    Name(from.backward_name(), &to.backward_name);
    Enum("merge mode", from.merge_mode(), MergeMode::kAve, &to.merge_mode);
    return to;
  }

  DenseLayer ReadDense(const proto::DenseLayer& from) {
    DenseLayer to;
    Extent("units", from.units(), &to.units);
    Name(from.activation(), &to.activation);
    to.use_bias = from.use_bias();
    Read(from.kernel_initializer(), &to.kernel_initializer);
    Read(from.bias_initializer(), &to.bias_initializer);
    Read(from.kernel_regularizer(), &to.kernel_regularizer);
    Read(from.bias_regularizer(), &to.bias_regularizer);
    return to;
  }

  void ReadKind(const proto::Layer& from, LayerKind* kind) {
    switch (from.kind_case()) {
      case proto::Layer::kEmbedding:
        *kind = ReadEmbedding(from.embedding());
        return;
      case proto::Layer::kOneHot: {
        OneHotLayer layer;
        Extent("depth", from.one_hot().depth(), &layer.depth);
        *kind = layer;
        return;
      }
      case proto::Layer::kRecurrent:
        *kind = ReadRecurrent(from.recurrent());
        return;
      case proto::Layer::kBidirectional:
        *kind = ReadBidirectional(from.bidirectional());
        return;
      case proto::Layer::kDense:
        *kind = ReadDense(from.dense());
        return;
      case proto::Layer::kDropout: {
        DropoutLayer layer{.spatial = from.dropout().spatial()};
        Real("rate", from.dropout().rate(), &layer.rate);
        *kind = layer;
        return;
      }
      case proto::Layer::kPooling: {
        PoolingLayer layer;
        Enum("kind of pooling", from.pooling().kind(), PoolingLayer::Kind::kMax, &layer.kind);
        *kind = layer;
        return;
      }
      case proto::Layer::kActivation: {
        ActivationLayer layer;
        Name(from.activation().activation(), &layer.activation);
        *kind = layer;
        return;
      }
      case proto::Layer::KIND_NOT_SET:
        Fail("is of no kind");
    }
  }

  absl::Status status_;
};

absl::StatusOr<LayerInput> InputFromProto(const proto::LayerInput& from) {
  const auto fits = [](int64_t extent) { return extent >= 0 && extent <= Shape::kMaxElements; };
  if (from.time() < 1 || !fits(from.time()) || !fits(from.features()) || !fits(from.batch())) {
    return absl::InvalidArgumentError(absl::StrCat("its input has time ", from.time(),
                                                   ", features ", from.features(), " and batch ",
                                                   from.batch(), ", which must be from 1 to 2^40"));
  }
  if (from.name().empty() || from.name().size() > kMaxNameBytes) {
    return absl::InvalidArgumentError("the name of its input is empty or too long");
  }
  LayerInput to{.name = from.name(), .time = from.time()};
  if (from.features() > 0) to.features = from.features();
  if (from.batch() > 0) to.batch = from.batch();
  return to;
}

}  // namespace

proto::LayerStack LayerStackToProto(const LayerStack& stack) {
  proto::LayerStack saved;
  saved.set_name(stack.name);
  saved.mutable_input()->set_name(stack.input.name);
  saved.mutable_input()->set_time(stack.input.time);
  saved.mutable_input()->set_features(stack.input.features.value_or(0));
  saved.mutable_input()->set_batch(stack.input.batch.value_or(0));
  for (const Layer& layer : stack.layers) {
    proto::Layer& to = *saved.add_layers();
    to.set_name(layer.name);
    to.set_frozen(!layer.trainable);
    std::visit(SaveKind{to}, layer.kind);
  }
  return saved;
}

absl::StatusOr<LayerStack> LayerStackFromProto(const proto::LayerStack& saved) {
  if (saved.layers_size() > kMaxStackLayers) {
    return absl::InvalidArgumentError(
        absl::StrCat("the stack has ", saved.layers_size(), " layers; at most ", kMaxStackLayers));
  }
  if (saved.name().size() > kMaxNameBytes) {
    return absl::InvalidArgumentError("the name of the stack is too long");
  }
  LayerStack stack{.name = saved.name()};
  absl::StatusOr<LayerInput> input = InputFromProto(saved.input());
  SEQ_RETURN_IF_ERROR(Annotate(input.status(), "the stack of layers"));
  stack.input = *std::move(input);
  std::set<std::string> names;
  for (const proto::Layer& from : saved.layers()) {
    SEQ_ASSIGN_OR_RETURN(Layer layer, LayerReader().Read(from));
    if (!names.insert(layer.name).second) {
      return absl::InvalidArgumentError(absl::StrCat("two layers are named ", layer.name));
    }
    stack.layers.push_back(std::move(layer));
  }
  return stack;
}

}  // namespace seqgraph
