#include <algorithm>
#include <cctype>
#include <cstdio>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "base/atomic_file.h"
#include "base/status_macros.h"
#include "serialization/model_io.h"
#include "tools/command.h"
#include "tools/convert/model_formats.h"
#include "tools/embedded_header.h"
#include "tools/import_flags.h"

namespace seqgraph::tools {
namespace {

// The words of C and C++ that are no names.
bool IsKeyword(absl::string_view name) {
  static const auto* const keywords = new absl::flat_hash_set<absl::string_view>(absl::StrSplit(
      "alignas alignof and and_eq asm auto bitand bitor bool break case catch char char16_t "
      "char32_t char8_t class co_await co_return co_yield compl concept const const_cast consteval "
      "constexpr constinit continue decltype default delete do double dynamic_cast else enum "
      "explicit export extern false float for friend goto if inline int long mutable namespace new "
      "noexcept not not_eq nullptr operator or or_eq private protected public register "
      "reinterpret_cast requires restrict return short signed sizeof static static_assert "
      "static_cast struct switch template this thread_local throw true try typedef typeid typename "
      "union unsigned using virtual void volatile wchar_t while xor xor_eq",
      ' '));
  return keywords->contains(name);
}

bool IsCName(const std::string& name) {
  return !name.empty() && !absl::ascii_isdigit(name[0]) && !IsKeyword(name) &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return absl::ascii_isalnum(c) || c == '_'; });
}

// "drums.seq.pb" -> "drums_seq_pb"; a C name.
std::string CName(const std::string& path) {
  std::string name = std::filesystem::path(path).filename().string();
  for (char& c : name) c = absl::ascii_isalnum(c) ? c : '_';
  return IsCName(name) ? name : absl::StrCat("model_", name);
}

// The model with one function and what it reads: what training needs stays behind.
absl::StatusOr<Model> WithFunction(Model model, const std::string& name) {
  SEQ_ASSIGN_OR_RETURN(const Function* function, model.GetFunction(name));
  Model one;
  one.name = model.name;
  one.preprocessing = model.preprocessing;
  one.series = model.series;
  one.labels = model.labels;
  one.description = model.description;
  one.layers = model.layers;
  SEQ_RETURN_IF_ERROR(one.AddFunction(*function));
  for (const VariableRead& read : function->variables()) {
    SEQ_ASSIGN_OR_RETURN(const Variable* variable, model.variables.Get(read.def.name));
    SEQ_RETURN_IF_ERROR(one.variables.Assign(read.def.name, variable->value));
  }
  return one;
}

class EmbedCommand : public Command {
 public:
  void Declare(Flags& flags) override {
    flags.InputFile("MODEL", &path_, "A model: of seqgraph, .keras, .h5 or .onnx as it is")
        .Required();
    flags.OutputFile("--output", &output_, "The header to write").Required();
    flags.Text("--name", &name_, "NAME", "Of the array; without it that of the model's file");
    flags.Text("--function", &function_, "NAME",
               "The function to keep; \"all\": all of them, and what training needs");
    import_.Declare(flags);
    flags.Check("--name", [this]() -> std::string {
      return name_.empty() || IsCName(name_) ? "" : "expected a name of C, got '" + name_ + "'";
    });
    flags.Footer(
        "The header defines NAME[] and NAME_size in C and C++. With SEQGRAPH_LEAN defined before "
        "it,\n"
        "a program with libseqgraph_runtime.a contains only what the model needs.\n\nExamples:\n"
        "  seqgraph embed model.pb --output=model.h");
  }

  absl::StatusOr<int> Run(Output& out) override {
    SEQ_ASSIGN_OR_RETURN(const FormatOptions options, import_.Options(path_));
    SEQ_ASSIGN_OR_RETURN(ConvertedModel read, ReadAnyModel(path_, options));
    for (const std::string& note : read.notes) {
      std::fprintf(stderr, "seqgraph: note: %s\n", note.c_str());
    }
    if (function_ != "all") {
      SEQ_ASSIGN_OR_RETURN(read.model,
                           Annotate(WithFunction(std::move(read.model), function_), path_));
    }
    SEQ_ASSIGN_OR_RETURN(const std::string bytes,
                         Annotate(SerializeModel(read.model, ModelFormat::kBinary), path_));
    constexpr size_t kMost = size_t{64} << 20;  // compilers take a hundred times as much
    if (bytes.size() > kMost) {
      return InvalidArgument(path_, ": ", bytes.size(),
                             " bytes are more than a compiler takes as an array; link the file");
    }
    const std::string name = name_.empty() ? CName(path_) : name_;
    const std::string file = std::filesystem::path(path_).filename().string();
    std::string shown;
    for (const char c : file) shown += absl::ascii_isprint(c) && c != '*' ? c : '_';
    SEQ_RETURN_IF_ERROR(AtomicWriteFile(output_, EmbeddedHeader(name, shown, bytes)));
    out.Print("%s: %s[%d]\n", output_, name, bytes.size());
    return 0;
  }

 private:
  std::string path_, output_, name_, function_ = "predict";
  ImportFlags import_;
};

}  // namespace

CommandDef DefineEmbed() {
  return DefineCommand<EmbedCommand>("embed",
                                     "Write a model as a C array, to be compiled into a program");
}

}  // namespace seqgraph::tools
