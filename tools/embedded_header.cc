#include "tools/embedded_header.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "backends/all_backends.h"
#include "base/status_macros.h"
#include "graph/op_def.h"
#include "ops/all_ops.h"
#include "ops/binary.h"
#include "ops/rewrites/all_rewrites.h"
#include "ops/unary.h"
#include "runtime/backend_registry.h"
#include "runtime/compiled_function.h"
#include "serialization/model_io.h"
#include "stream/stream_model.h"

namespace seqgraph::tools {
namespace {

// One, few, and more than any kernel takes together: which kernels and passes pay is another
// question for each.
constexpr int64_t kBatches[] = {1, 3, 64};
constexpr int64_t kMostMemory = int64_t{1} << 30;

// A registry of all ops that keeps the names of those that were asked for.
class AskedOps {
 public:
  AskedOps() {
    for (const OpDef* def : AllOps().All()) {
      const absl::Status status = registry_.RegisterLater(def->name(), [this, def] {
        names_.insert(def->name());
        return *def;
      });
      SEQ_CHECK(status.ok());  // each name once
    }
  }

  const OpRegistry& registry() const { return registry_; }

  std::vector<std::string> Parts() const {
    std::set<std::string> parts = names_;
    ReplaceFamily("UnaryOps", ops::UnaryOps(), parts);
    ReplaceFamily("BinaryOps", ops::BinaryOps(), parts);
    return {parts.begin(), parts.end()};
  }

 private:
  // Ops that are defined together are one part.
  static void ReplaceFamily(const char* name, const std::vector<OpDef>& family,
                            std::set<std::string>& parts) {
    bool asked = false;
    for (const OpDef& def : family) asked |= parts.erase(def.name()) > 0;
    if (asked) parts.insert(name);
  }

  OpRegistry registry_;
  std::set<std::string> names_;
};

// What of the static runtime library a program needs to run the model: names of parts
// (runtime_library/parts.h), in order. Found by doing what such a program does, on the backend
// "simd", as a function and, where it can go step by step, as a stream: a part is whatever that
// asks for. Errors: what keeps a function from being compiled.
absl::StatusOr<std::vector<std::string>> LibraryParts(absl::string_view model) {
  SEQ_ASSIGN_OR_RETURN(const Backend* simd, AllBackends().Get("simd"));
  AskedOps asked;
  SEQ_ASSIGN_OR_RETURN(Model read, ParseModel(model, ModelFormat::kBinary, asked.registry()));
  for (const Function& function : read.functions) {
    for (const int64_t batch : kBatches) {
      const absl::Status status =
          CompiledFunction::Compile(function, asked.registry(), &read.variables,
                                    {.backends = {simd},
                                     .batch = batch,
                                     .passes = StandardPasses(),
                                     .max_memory = kMostMemory})
              .status();
      // What is too large for many needs what one needs.
      if (batch == 1) SEQ_RETURN_IF_ERROR(status);
      if (!function.has_symbolic_batch()) break;
    }
    for (const int64_t batch : kBatches) {
      // Most functions of most models are none for streams.
      SEQ_ASSIGN_OR_RETURN(Model copy, ParseModel(model, ModelFormat::kBinary, asked.registry()));
      (void)StreamModel::Create(std::move(copy), {.function = function.name(),
                                                  .max_batch = batch,
                                                  .block = batch,
                                                  .ops = &asked.registry()})
          .status();
    }
  }
  return asked.Parts();
}

// What of the static library a program with SEQGRAPH_LEAN gets. Constants may be defined by several
// files of a program: they are weak, or the file's own.
std::string PartsText(const std::string& name,
                      const absl::StatusOr<std::vector<std::string>>& parts) {
  std::string text =
      "\n/* With SEQGRAPH_LEAN the static runtime library gives the program what the models that "
      "it\n"
      "   includes so need, and nothing else: other models do not run in it. */\n"
      "#ifdef SEQGRAPH_LEAN\n";
  if (!parts.ok()) {
    std::string why(parts.status().message());
    std::replace_if(
        why.begin(), why.end(), [](char c) { return !absl::ascii_isprint(c); }, ' ');
    return absl::StrCat(text, "#error SEQGRAPH_LEAN: ", why, "\n#endif\n");
  }
  text +=
      "#define SEQGRAPH_LEAN_PART section(\"seqgraph_parts\"), used\n"
      "#ifdef __has_attribute\n#if __has_attribute(retain)\n#undef SEQGRAPH_LEAN_PART\n"
      "#define SEQGRAPH_LEAN_PART section(\"seqgraph_parts\"), used, retain\n#endif\n#endif\n"
      "#ifdef __cplusplus\nextern \"C\" {\n#endif\n"
      "__attribute__((weak, visibility(\"hidden\"))) char seqgraph_parts_chosen = 1;\n";
  for (const std::string& part : *parts) {
    absl::StrAppend(
        &text, "extern const struct seqgraph_part seqgraph_part_", part, ";\n",
        "__attribute__((SEQGRAPH_LEAN_PART)) static const struct seqgraph_part* const\n", "    ",
        name, "_part_", part, " = &seqgraph_part_", part, ";\n");
  }
  return text + "#ifdef __cplusplus\n}\n#endif\n#undef SEQGRAPH_LEAN_PART\n#endif\n";
}

}  // namespace

std::string EmbeddedHeader(const std::string& name, const std::string& what,
                           absl::string_view bytes) {
  std::string text = absl::StrCat(
      "/* ", what, ", by `seqgraph embed`: a model in ", bytes.size(),
      " bytes, for what takes a model from memory. */\n\n#pragma once\n\n#include <stddef.h>\n\n"
      "static const size_t ",
      name, "_size = ", bytes.size(), ";\n", "static const unsigned char ", name, "[", bytes.size(),
      "] = {");
  text.reserve(text.size() + 4 * bytes.size() + bytes.size() / 8 + 16);
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (i % 24 == 0) text += "\n    ";
    absl::StrAppend(&text, static_cast<int>(static_cast<unsigned char>(bytes[i])), ",");
  }
  return text + "\n};\n" + PartsText(name, LibraryParts(bytes));
}

}  // namespace seqgraph::tools
