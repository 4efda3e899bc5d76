#include "backends/plugin/plugin_table.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace seqgraph {
namespace {

constexpr char kHostVersion[] = "seqgraph";
constexpr size_t kMaxNameBytes = 64;
constexpr size_t kMaxTextBytes = 256;

bool IsNameCharacter(char c) {
  return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '_' || c == '-' || c == '.';
}

absl::Status CheckTable(const sg_backend& table, const AbiRange& range) {
  if (table.magic != SG_MAGIC) {
    return FailedPrecondition("its table has the magic number 0x", absl::Hex(table.magic),
                              ", expected 0x", absl::Hex(SG_MAGIC), ": it is no Seqgraph backend");
  }
  if (table.struct_size < SG_BACKEND_V1_SIZE) {
    return FailedPrecondition("its table has ", table.struct_size, " bytes; version 1 has ",
                              SG_BACKEND_V1_SIZE);
  }
  if (table.abi_version < range.min || table.abi_version > range.max) {
    return FailedPrecondition("it speaks version ", table.abi_version,
                              " of the backend interface, this program ", range.min, " to ",
                              range.max, ": rebuild it with this program's seqgraph_backend.h");
  }
  const auto missing = [](absl::string_view slot) {
    return FailedPrecondition("its table lacks \"", slot, "\", which is required");
  };
  if (table.name == nullptr) return missing("name");
  if (table.version == nullptr) return missing("version");
  if (table.description == nullptr) return missing("description");
  if (table.claim == nullptr) return missing("claim");
  if (table.prepare == nullptr) return missing("prepare");
  if (table.run == nullptr) return missing("run");
  return absl::OkStatus();
}

}  // namespace

std::string TextFromPlugin(const char* text, size_t size) {
  std::string clean(text, strnlen(text, size));
  for (char& c : clean) {
    if (!absl::ascii_isprint(static_cast<unsigned char>(c))) c = c == '\n' ? ' ' : '?';
  }
  return clean;
}

absl::Status PluginError(absl::string_view label, absl::string_view what, int32_t code,
                         const sg_status& status) {
  const std::string text = TextFromPlugin(status.text, sizeof(status.text));
  if (code < SG_OK || code > SG_UNAUTHENTICATED) {
    return Internal(label, ": ", what, ": returned code ", code, ", which does not exist",
                    text.empty() ? "" : ", with the text: ", text);
  }
  return absl::Status(static_cast<absl::StatusCode>(code),
                      absl::StrCat(label, ": ", what, ": ",
                                   text.empty() ? "it failed and does not say why" : text));
}

absl::Status PluginThrew(absl::string_view label, absl::string_view what, const char* text) {
  return Internal(label, ": ", what, ": threw an exception, which no ",
                  "plugin may: ", TextFromPlugin(text, kMaxTextBytes));
}

absl::StatusOr<PluginTable> NegotiateWithPlugin(sg_entry_function entry, const std::string& path,
                                                const AbiRange& range) {
  PluginTable plugin;
  plugin.path = path;
  plugin.label = absl::StrCat("plugin ", path);
  const sg_host host = {sizeof(host), SG_MAGIC, range.min, range.max, kHostVersion};
  plugin.table.struct_size = sizeof(sg_backend);
  SEQ_RETURN_IF_ERROR(CallPlugin(plugin.label, SG_ENTRY_NAME, [&](sg_status* status) {
    return entry(&host, &plugin.table, status);
  }));
  SEQ_RETURN_IF_ERROR(Annotate(CheckTable(plugin.table, range), plugin.label));
  // What an older plugin does not know stays null, whatever it wrote there.
  if (const size_t known = plugin.table.struct_size; known < sizeof(sg_backend)) {
    std::memset(reinterpret_cast<char*>(&plugin.table) + known, 0, sizeof(sg_backend) - known);
  }
  plugin.info = {TextFromPlugin(plugin.table.name, kMaxNameBytes + 1),
                 TextFromPlugin(plugin.table.version, kMaxTextBytes),
                 TextFromPlugin(plugin.table.description, kMaxTextBytes)};
  const std::string& name = plugin.info.name;
  if (name.empty() || name.size() > kMaxNameBytes ||
      !std::all_of(name.begin(), name.end(), IsNameCharacter)) {
    return FailedPrecondition(plugin.label, ": calls itself \"", name,
                              "\"; a backend's name is 1 to ", kMaxNameBytes, " of a-z 0-9 _ - .");
  }
  plugin.label = absl::StrCat("plugin ", name, " (", path, ")");
  RememberPlugin(plugin.label);
  return plugin;
}

}  // namespace seqgraph
