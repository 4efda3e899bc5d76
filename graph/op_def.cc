#include "graph/op_def.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"

namespace seqgraph {
namespace {

template <typename Defs>
int IndexOf(const Defs& defs, absl::string_view name) {
  for (size_t i = 0; i < defs.size(); ++i) {
    if (defs[i].name == name) return static_cast<int>(i);
  }
  return -1;
}

bool Matches(TypeRule rule, DType dtype, DType real) {
  switch (rule) {
    case TypeRule::kReal:
      return dtype == real;
    case TypeRule::kIndex:
      return dtype == DType::kInt32;
    case TypeRule::kCounter:
      return dtype == DType::kInt64;
    case TypeRule::kNumber:
      return true;
  }
  return false;
}

std::string Expected(TypeRule rule, DType real) {
  switch (rule) {
    case TypeRule::kReal:
      return std::string(DTypeName(real));
    case TypeRule::kIndex:
      return "int32";
    case TypeRule::kCounter:
      return "int64";
    case TypeRule::kNumber:
      return "a number";
  }
  return "";
}

}  // namespace

bool ShapeContext::has_real() const {
  return std::any_of(inputs_.begin(), inputs_.end(), [](const std::optional<TensorType>& input) {
    return input.has_value() && IsReal(input->dtype);
  });
}

DType ShapeContext::real() const {
  for (const std::optional<TensorType>& input : inputs_) {
    if (input.has_value() && IsReal(input->dtype)) return input->dtype;
  }
  return DType::kFloat32;
}

DType ReferenceContext::real() const {
  for (const absl::Span<const Operand> operands : {inputs_, outputs_}) {
    for (const Operand& operand : operands) {
      if (operand.type != nullptr && IsReal(operand.type->dtype)) return operand.type->dtype;
    }
  }
  return DType::kFloat32;
}

int64_t SampleSource::Int(int64_t low, int64_t high) {
  SEQ_CHECK(low <= high);
  // Unsigned, where a range of more than 2^63 numbers does not overflow; 0 stands for all 2^64.
  const uint64_t range = static_cast<uint64_t>(high) - static_cast<uint64_t>(low) + 1;
  const uint64_t above = range == 0 ? rng_() : rng_() % range;
  return static_cast<int64_t>(static_cast<uint64_t>(low) + above);
}

double SampleSource::Real(double low, double high) {
  const double unit = static_cast<double>(rng_() >> 11) * 0x1.0p-53;
  return low + (high - low) * unit;
}

Tensor SampleSource::Reals(const Shape& shape, double low, double high) {
  std::vector<double> elements(shape.num_elements());
  for (double& x : elements) x = Real(low, high);
  return Tensor::Of<double>(shape, elements);
}

Tensor SampleSource::RealsAwayFromZero(const Shape& shape, double gap) {
  std::vector<double> elements(shape.num_elements());
  for (double& x : elements) x = Coin() ? Real(gap, 1) : Real(-1, -gap);
  return Tensor::Of<double>(shape, elements);
}

Tensor SampleSource::Indices(const Shape& shape, int64_t limit) {
  std::vector<int32_t> elements(shape.num_elements());
  for (int32_t& x : elements) x = static_cast<int32_t>(Int(0, limit - 1));
  return Tensor::Of<int32_t>(shape, elements);
}

int OpDef::FindInput(absl::string_view name) const { return IndexOf(inputs_, name); }
int OpDef::FindOutput(absl::string_view name) const { return IndexOf(outputs_, name); }
int OpDef::FindAttribute(absl::string_view name) const { return IndexOf(attributes_, name); }

absl::Status OpDef::CheckAttribute(const AttributeDef& def, const AttributeValue& value) {
  if (KindOf(value) != def.kind) {
    return InvalidArgument("attribute ", def.name, " must be of kind ", KindName(def.kind),
                           ", got ", AttributeToString(value));
  }
  // NaN differs from itself: two equal functions would not compare equal.
  if (const double* real = std::get_if<double>(&value); real != nullptr && std::isnan(*real)) {
    return InvalidArgument("attribute ", def.name, " must not be NaN");
  }
  if (def.one_of.empty()) return absl::OkStatus();
  const std::string& text = std::get<std::string>(value);
  if (std::find(def.one_of.begin(), def.one_of.end(), text) != def.one_of.end()) {
    return absl::OkStatus();
  }
  return InvalidArgument("attribute ", def.name, " must be one of ",
                         absl::StrJoin(def.one_of, ", "), "; got \"", text, "\"");
}

absl::Status OpDef::UpgradeAttributes(int version, Attributes& attributes) const {
  if (version != 0 && (version < oldest_readable() || version > version_)) {
    return FailedPrecondition(
        "needs version ", version, " of op ", name_, "; this program has version ", version_,
        version > version_ ? ": use a newer program" : " and cannot read older ones");
  }
  if (!upgrade_ || version >= oldest_version_) return absl::OkStatus();
  return upgrade_(attributes);
}

OpCost OpDef::CostOf(const CostContext& context) const {
  if (!context.uses_any_output()) return {};
  return cost_rule_ ? cost_rule_(context) : context.OneFlopEach();
}

absl::StatusOr<std::vector<ErrorBound>> OpDef::BoundsOf(const Attributes& attributes,
                                                        BoundContext::Tensors inputs,
                                                        BoundContext::Tensors exact) const {
  const BoundContext context(*this, attributes, inputs, exact);
  std::vector<ErrorBound> bounds(exact.size());
  for (size_t o = 0; o < exact.size(); ++o) {
    if (exact[o] == nullptr) continue;
    if (IsReal(exact[o]->dtype())) {
      SEQ_ASSIGN_OR_RETURN(bounds[o], bound_rule_(context, static_cast<int>(o)));
    } else {
      bounds[o].formula = "exact";
    }
  }
  return bounds;
}

OpDef::OpDef(std::string name, int version)
    : name_(std::move(name)), version_(version), oldest_version_(version) {}
OpDef::OpDef(const OpDef& other) = default;
OpDef::OpDef(OpDef&& other) noexcept = default;
OpDef& OpDef::operator=(const OpDef& other) = default;
OpDef& OpDef::operator=(OpDef&& other) noexcept = default;
OpDef::~OpDef() = default;

OpDef& OpDef::Upgrades(int oldest, std::function<absl::Status(Attributes&)> upgrade) {
  oldest_upgraded_ = oldest;
  upgrade_ = std::move(upgrade);
  return *this;
}

OpDef& OpDef::Doc(std::string text) { return doc_ = std::move(text), *this; }

OpDef& OpDef::Input(InputDef def) { return inputs_.push_back(std::move(def)), *this; }

OpDef& OpDef::Output(OutputDef def) { return outputs_.push_back(std::move(def)), *this; }

OpDef& OpDef::Attribute(AttributeDef def) { return attributes_.push_back(std::move(def)), *this; }

OpDef& OpDef::Attribute(std::string name, AttributeKind kind, std::string doc) {
  return Attribute({std::move(name), kind, std::nullopt, std::move(doc)});
}

OpDef& OpDef::Attribute(std::string name, AttributeValue default_value, std::string doc) {
  const AttributeKind kind = KindOf(default_value);
  return Attribute({std::move(name), kind, std::move(default_value), std::move(doc)});
}

OpDef& OpDef::Shapes(ShapeRule rule) { return shape_rule_ = std::move(rule), *this; }

OpDef& OpDef::Reference(ReferenceFunction in_float, ReferenceFunction in_double) {
  reference_float_ = std::move(in_float);
  reference_double_ = std::move(in_double);
  return *this;
}

OpDef& OpDef::Reference(ReferenceFunction any) { return Reference(any, any); }

OpDef& OpDef::Gradient(GradientRule rule) { return gradient_rule_ = std::move(rule), *this; }

OpDef& OpDef::Steps(StepRule rule) { return step_rule_ = std::move(rule), *this; }

OpDef& OpDef::Cost(std::string formula, CostRule rule) {
  cost_formula_ = std::move(formula);
  cost_rule_ = std::move(rule);
  return *this;
}

OpDef& OpDef::Bound(BoundRule rule) { return bound_rule_ = std::move(rule), *this; }

OpDef& OpDef::Moves() { return moves_ = true, Bound(ExactBound()); }

OpDef& OpDef::Fusable(ElementwiseOp op, std::string constant) {
  fusable_ = FusableFacts{op, std::move(constant)};
  return *this;
}

OpDef& OpDef::Recurrent(RecurrenceFacts facts) { return recurrence_ = std::move(facts), *this; }

OpDef& OpDef::InPlace(InPlacePair pair) { return in_place_.push_back(pair), *this; }

OpDef& OpDef::Example(OpExample example) {
  if (example.inputs.size() < inputs_.size()) example.inputs.resize(inputs_.size());
  return examples_.push_back(std::move(example)), *this;
}

OpDef& OpDef::Reject(OpRejection rejection) {
  if (rejection.inputs.size() < inputs_.size()) rejection.inputs.resize(inputs_.size());
  return rejections_.push_back(std::move(rejection)), *this;
}

OpDef& OpDef::RejectAlso(std::function<std::vector<OpRejection>(const OpDef&)> rejections) {
  return more_rejections_ = std::move(rejections), *this;
}

OpDef& OpDef::Samples(Sampler sampler) { return sampler_ = std::move(sampler), *this; }

OpDef& OpDef::Constrain(std::string label, std::string text) {
  // "C10" stands behind "C9".
  const auto place = std::find_if(constraints_.begin(), constraints_.end(), [&](const auto& other) {
    return std::pair(other.label.size(), other.label) > std::pair(label.size(), label);
  });
  constraints_.insert(place, {std::move(label), std::move(text)});
  return *this;
}

OpDef& OpDef::Require(std::string label, std::string text,
                      std::function<std::string(const ShapeContext&)> violation) {
  checks_.emplace_back(label, std::move(violation));
  return Constrain(std::move(label), std::move(text));
}

std::vector<OpRejection> OpDef::rejections() const {
  std::vector<OpRejection> all = rejections_;
  if (!more_rejections_) return all;
  for (OpRejection& rejection : more_rejections_(*this)) all.push_back(std::move(rejection));
  return all;
}

absl::StatusOr<Attributes> OpDef::CompleteAttributes(const Attributes& given) const {
  for (const auto& [name, value] : given.entries()) {
    if (IndexOf(attributes_, name) < 0) {
      return InvalidArgument(
          "unknown attribute ", name, "; ", name_, " has ",
          attributes_.empty()
              ? "none"
              : absl::StrJoin(attributes_, ", ",
                              [](std::string* out, const AttributeDef& def) { *out += def.name; }));
    }
  }
  Attributes complete;
  for (const AttributeDef& def : attributes_) {
    const AttributeValue* value = given.Find(def.name);
    if (value == nullptr && !def.default_value.has_value()) {
      return InvalidArgument("attribute ", def.name, " must be given");
    }
    if (value == nullptr) value = &*def.default_value;
    SEQ_RETURN_IF_ERROR(CheckAttribute(def, *value));
    complete.Set(def.name, *value);
  }
  return complete;
}

absl::Status OpDef::CheckOutputs(const ShapeContext& context,
                                 absl::Span<const TensorType> outputs) const {
  SEQ_CHECK(outputs.size() == outputs_.size());
  // The float type of the node: that of its inputs; without a real input, of its first real output.
  std::optional<DType> real;
  if (context.has_real()) real = context.real();
  for (size_t i = 0; i < outputs.size(); ++i) {
    const OutputDef& def = outputs_[i];
    SEQ_RETURN_IF_ERROR(Annotate(outputs[i].shape.Validate(), absl::StrCat("output ", def.name)));
    if (def.type == TypeRule::kReal && !real.has_value() && IsReal(outputs[i].dtype)) {
      real = outputs[i].dtype;
    }
    if (!Matches(def.type, outputs[i].dtype, real.value_or(DType::kFloat32))) {
      return Internal("the shape rule of ", name_, " gives ", outputs[i].ToString(), " for output ",
                      def.name, ", which must be ",
                      Expected(def.type, real.value_or(DType::kFloat32)));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<TensorType>> OpDef::InferTypes(
    absl::Span<const std::optional<TensorType>> inputs, const Attributes& attributes) const {
  if (inputs.size() != inputs_.size()) {
    return InvalidArgument("takes ", inputs_.size(), " inputs, got ", inputs.size());
  }
  const ShapeContext context(inputs, attributes);
  const DType real = context.real();
  for (size_t i = 0; i < inputs.size(); ++i) {
    const InputDef& def = inputs_[i];
    if (!inputs[i].has_value()) {
      if (def.optional) continue;
      return InvalidArgument("input ", def.name, " is missing");
    }
    if (!Matches(def.type, inputs[i]->dtype, real)) {
      return InvalidArgument("input ", def.name, " must be ", Expected(def.type, real), ", got ",
                             inputs[i]->ToString());
    }
  }
  SEQ_ASSIGN_OR_RETURN(std::vector<TensorType> outputs, shape_rule_(context));
  for (const auto& [label, violation] : checks_) {
    const std::string text = violation(context);
    if (!text.empty()) return InvalidArgument(label, ": ", text);
  }
  SEQ_RETURN_IF_ERROR(CheckOutputs(context, outputs));
  return outputs;
}

}  // namespace seqgraph
