#include "layers/layer_fields.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "graph/activation.h"
#include "graph/attributes.h"

namespace seqgraph {
namespace {

absl::Status CheckNumber(const LayerField& field, double value) {
  const FieldRule& rule = field.rule;
  const bool below = rule.open ? value < rule.high : value <= rule.high;
  if (std::isfinite(value) && value >= rule.low && below) return absl::OkStatus();
  const AttributeValue shown = std::holds_alternative<int64_t>(field.default_value)
                                   ? AttributeValue(static_cast<int64_t>(value))
                                   : AttributeValue(value);
  std::string expected = "be finite";
  if (rule.open) {
    expected = absl::StrCat("be in [", rule.low, ", ", rule.high, ")");
  } else if (rule.low > FieldRule().low && rule.high == FieldRule().high) {
    expected = absl::StrCat("be at least ", rule.low);
  } else if (rule.low > FieldRule().low) {
    expected = absl::StrCat("be from ", static_cast<int64_t>(rule.low), " to ",
                            static_cast<int64_t>(rule.high));
  }
  return InvalidArgument(field.name, " must ", expected, ", got ", AttributeToString(shown));
}

absl::Status CheckText(const LayerField& field, const std::string& value) {
  const std::vector<std::string>& choices = field.rule.choices;
  std::string name = value;
  if (field.rule.activation) {  // its name, without parameters and aliases
    const std::optional<ActivationFunction> activation = FindActivation(value);
    if (activation.has_value()) name = RowOf(activation->kind).name;
  }
  if (choices.empty() || std::find(choices.begin(), choices.end(), name) != choices.end()) {
    return absl::OkStatus();
  }
  return InvalidArgument(
      field.rule.activation ? "unknown activation" : absl::StrCat(field.name, " must not be"),
      " \"", value, "\": expected one of ", absl::StrJoin(choices, ", "));
}

}  // namespace

absl::Status CheckField(const LayerField& field, const LayerSetting& value) {
  if (value.index() != field.default_value.index()) {
    return InvalidArgument(field.name, " is of the wrong type");
  }
  if (const auto* number = std::get_if<int64_t>(&value)) {
    return CheckNumber(field, static_cast<double>(*number));
  }
  if (const auto* number = std::get_if<double>(&value)) return CheckNumber(field, *number);
  if (const auto* text = std::get_if<std::string>(&value)) return CheckText(field, *text);
  if (const auto* layers = std::get_if<std::vector<Layer>>(&value)) {
    if (layers->size() == 1 || (field.rule.several && layers->size() > 1)) return absl::OkStatus();
    return InvalidArgument(field.name, " must be one layer", field.rule.several ? " or more" : "",
                           ", got ", layers->size());
  }
  if (const auto* numbers = std::get_if<std::vector<int64_t>>(&value)) {
    if (numbers->size() > Shape::kMaxRank || (field.rule.must && numbers->empty())) {
      return InvalidArgument(field.name, " must have ", field.rule.must ? 1 : 0, " to ",
                             Shape::kMaxRank, " numbers, got ", numbers->size());
    }
    for (const int64_t number : *numbers) {
      SEQ_RETURN_IF_ERROR(CheckNumber(field, static_cast<double>(number)));
    }
    return absl::OkStatus();
  }
  if (const auto* numbers = std::get_if<std::vector<double>>(&value)) {
    for (const double number : *numbers) SEQ_RETURN_IF_ERROR(CheckNumber(field, number));
    return absl::OkStatus();
  }
  if (const auto* regularizer = std::get_if<Regularizer>(&value)) {
    if (regularizer->l1 >= 0 && regularizer->l2 >= 0 && std::isfinite(regularizer->l1) &&
        std::isfinite(regularizer->l2)) {
      return absl::OkStatus();
    }
    return InvalidArgument(field.name, " must have l1 and l2 of at least 0, got ", regularizer->l1,
                           " and ", regularizer->l2);
  }
  return absl::OkStatus();
}

std::string SettingText(const LayerSetting& value) {
  struct Text {
    std::string operator()(int64_t v) const { return AttributeToString(v); }
    std::string operator()(double v) const { return AttributeToString(v); }
    std::string operator()(bool v) const { return AttributeToString(v); }
    std::string operator()(const std::string& v) const { return AttributeToString(v); }
    std::string operator()(const Initializer& v) const {
      const std::string number = AttributeToString(v.value);
      switch (v.kind) {
        case Initializer::Kind::kZeros:
          return "Zeros";
        case Initializer::Kind::kConstant:
          return absl::StrCat("Constant(", number, ")");
        case Initializer::Kind::kUniform:
          return absl::StrCat("Uniform(", number, ")");
        case Initializer::Kind::kGlorotUniform:
          return "GlorotUniform";
        case Initializer::Kind::kOrthogonal:
          break;
      }
      return "Orthogonal";
    }
    std::string operator()(const Regularizer& v) const {
      return v.present() ? absl::StrCat("L1L2(", AttributeToString(v.l1), ", ",
                                        AttributeToString(v.l2), ")")
                         : "none";
    }
    std::string operator()(const std::vector<int64_t>& v) const { return AttributeToString(v); }
    std::string operator()(const std::vector<double>& v) const {
      return absl::StrCat("[",
                          absl::StrJoin(v, ", ",
                                        [](std::string* out, double number) {
                                          absl::StrAppend(out, AttributeToString(number));
                                        }),
                          "]");
    }
    std::string operator()(const std::vector<Layer>& layers) const {
      return layers.empty() ? "none" : layers[0].name;
    }
  };
  return std::visit(Text(), value);
}

namespace internal_layers {
namespace {

LayerSetting ListOf(const Layer& layer) {
  std::vector<Layer> list;
  if (!layer.kind.class_name.empty()) list.push_back(layer);
  return list;
}

}  // namespace

void Writer::operator()(const char* name, LayerSetting member, const FieldRule&,
                        const char*) const {
  kind.settings[name] = std::move(member);
}

void Writer::operator()(const char* name, const Layer& member, const FieldRule&,
                        const char*) const {
  kind.settings[name] = ListOf(member);
}

const LayerSetting* Reader::Find(const char* name) const {
  const auto found = kind.settings.find(name);
  return found == kind.settings.end() ? nullptr : &found->second;
}

void Reader::Read(const LayerSetting& setting, Layer& member) {
  const auto* list = std::get_if<std::vector<Layer>>(&setting);
  if (list != nullptr && !list->empty()) member = list->front();
}

void Lister::operator()(const char* name, LayerSetting member, const FieldRule& rule,
                        const char* doc) const {
  fields.push_back({name, std::move(member), rule, doc});
}

void Lister::operator()(const char* name, const Layer& member, const FieldRule& rule,
                        const char* doc) const {
  fields.push_back({name, ListOf(member), rule, doc});
}

}  // namespace internal_layers
}  // namespace seqgraph
