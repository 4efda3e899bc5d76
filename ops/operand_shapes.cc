#include "ops/operand_shapes.h"

#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/status_macros.h"
#include "graph/evaluate.h"
#include "ops/shape_rules.h"

namespace seqgraph::ops {
namespace {

constexpr char kAnyAxes[] = "...";

// Part of a shape: an extent, or several axes.
struct Extent {
  std::string name;       // "batch" or "..."; empty: the number `factor`
  int64_t factor = 1;     // times the extent of that name
  int like = -1;          // the axes of this input
  bool but_last = false;  // but the last of them
};

// What a doc says.
struct Pattern {
  std::string text;  // "[batch, time]"
  std::vector<Extent> extents;
  int without = -1;         // the input that must be absent, or
  std::string where_false;  // the attribute that must be false; else it holds where no other does
};

absl::string_view FirstWord(absl::string_view text) {
  return text.substr(0, text.find_first_of(" ,:;"));
}

Extent ParseExtent(const OpDef& op, absl::string_view text) {
  if (absl::ConsumePrefix(&text, "shape of ")) {
    return {.like = op.FindInput(absl::StripSuffix(text, kAnyAxes))};
  }
  const absl::string_view first = FirstWord(text);
  int64_t factor = 1;
  if (!absl::SimpleAtoi(first, &factor)) return {.name = std::string(text)};
  return {.name = std::string(absl::StripPrefix(text.substr(first.size()), " ")), .factor = factor};
}

std::optional<Pattern> ParsePattern(const OpDef& op, absl::string_view doc) {
  Pattern pattern;
  absl::string_view rest = doc;
  if (absl::ConsumePrefix(&rest, "the shape of ")) {
    const absl::string_view input = FirstWord(rest);
    rest.remove_prefix(input.size());
    const bool but_last = absl::ConsumePrefix(&rest, " without its last axis");
    pattern.extents = {{.like = op.FindInput(input), .but_last = but_last}};
  } else if (absl::ConsumePrefix(&rest, "[")) {
    const absl::string_view inside = rest.substr(0, rest.find(']'));
    rest.remove_prefix(inside.size() + 1);
    for (absl::string_view part : absl::StrSplit(inside, ", ")) {
      pattern.extents.push_back(ParseExtent(op, part));
    }
  } else if (!absl::ConsumePrefix(&rest, "a scalar")) {
    return std::nullopt;
  }
  const absl::string_view shape = doc.substr(0, doc.size() - rest.size());
  if (absl::ConsumePrefix(&rest, " without ")) pattern.without = op.FindInput(FirstWord(rest));
  if (absl::ConsumePrefix(&rest, " with ")) pattern.where_false = std::string(FirstWord(rest));
  pattern.text = std::string(pattern.where_false.empty() ? shape : doc);
  return pattern;
}

std::vector<Pattern> ParseDoc(const OpDef& op, absl::string_view doc) {
  std::vector<Pattern> patterns;
  for (absl::string_view part : absl::StrSplit(doc, "; ")) {
    if (std::optional<Pattern> pattern = ParsePattern(op, part)) patterns.push_back(*pattern);
  }
  SEQ_CHECK(!patterns.empty());
  return patterns;
}

// What the names stand for in one use of an op: an extent, or the axes of "...".
class Names {
 public:
  explicit Names(const ShapeContext& c) : c_(&c) {}

  const Pattern& Choose(const std::vector<Pattern>& patterns) const {
    for (const Pattern& pattern : patterns) {
      if (pattern.without >= 0 && !c_->has_input(pattern.without)) return pattern;
      const std::string& attribute = pattern.where_false;
      if (!attribute.empty() && !c_->attributes().GetBool(attribute)) return pattern;
    }
    return patterns[0];
  }

  // Nullopt: not known yet.
  std::optional<Shape> Find(const Extent& extent) const {
    if (extent.like >= 0) {
      const absl::Span<const Dim> dims = c_->shape(extent.like).dims();
      return Shape(extent.but_last && !dims.empty() ? dims.first(dims.size() - 1) : dims);
    }
    if (extent.name.empty()) return Shape{extent.factor};
    const auto found = known_.find(extent.name);
    if (found != known_.end()) {
      return extent.factor == 1 ? found->second : Shape{found->second[0].size() * extent.factor};
    }
    const AttributeValue* value = c_->attributes().Find(extent.name);
    if (value == nullptr) return std::nullopt;
    return Shape{std::get<int64_t>(*value)};
  }

