#include "tools/array_match.h"

#include <algorithm>
#include <optional>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "tools/text_table.h"

namespace seqgraph::tools {
namespace {

const FileArray* FindArray(const std::vector<FileArray>& arrays, const std::string& name) {
  const auto found =
      absl::c_find_if(arrays, [&](const FileArray& array) { return array.name == name; });
  return found == arrays.end() ? nullptr : &*found;
}

void MatchInOrder(const std::vector<FileArray>& arrays, const char* prefix,
                  std::vector<const FileArray*>& found) {
  for (size_t i = 0; i < found.size(); ++i) found[i] = FindArray(arrays, absl::StrCat(prefix, i));
  if (found.size() == 1 && found[0] == nullptr) found[0] = FindArray(arrays, prefix);
}

std::string GivenText(const ArrayUse& use) {
  if (use.array == nullptr) return "nothing";
  return absl::StrCat(use.array->tensor.type().ToString(), " of ", use.file,
                      use.array->name.empty() ? "" : ": ", use.array->name);
}

}  // namespace

std::optional<int64_t> LengthOf(absl::Span<const FileArray> arrays) {
  for (const FileArray& array : arrays) {
    const Shape& shape = array.tensor.shape();
    if (shape.rank() >= 2 && !array.is_lines && shape[1].size() > 0) return shape[1].size();
  }
  return std::nullopt;
}

std::vector<ArrayUse> InputsOf(const Function& function) {
  std::vector<ArrayUse> uses;
  for (const Value input : function.inputs()) {
    uses.push_back({.name = function.info(input).name, .type = function.type(input), .file = ""});
  }
  return uses;
}

std::vector<ArrayUse> ResultsOf(const Function& function) {
  std::vector<ArrayUse> uses;
  for (const auto& result : function.results()) {
    uses.push_back({.name = result.name, .type = function.type(result.value), .file = ""});
  }
  return uses;
}

void MatchArrays(const std::vector<FileArray>& arrays, const std::string& file,
                 absl::Span<const char* const> prefixes, std::vector<ArrayUse>& uses) {
  std::vector<const FileArray*> found(uses.size());
  const auto any = [&] { return absl::c_any_of(found, [](const auto* each) { return each; }); };
  for (size_t i = 0; i < uses.size(); ++i) found[i] = FindArray(arrays, uses[i].name);
  for (size_t p = 0; p < prefixes.size() && !any(); ++p) MatchInOrder(arrays, prefixes[p], found);
  const auto first = absl::c_find_if(uses, [](const ArrayUse& use) { return !use.array; });
  if (first != uses.end() && arrays.size() == 1 && arrays[0].name.empty()) {
    found[static_cast<size_t>(first - uses.begin())] = &arrays[0];
  }
  for (size_t i = 0; i < uses.size(); ++i) {
    if (uses[i].array != nullptr || found[i] == nullptr) continue;
    uses[i].array = found[i];
    uses[i].file = file;
  }
}

std::vector<std::string> UnusedArrays(const std::vector<FileArray>& arrays,
                                      absl::Span<const ArrayUse> uses) {
  std::vector<std::string> unused;
  for (const FileArray& array : arrays) {
    const auto takes = [&array](const ArrayUse& use) { return use.array == &array; };
    if (!absl::c_any_of(uses, takes)) unused.push_back(array.name);
  }
  return unused;
}

absl::StatusOr<int64_t> CheckShapes(absl::Span<const ArrayUse> uses) {
  std::optional<int64_t> batch;
  std::string first;
  for (const ArrayUse& use : uses) {
    const auto misfit = [&](const auto&... what) {
      return InvalidArgument(use.name, ": expected ", use.type.ToString(), what..., ", given ",
                             GivenText(use));
    };
    if (use.array == nullptr) {
      return InvalidArgument(use.name, ": expected ", use.type.ToString(),
                             ", given nothing: call its array ", use.name,
                             ", or those of all inputs in order x0, x1, ...");
    }
    const ArrayFit fit = FitOf(*use.array, use.type);
    if (!fit.shape.has_value()) return misfit();
    if (fit.batch_axis < 0) continue;
    if (fit.batch == 0) return misfit(" with one row at least");
    if (batch.has_value() && *batch != fit.batch) {
      return misfit(" with ", *batch, " rows, as ", first, " has");
    }
    if (!batch.has_value()) first = use.name;
    batch = fit.batch;
  }
  return batch.value_or(1);
}

std::string ArrayTable(const std::string& what, absl::Span<const ArrayUse> uses) {
  TextTable table({what, "expected", "given"});
  for (const ArrayUse& use : uses) table.AddRow({use.name, use.type.ToString(), GivenText(use)});
  return table.Text(3, 3);
}

absl::StatusOr<Tensor> FittedTensor(const ArrayUse& use, DType dtype,
                                    std::vector<std::string>* notes) {
  const Tensor& given = use.array->tensor;
  const Shape shape = *FitOf(*use.array, use.type).shape;
  std::string note;
  SEQ_ASSIGN_OR_RETURN(
      Tensor tensor,
      Annotate(ConvertElements(Tensor::CopyOf({given.dtype(), shape}, given.data()), dtype, &note),
               absl::StrCat(use.name, ", given ", GivenText(use))));
  if (!note.empty()) notes->push_back(absl::StrCat(use.name, ": ", note));
  return tensor;
}

}  // namespace seqgraph::tools
