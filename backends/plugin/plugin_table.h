#pragma once

#include <cstdint>
#include <exception>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "backends/plugin/crash_report.h"
#include "backends/plugin/seqgraph_backend.h"
#include "runtime/backend.h"

namespace seqgraph {

/// The versions of the interface that this host speaks.
struct AbiRange {
  uint32_t min = SG_ABI_VERSION_MIN;
  uint32_t max = SG_ABI_VERSION;
};

/// No plugin may ask for more memory than this at once: what is larger is a mistake.
inline constexpr int64_t kMaxPluginBytes = int64_t{1} << 44;

/// A plugin's table after negotiation, checked; slots beyond what the plugin knows are null.
struct PluginTable {
  sg_backend table = {};
  BackendInfo info;
  std::string path;
  std::string label;  ///< for errors: "plugin mine (/opt/libmine.so)"
};

/// Calls a plugin's entry function. FailedPrecondition for one that is no plugin, that speaks
/// another version of the interface, or whose table is damaged or incomplete; errors name `path`.
absl::StatusOr<PluginTable> NegotiateWithPlugin(sg_entry_function entry, const std::string& path,
                                                const AbiRange& range = {});

/// The status that a plugin's function reports by returning `code`: text that ends nowhere is cut,
/// a code that does not exist is Internal. "LABEL: WHAT: TEXT".
absl::Status PluginError(absl::string_view label, absl::string_view what, int32_t code,
                         const sg_status& status);
absl::Status PluginThrew(absl::string_view label, absl::string_view what, const char* text);

/// Printable text of at most `size` bytes that may lack its end.
std::string TextFromPlugin(const char* text, size_t size);

/// Lets `call` (int32_t(sg_status*)) call into a plugin; what it throws ends here. `node` is what a
/// crash is told to have been about (crash_report.h).
template <typename Call>
absl::Status CallPlugin(absl::string_view label, absl::string_view what, Call&& call,
                        absl::string_view node = "") {
  const PluginCall in_plugin(label, what, node);
  sg_status status;
  status.struct_size = sizeof(status);
  status.code = SG_OK;
  status.text[0] = '\0';
  int32_t code;
  try {
    code = call(&status);
  } catch (const std::exception& exception) {
    return PluginThrew(label, what, exception.what());
  } catch (...) {
    return PluginThrew(label, what, "something");
  }
  if (code == SG_OK) return absl::OkStatus();
  return PluginError(label, what, code, status);
}

}  // namespace seqgraph
