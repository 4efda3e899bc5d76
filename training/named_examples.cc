#include "training/named_examples.h"

#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "training/losses.h"

namespace seqgraph {

const Examples* FindNamed(const Examples& examples, absl::string_view name) {
  for (const NamedExamples& each : examples.more) {
    if (each.name == name) return &each.examples;
  }
  return nullptr;
}

absl::Status ValidateNamed(const Examples& examples) {
  std::set<absl::string_view> names;
  for (const auto& [name, each] : examples.more) {
    if (!names.insert(name).second) {
      return InvalidArgument("examples: two are called ", name,
                             ": give each input a name of its own");
    }
    if (each.rows != examples.rows) {
      return InvalidArgument("examples: of ", name, " there are ", each.rows, " rows, of others ",
                             examples.rows);
    }
    if (!each.more.empty()) return InvalidArgument("examples: ", name, " holds others");
    if (each.source != nullptr || examples.source != nullptr) {
      return InvalidArgument("examples: ", name, " is given beside a source, which makes all rows");
    }
    SEQ_RETURN_IF_ERROR(Annotate(each.Validate(), name));
  }
  return absl::OkStatus();
}

absl::StatusOr<NamedFiller> NamedFiller::Create(const Function& function, const ValueInfo& input) {
  NamedFiller made;
  made.name_ = input.name;
  ValueInfo plain = input;
  for (const std::string& output : JudgedOutputs(function)) {
    for (const char* name : {kLabels, kSampleWeight}) {
      if (input.name != NameForOutput(name, output)) continue;
      made.name_ = made.output_ = output;
      plain.name = name;
    }
  }
  absl::StatusOr<InputFiller> filler = InputFiller::Create(plain);
  if (!filler.ok()) {
    return plain.name == input.name ? filler.status() : Annotate(filler.status(), made.output_);
  }
  made.filler_ = *std::move(filler);
  return made;
}

const Examples& NamedFiller::Source(const Examples& examples) const {
  const Examples* named = FindNamed(examples, name_);
  const bool absent = named == nullptr || (filler_.is_weights() && named->weights.empty());
  return absent ? examples : *named;
}

absl::Status NamedFiller::CheckFits(const Examples& examples) const {
  const Examples& source = Source(examples);
  if (&source != &examples) return Annotate(filler_.CheckFits(source), name_);
  const bool later = examples.source != nullptr;
  if (later || output_.empty() || filler_.is_weights()) return filler_.CheckFits(examples);
  return InvalidArgument("it needs labels of its output ", output_,
                         ", which are not among the examples (Examples::more)");
}

void NamedFiller::Fill(const Examples& examples, absl::Span<const int64_t> order, int64_t begin,
                       int64_t rows, void* content) const {
  filler_.Fill(Source(examples), order, begin, rows, content);
}

}  // namespace seqgraph