  // Where all names are known.
  Shape Build(const Pattern& pattern) const {
    Shape shape;
    for (const Extent& extent : pattern.extents) {
      const Shape found = Find(extent).value();
      for (Dim dim : found.dims()) shape.Append(dim);
    }
    return shape;
  }

  // Learns the names that are not known; Unlearn forgets those of the last call.
  bool Match(const Pattern& pattern, const Shape& shape) {
    learned_.clear();
    int at = 0;
    for (size_t i = 0; i < pattern.extents.size(); ++i) {
      const Extent& extent = pattern.extents[i];
      const bool open = extent.name == kAnyAxes;
      const std::optional<Shape> expected = Find(extent);
      const int behind = static_cast<int>(pattern.extents.size() - i) - 1;  // one axis each
      const int axes = expected.has_value() ? expected->rank()
                       : open               ? shape.rank() - at - behind
                                            : 1;
      if (axes < 0 || at + axes > shape.rank()) return false;
      if (extent.but_last && c_->shape(extent.like).rank() == 0) return false;
      const Shape here(shape.dims().subspan(at, axes));
      if (expected.has_value() ? here != *expected : extent.factor != 1) return false;
      const bool may_be_batch = open || extent.like >= 0 || extent.name == "batch";
      if (!may_be_batch && !here.is_static()) return false;
      if (!expected.has_value()) {
        known_[extent.name] = here;
        learned_.push_back(extent.name);
      }
      at += axes;
    }
    return at == shape.rank();
  }
  void Unlearn() {
    for (const std::string& name : learned_) known_.erase(name);
  }

  // "features 4, units 3": those of the pattern that are known.
  std::string Text(const Pattern& pattern) const {
    std::vector<std::string> texts;
    for (const Extent& extent : pattern.extents) {
      const auto found = known_.find(extent.name);
      if (extent.like >= 0) texts.push_back(Find(extent)->ToString());
      if (found == known_.end() || found->second == Shape{Dim::Batch()}) continue;
      const Shape& known = found->second;
      texts.push_back(absl::StrCat(
          extent.name, " ", extent.name == kAnyAxes ? known.ToString() : known[0].ToString()));
    }
    return absl::StrJoin(texts, ", ");
  }

