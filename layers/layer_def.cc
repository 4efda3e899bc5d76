#include "layers/layer_def.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "graph/function_builder.h"
#include "graph/op_def.h"

namespace seqgraph {
namespace {

absl::Status CheckDef(const LayerDef& def) {
  if (def.class_name.empty() || def.doc.empty() || !def.emit || def.examples.empty()) {
    return InvalidArgument("it needs a class, a text, an emission and an example");
  }
  if (def.row_wise && def.takes != LayerTakes::kNumbers) {
    return InvalidArgument("it is said to be row-wise, and does not take rows");
  }
  std::set<std::string> names;
  for (const LayerField& field : def.fields) {
    if (!names.insert(field.name).second) {
      return InvalidArgument("two fields are named ", field.name);
    }
    const bool holds = std::holds_alternative<std::vector<Layer>>(field.default_value);
    if (field.rule.must || holds) continue;
    SEQ_RETURN_IF_ERROR(CheckField(field, field.default_value));
  }
  return absl::OkStatus();
}

absl::Status CheckLayerAt(const LayerKind& layer, const LayerRegistry& registry, int depth) {
  if (depth > kMaxLayerDepth) {
    return InvalidArgument("layers lie in each other more than ", kMaxLayerDepth, " deep");
  }
  SEQ_ASSIGN_OR_RETURN(const LayerDef* def, registry.Get(layer.class_name));
  for (const auto& [name, value] : layer.settings) {
    const LayerField* field = def->FindField(name);
    if (field == nullptr) {
      return InvalidArgument("a layer ", def->class_name, " has no setting ", name);
    }
    SEQ_RETURN_IF_ERROR(CheckField(*field, value));
  }
  for (const LayerField& field : def->fields) {
    // The default of what must be given is no value that it may have.
    if (layer.settings.count(field.name) == 0) {
      SEQ_RETURN_IF_ERROR(CheckField(field, field.default_value));
    }
  }
  for (const auto& [name, inner] : InnerLayers(layer)) {
    SEQ_RETURN_IF_ERROR(Annotate(CheckLayerAt(inner.kind, registry, depth + 1),
                                 absl::StrCat(name, inner.name.empty() ? "" : " ", inner.name)));
  }
  return def->check ? def->check(layer) : absl::OkStatus();
}

LayerSetting SampleSetting(const LayerField& field, const LayerRegistry& registry,
                           SampleSource& random) {
  struct Draw {
    const FieldRule& rule;
    const LayerRegistry& registry;
    SampleSource& random;

    LayerSetting operator()(int64_t) const { return random.Dimension(); }
    LayerSetting operator()(double) const {
      // A quarter: exact in every text.
      const double low = std::max(rule.low, -1.0), high = std::min(rule.high, 1.0);
      return low + (high - low) * static_cast<double>(random.Int(0, 3)) / 4;
    }
    LayerSetting operator()(bool) const { return random.Coin(); }
    LayerSetting operator()(const std::string& otherwise) const {
      return rule.choices.empty() ? otherwise : random.OneOf(rule.choices);
    }
    LayerSetting operator()(const Initializer&) const {
      return random.OneOf<Initializer>({Initializer::Zeros(), Initializer::Constant(0.25),
                                        Initializer::Uniform(0.5), Initializer::GlorotUniform()});
    }
    LayerSetting operator()(const Regularizer&) const {
      return random.OneOf<Regularizer>({{}, {.l1 = 0.25}, {.l2 = 0.5}, {.l1 = 0.125, .l2 = 0.25}});
    }
    LayerSetting operator()(const std::vector<int64_t>& otherwise) const { return otherwise; }
    LayerSetting operator()(const std::vector<double>& otherwise) const { return otherwise; }
    LayerSetting operator()(const std::vector<Layer>&) const {
      // A layer that any wrapper takes, and that holds none itself.
      std::vector<const LayerDef*> simple;
      for (const LayerDef& def : registry.all()) {
        const bool holds = std::any_of(def.fields.begin(), def.fields.end(), [](const auto& field) {
          return std::holds_alternative<std::vector<Layer>>(field.default_value);
        });
        if (!holds && def.keras.exists && def.row_wise) simple.push_back(&def);
      }
      const LayerDef& def = *random.OneOf(simple);
      return std::vector<Layer>{{"inner", true, SampleLayer(def, registry, random)}};
    }
  };
  return std::visit(Draw{field.rule, registry, random}, field.default_value);
}

}  // namespace

const LayerField* LayerDef::FindField(absl::string_view name) const {
  for (const LayerField& field : fields) {
    if (field.name == name) return &field;
  }
  return nullptr;
}

std::string LayerDef::default_name() const { return SnakeCase(class_name); }

namespace internal_layers {

Definition::Definition(std::vector<LayerField> fields, std::string class_name)
    : def_(std::make_unique<LayerDef>()) {
  def_->fields = std::move(fields);
  def_->class_name = std::move(class_name);
}
Definition::Definition(const Definition& other) : def_(std::make_unique<LayerDef>(*other.def_)) {}
Definition::Definition(Definition&&) noexcept = default;
Definition::~Definition() = default;

void Definition::SetKeras(const KerasFacts& facts) { def_->keras = facts; }

void Definition::AddExample(const LayerExample& example) { def_->examples.push_back(example); }

LayerDef Definition::Take() { return std::move(*def_); }

}  // namespace internal_layers

absl::Status LayerRegistry::Register(LayerDef def) {
  SEQ_RETURN_IF_ERROR(Annotate(CheckDef(def), absl::StrCat("layer class ", def.class_name)));
  if (Find(def.class_name) != nullptr) {
    return absl::AlreadyExistsError(absl::StrCat("layer class ", def.class_name));
  }
  defs_.push_back(std::move(def));
  return absl::OkStatus();
}

const LayerDef* LayerRegistry::Find(absl::string_view class_name) const {
  for (const LayerDef& def : defs_) {
    if (def.class_name == class_name) return &def;
  }
  return nullptr;
}

absl::StatusOr<const LayerDef*> LayerRegistry::Get(absl::string_view class_name) const {
  if (const LayerDef* def = Find(class_name)) return def;
  return InvalidArgument(
      "layer class ", class_name.empty() ? "\"\"" : class_name, " is not known here; ",
      absl::StrJoin(defs_, ", ",
                    [](std::string* out, const LayerDef& def) { *out += def.class_name; }),
      " are");
}

bool TakesTokens(const LayerKind& layer, const LayerRegistry& registry) {
  const LayerDef* def = registry.Find(layer.class_name);
  if (def != nullptr && def->takes == LayerTakes::kTokens) return true;
  const auto inner = InnerLayers(layer);
  return !inner.empty() && TakesTokens(inner[0].second.kind, registry);
}

std::vector<std::pair<std::string, Layer>> InnerLayers(const LayerKind& layer) {
  std::vector<std::pair<std::string, Layer>> inner;
  for (const auto& [name, value] : layer.settings) {
    const auto* list = std::get_if<std::vector<Layer>>(&value);
    if (list == nullptr) continue;
    for (const Layer& held : *list) inner.push_back({name, held});
  }
  return inner;
}

absl::Status CheckLayer(const LayerKind& layer, const LayerRegistry& registry) {
  return CheckLayerAt(layer, registry, 1);
}

namespace {

absl::Status CheckInput(const LayerInput& input, std::set<std::string>& names) {
  const auto extent = [](const char* name, int64_t value) {
    return Annotate(CheckField({name, int64_t{0}, Extent(), ""}, LayerSetting(value)), "input");
  };
  const bool vector = input.time == 0 && input.features.has_value();
  if (!vector) SEQ_RETURN_IF_ERROR(extent("time", input.time));
  SEQ_RETURN_IF_ERROR(extent("features", input.features.value_or(1)));
  SEQ_RETURN_IF_ERROR(extent("batch", input.batch.value_or(1)));
  for (const int64_t size : input.between) SEQ_RETURN_IF_ERROR(extent("between", size));
  if (!input.between.empty() && (vector || input.between.size() + 3 > size_t{Shape::kMaxRank})) {
    return InvalidArgument("input \"", input.name, "\": only sequences have extents behind the ",
                           "time, and at most ", Shape::kMaxRank - 3);
  }
  if (!input.name.empty() && names.insert(input.name).second) return absl::OkStatus();
  return InvalidArgument("input \"", input.name,
                         "\": the name must not be empty nor that of another input");
}

// Calls take what stands in front of them, as many inputs as their layers have; every layer is
// called.
absl::Status CheckCalls(const LayerStack& stack, const LayerRegistry& registry) {
  const auto malformed = [](const auto&... text) { return InvalidArgument("graph: ", text...); };
  const int inputs = 1 + static_cast<int>(stack.more_inputs.size());
  const auto known = [&](const LayerValue& value, int calls) {
    return value.output >= 0 && value.call >= -1 && value.call < calls &&
           (value.call >= 0 || value.output < inputs);
  };
  std::vector<bool> called(stack.layers.size());
  for (size_t i = 0; i < stack.calls.size(); ++i) {
    const LayerCall& call = stack.calls[i];
    if (call.layer < 0 || call.layer >= static_cast<int>(called.size())) {
      return malformed("call ", i, " is of no layer");
    }
    called[call.layer] = true;
    const Layer& layer = stack.layers[call.layer];
    const LayerDef& def = *registry.Find(layer.kind.class_name);
    const int given = static_cast<int>(call.inputs.size());
    if (given < def.least_inputs || given > def.most_inputs) {
      return InvalidArgument("layer ", layer.name, ": it takes ", def.least_inputs, " to ",
                             def.most_inputs, " inputs, got ", given);
    }
    for (const LayerValue& value : call.inputs) {
      if (!known(value, static_cast<int>(i))) {
        return malformed("layer ", layer.name, " takes what does not stand in front of it");
      }
    }
  }
  for (size_t i = 0; i < called.size(); ++i) {
    if (!called[i]) return malformed("layer ", stack.layers[i].name, " is not called");
  }
  if (stack.outputs.empty()) return malformed("it has no outputs");
  for (const LayerValue& value : stack.outputs) {
    if (!known(value, static_cast<int>(stack.calls.size()))) return malformed("an output is none");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckStack(const LayerStack& stack, const LayerRegistry& registry) {
  std::set<std::string> inputs;
  SEQ_RETURN_IF_ERROR(CheckInput(stack.input, inputs));
  for (const LayerInput& input : stack.more_inputs) {
    SEQ_RETURN_IF_ERROR(CheckInput(input, inputs));
  }
  if (!stack.is_graph() && !(stack.more_inputs.empty() && stack.outputs.empty())) {
    return InvalidArgument("several inputs or outputs are those of a graph");
  }
  for (const size_t count : {stack.calls.size(), inputs.size(), stack.outputs.size()}) {
    if (count > kMaxStackLayers) {
      return InvalidArgument("graph ", stack.name, " has ", count,
                             " calls, inputs or outputs; at most ", kMaxStackLayers);
    }
  }
  if (stack.layers.empty() || stack.layers.size() > kMaxStackLayers) {
    return InvalidArgument("stack ", stack.name, " has ",
                           stack.layers.empty()
                               ? "no layers"
                               : absl::StrCat("more than ", kMaxStackLayers, " layers"));
  }
  std::set<std::string> names = inputs;
  for (const Layer& layer : stack.layers) {
    if (layer.name.empty() || !names.insert(layer.name).second) {
      return InvalidArgument("layer \"", layer.name,
                             "\": the name must not be empty nor that of another layer");
    }
    SEQ_RETURN_IF_ERROR(
        Annotate(CheckLayer(layer.kind, registry), absl::StrCat("layer ", layer.name)));
    if (!stack.is_graph() && registry.Find(layer.kind.class_name)->least_inputs > 1) {
      return InvalidArgument("layer ", layer.name,
                             ": it takes several inputs: only a graph has them");
    }
  }
  return stack.is_graph() ? CheckCalls(stack, registry) : absl::OkStatus();
}

LayerKind SampleLayer(const LayerDef& def, const LayerRegistry& registry, SampleSource& random) {
  LayerKind layer;
  layer.class_name = def.class_name;
  for (const LayerField& field : def.fields) {
    layer.settings[field.name] = SampleSetting(field, registry, random);
  }
  if (def.fit_sample) def.fit_sample(layer, random);
  return layer;
}

}  // namespace seqgraph
