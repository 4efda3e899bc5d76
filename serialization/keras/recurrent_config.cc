#include "serialization/keras/recurrent_config.h"

#include "serialization/keras/layer_config.h"
#include "serialization/keras/layer_limits.h"
#include "serialization/keras/value_config.h"

namespace seqgraph::keras {

bool ParseRecurrentKind(const std::string& class_name, RecurrentKind* kind) {
  for (const RecurrentKind candidate :
       {RecurrentKind::kSimpleRNN, RecurrentKind::kLSTM, RecurrentKind::kGRU}) {
    if (RecurrentClass(candidate) == class_name) {
      *kind = candidate;
      return true;
    }
  }
  return false;
}

RecurrentLayer ReadRecurrent(Config& config, RecurrentKind kind, std::vector<std::string>* notes) {
  RecurrentLayer layer{.kind = kind};
  config.Int("units", 1, kMaxExtent, &layer.units);
  ReadActivation(config, "activation", {"tanh", "relu", "sigmoid"}, &layer.activation);
  config.Bool("use_bias", &layer.use_bias);
  config.Bool("return_sequences", &layer.return_sequences);
  config.Bool("go_backwards", &layer.go_backwards);
  config.Bool("stateful", &layer.stateful);
  config.Bool("zero_output_for_mask", &layer.zero_output_for_mask);
  config.Real("dropout", &layer.dropout);
  config.Real("recurrent_dropout", &layer.recurrent_dropout);
  ReadInitializer(config, "kernel_initializer", &layer.kernel_initializer, notes);
  ReadInitializer(config, "recurrent_initializer", &layer.recurrent_initializer, notes);
  ReadInitializer(config, "bias_initializer", &layer.bias_initializer, notes);
  ReadRegularizer(config, "kernel_regularizer", &layer.kernel_regularizer);
  ReadRegularizer(config, "recurrent_regularizer", &layer.recurrent_regularizer);
  ReadRegularizer(config, "bias_regularizer", &layer.bias_regularizer);
  if (kind != RecurrentKind::kSimpleRNN) {
    std::string gates = "sigmoid";
    ReadActivation(config, "recurrent_activation", {"sigmoid"}, &gates);
  }
  if (kind == RecurrentKind::kLSTM) config.Bool("unit_forget_bias", &layer.unit_forget_bias);
  if (kind == RecurrentKind::kGRU) {
    // Keras 2.0 to 2.2 had another default, and no file of theirs leaves the attribute out.
    config.Bool("reset_after", &layer.reset_after);
  }
  // How it is computed, not what.
  config.Ignore({"unroll", "implementation", "seed", "input_length", "input_dim", "use_cudnn"});
  config.RefuseUnlessUnset({"return_state", "time_major", "activity_regularizer",
                            "kernel_constraint", "recurrent_constraint", "bias_constraint"});
  return layer;
}

void WriteRecurrent(const RecurrentLayer& layer, OrderedJson& config) {
  config["return_sequences"] = layer.return_sequences;
  config["return_state"] = false;
  config["go_backwards"] = layer.go_backwards;
  config["stateful"] = layer.stateful;
  config["unroll"] = false;
  config["zero_output_for_mask"] = layer.zero_output_for_mask;
  config["units"] = layer.units;
  config["activation"] = layer.activation;
  if (layer.kind != RecurrentKind::kSimpleRNN) config["recurrent_activation"] = "sigmoid";
  config["use_bias"] = layer.use_bias;
  config["kernel_initializer"] = InitializerJson(layer.kernel_initializer);
  config["recurrent_initializer"] = InitializerJson(layer.recurrent_initializer);
  config["bias_initializer"] = InitializerJson(layer.bias_initializer);
  if (layer.kind == RecurrentKind::kLSTM) config["unit_forget_bias"] = layer.unit_forget_bias;
  config["kernel_regularizer"] = RegularizerJson(layer.kernel_regularizer);
  config["recurrent_regularizer"] = RegularizerJson(layer.recurrent_regularizer);
  config["bias_regularizer"] = RegularizerJson(layer.bias_regularizer);
  config["activity_regularizer"] = nullptr;
  config["kernel_constraint"] = nullptr;
  config["recurrent_constraint"] = nullptr;
  config["bias_constraint"] = nullptr;
  config["dropout"] = layer.dropout;
  config["recurrent_dropout"] = layer.recurrent_dropout;
  if (layer.kind == RecurrentKind::kGRU) config["reset_after"] = layer.reset_after;
}

}  // namespace seqgraph::keras