 private:
  const ShapeContext* c_;
  std::map<std::string, Shape> known_;
  std::vector<std::string> learned_;
};

struct ConstrainedInput {
  std::string label, name;
  int index;
  std::vector<Pattern> patterns;
  std::string not_zero;
};

// What the docs of an op say.
struct OperandPatterns {
  std::vector<ConstrainedInput> inputs;
  std::vector<std::pair<TypeRule, std::vector<Pattern>>> outputs;
};

// "C2: w must be [features, units] with features 4, got [3, 2]".
absl::Status CheckInput(const ConstrainedInput& input, const ShapeContext& c, Names& names) {
  if (!c.has_input(input.index)) return absl::OkStatus();
  const Pattern& pattern = names.Choose(input.patterns);
  const bool fits = names.Match(pattern, c.shape(input.index));
  if (fits && (input.not_zero.empty() || names.Find({input.not_zero})->num_elements() > 0)) {
    return absl::OkStatus();
  }
  names.Unlearn();
  const std::string known = names.Text(pattern);
  const bool like = absl::StartsWith(pattern.text, "the");
  const bool has_with = like || absl::StrContains(pattern.text, " with ");
  return Violation(input.label, input.name, like ? " must have " : " must be ", pattern.text,
                   known.empty() ? ""
                   : has_with    ? ", "
                                 : " with ",
                   known, ", got ", c.shape(input.index).ToString());
}

// "x and y are [batch, time]".
std::string ConstraintText(const ShapeConstraint& constraint,
                           const std::vector<Pattern>& patterns) {
  const auto text_of = [](std::string* out, const Pattern& pattern) { *out += pattern.text; };
  std::string text = absl::StrJoin(patterns, "; ", text_of);
  const std::vector<std::string>& inputs = constraint.inputs;
  if (inputs.size() == 1) {
    return absl::StrCat(inputs[0], absl::StartsWith(text, "the") ? " has " : " is ", text);
  }
  if (text == "a scalar") text = "scalars";
  return absl::StrCat(absl::StrJoin(inputs.begin(), inputs.end() - 1, ", "), " and ", inputs.back(),
                      absl::StartsWith(text, "the") ? " have " : " are ", text);
}

// Samples with another shape of that input, which its constraint rejects.
void AddRejections(const OpDef& op, const ConstrainedInput& input,
                   std::vector<OpRejection>& rejections) {
  SampleSource source(/*seed=*/1);
  const size_t before = rejections.size();
  // An input that is optional is in some samples only.
  for (int tries = 0; tries < 100 && rejections.size() == before; ++tries) {
    const OpSample sample = op.sampler()(source);
    OpRejection rejection{input.label, sample.attributes, TypesOf(sample.inputs)};
    rejection.inputs.resize(op.inputs().size());
    if (!rejection.inputs[input.index].has_value()) continue;
    Shape& shape = rejection.inputs[input.index]->shape;
    const std::vector<Dim> valid(shape.dims().begin(), shape.dims().end());
    std::vector<std::vector<Dim>> others(2 + 2 * valid.size(), valid);
    others[0].push_back(1);
    others[1].clear();
    for (size_t axis = 0; axis < valid.size(); ++axis) {
      others[2 + 2 * axis][axis] = valid[axis].size() + 1;
      others[3 + 2 * axis][axis] = 0;
    }
    for (const std::vector<Dim>& other : others) {
      shape = Shape(other);
      const auto types = op.InferTypes(rejection.inputs, *op.CompleteAttributes(sample.attributes));
      if (absl::StartsWith(types.status().message(), absl::StrCat(input.label, ": "))) {
        rejections.push_back(rejection);
      }
    }
  }
}

DType TypeOf(TypeRule rule, DType real) {
  if (rule == TypeRule::kReal) return real;
  return rule == TypeRule::kIndex ? DType::kInt32 : DType::kInt64;
}

}  // namespace

std::function<void(OpDef&)> ShapesByDoc(std::vector<ShapeConstraint> constraints) {
  return [constraints = std::move(constraints)](OpDef& op) {
    // Shared, for definitions are copied while they are made.
    const auto parsed = std::make_shared<OperandPatterns>();
    for (const ShapeConstraint& constraint : constraints) {
      for (const std::string& name : constraint.inputs) {
        const int index = op.FindInput(name);
        std::vector<Pattern> patterns = ParseDoc(op, op.inputs()[index].doc);
        if (const std::string& extent = constraint.not_zero; !extent.empty()) {
          absl::StrAppend(&patterns[0].text, " with ", extent, " at least 1");
        }
        parsed->inputs.push_back(
            {constraint.label, name, index, std::move(patterns), constraint.not_zero});
      }
      op.Constrain(constraint.label, ConstraintText(constraint, parsed->inputs.back().patterns));
    }
    for (const OutputDef& output : op.outputs()) {
      parsed->outputs.emplace_back(output.type, ParseDoc(op, output.doc));
    }
    op.Shapes([parsed](const ShapeContext& c) -> Types {
      Names names(c);
      for (const ConstrainedInput& input : parsed->inputs) {
        SEQ_RETURN_IF_ERROR(CheckInput(input, c, names));
      }
      std::vector<TensorType> types;
      for (const auto& [rule, patterns] : parsed->outputs) {
        types.push_back({TypeOf(rule, c.real()), names.Build(names.Choose(patterns))});
      }
      return types;
    });
    op.RejectAlso([parsed](const OpDef& def) {
      std::vector<OpRejection> rejections;
      for (const ConstrainedInput& input : parsed->inputs) AddRejections(def, input, rejections);
      return rejections;
    });
  };
}

}  // namespace seqgraph::ops
