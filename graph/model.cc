#include "graph/model.h"

#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"

namespace seqgraph {
namespace {

std::string Describe(const VariableDef& def) {
  return absl::StrCat(def.type.ToString(),
                      def.role == VariableRole::kOptimizer ? ", the optimizer's" : ", a weight",
                      def.trainable ? ", trainable" : ", not trainable");
}

// How a variable starts is no longer of interest once it is there.
absl::Status CheckAgrees(const Variable& known, const VariableDef& def) {
  if (known.def.type == def.type && known.def.role == def.role &&
      known.def.trainable == def.trainable) {
    return absl::OkStatus();
  }
  return InvalidArgument("variable ", def.name, " is declared as ", Describe(known.def),
                         ", and elsewhere as ", Describe(def));
}

struct CheckSeriesField {
  static constexpr size_t kMaxTextBytes = size_t{1} << 16;
  absl::Status& status;

  void Fail(const char* key, absl::string_view why) const {
    if (status.ok()) status = InvalidArgument("series: ", key, " ", why);
  }
  void operator()(const char* key, const std::string& text) const {
    if (text.size() > kMaxTextBytes) Fail(key, "is too long");
  }
  void operator()(const char* key, int64_t number) const {
    if (number < 0 || number > INT32_MAX) Fail(key, "must be from 0 to 2^31 - 1");
  }
  void operator()(const char*, bool) const {}
  void operator()(const char* key, const std::vector<std::string>& texts) const {
    if (texts.size() > kMaxVocabularyWords) Fail(key, "has too many texts");
    for (const std::string& text : texts) (*this)(key, text);
  }
  void operator()(const char* key, const std::vector<double>& numbers) const {
    if (numbers.size() > kMaxVocabularyWords) Fail(key, "has too many numbers");
    for (const double number : numbers) {
      if (!(number > 0 && number < 1)) Fail(key, "must be in (0, 1)");
    }
  }
};

}  // namespace

absl::Status CheckSeries(const SeriesPreprocessing& series) {
  absl::Status status;
  SeriesPreprocessing::Fields(series, CheckSeriesField{status});
  return status;
}

VariableStore::VariableStore() = default;
VariableStore::VariableStore(VariableStore&&) noexcept = default;
VariableStore& VariableStore::operator=(VariableStore&&) noexcept = default;
VariableStore::~VariableStore() = default;

Model::Model() = default;
Model::Model(Model&&) noexcept = default;
Model& Model::operator=(Model&&) noexcept = default;
Model::~Model() = default;

absl::Status VariableStore::Declare(const VariableDef& def) {
  if (const Variable* known = Find(def.name)) return CheckAgrees(*known, def);
  absl::StatusOr<Tensor> zeros = Tensor::Zeros(def.type);
  SEQ_RETURN_IF_ERROR(Annotate(zeros.status(), absl::StrCat("variable ", def.name)));
  return Add(def, *std::move(zeros));
}

absl::Status VariableStore::Add(const VariableDef& def, Tensor value) {
  if (Find(def.name) != nullptr) {
    return absl::AlreadyExistsError(absl::StrCat("variable ", def.name, " is there twice"));
  }
  if (value.type() != def.type) {
    return InvalidArgument("variable ", def.name, " is ", def.type.ToString(),
                           ", but its content is ", value.type().ToString());
  }
  variables_.push_back({def, std::move(value)});
  by_name_[def.name] = &variables_.back();
  return absl::OkStatus();
}

const Variable* VariableStore::Find(absl::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second;
}

absl::StatusOr<const Variable*> VariableStore::Get(absl::string_view name) const {
  if (const Variable* variable = Find(name)) return variable;
  return NotFound("the model has no variable \"", name, "\"");
}

absl::Status VariableStore::Assign(absl::string_view name, const Tensor& value) {
  SEQ_ASSIGN_OR_RETURN(const Variable* variable, Get(name));
  if (value.type() != variable->def.type) {
    return InvalidArgument("variable ", name, " is ", variable->def.type.ToString(),
                           ", cannot take ", value.type().ToString());
  }
  // Copied, not moved: compiled functions hold the address.
  std::memcpy(Writable(*variable).value.data(), value.data(), value.num_bytes());
  return absl::OkStatus();
}

int64_t VariableStore::CountElements(VariableRole role) const {
  int64_t count = 0;
  for (const Variable& variable : variables_) {
    if (variable.def.role == role) count += variable.value.num_elements();
  }
  return count;
}

absl::Status Model::AddFunction(Function function) {
  if (FindFunction(function.name()) != nullptr) {
    return absl::AlreadyExistsError(
        absl::StrCat("the model has a function \"", function.name(), "\" already"));
  }
  // What contradicts the store is found before anything is added to it.
  for (const VariableRead& read : function.variables()) {
    const Variable* known = variables.Find(read.def.name);
    if (known == nullptr) continue;
    SEQ_RETURN_IF_ERROR(
        Annotate(CheckAgrees(*known, read.def), absl::StrCat("function ", function.name())));
  }
  for (const VariableRead& read : function.variables()) {
    SEQ_RETURN_IF_ERROR(
        Annotate(variables.Declare(read.def), absl::StrCat("function ", function.name())));
  }
  functions.push_back(std::move(function));
  return absl::OkStatus();
}

const Function* Model::FindFunction(absl::string_view name) const {
  for (const Function& function : functions) {
    if (function.name() == name) return &function;
  }
  return nullptr;
}

absl::StatusOr<const Function*> Model::GetFunction(absl::string_view name) const {
  if (const Function* function = FindFunction(name)) return function;
  return NotFound("the model has no function \"", name, "\"; it has ",
                  functions.empty()
                      ? "none"
                      : absl::StrJoin(functions, ", ", [](std::string* out, const Function& f) {
                          *out += f.name();
                        }));
}

}  // namespace seqgraph
