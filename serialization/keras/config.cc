#include "serialization/keras/config.h"

#include <cmath>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"

namespace seqgraph::keras {
namespace {

constexpr size_t kMaxJsonBytes = size_t{16} << 20;
constexpr int kMaxJsonDepth = 64;

// How deep arrays and objects lie in each other; counted before the parser allocates anything.
int Depth(absl::string_view text) {
  int depth = 0;
  int deepest = 0;
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\') ++i;
      if (c == '"') quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == '{' || c == '[') {
      deepest = std::max(deepest, ++depth);
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return deepest;
}

bool IsUnset(const Json& value) {
  return value.is_null() || value == false || (value.is_number() && value == 0) ||
         ((value.is_array() || value.is_object() || value.is_string()) && value.empty());
}

}  // namespace

absl::StatusOr<Json> ParseJson(absl::string_view text) {
  if (text.size() > kMaxJsonBytes) {
    return InvalidArgument(text.size(), " bytes of JSON; at most ", kMaxJsonBytes);
  }
  if (Depth(text) > kMaxJsonDepth) {
    return InvalidArgument("JSON has arrays and objects more than ", kMaxJsonDepth, " deep");
  }
  try {
    return Json::parse(text.begin(), text.end());
  } catch (const Json::exception& error) {
    return InvalidArgument("not JSON: ", error.what());
  }
}

std::string ClassName(const Json& object) {
  if (!object.is_object() || !object.contains("class_name") || !object["class_name"].is_string()) {
    return "";
  }
  const std::string name = object["class_name"];
  const size_t start = name.find_last_of(">.");
  return start == std::string::npos ? name : name.substr(start + 1);
}

std::string NameOf(const Json& object) {
  if (!object.is_object()) return "";
  if (object.contains("name") && object["name"].is_string()) return object["name"];
  return object.contains("config") ? NameOf(object["config"]) : "";
}

int MajorVersion(absl::string_view version) {
  int number = 0;
  return absl::SimpleAtoi(version.substr(0, version.find('.')), &number) ? number : 0;
}

std::string JsonText(const OrderedJson& json) {
  return json.dump(-1, ' ', true, OrderedJson::error_handler_t::replace);
}

std::string Shown(const Json& value) {
  // Whatever bytes a text has; invalid UTF-8 must not throw here.
  std::string text = value.dump(-1, ' ', true, Json::error_handler_t::replace);
  if (text.size() > 60) text = text.substr(0, 57) + "...";
  return text;
}

Config::Config(const Json& json, std::string where) : json_(json), where_(std::move(where)) {
  if (!json.is_object()) {
    Fail(InvalidArgument("expected an object, got ", Shown(json)));
  }
}

void Config::Fail(const absl::Status& status) {
  if (status_.ok() && !status.ok()) status_ = Annotate(status, where_);
}

void Config::Refuse(const std::string& key, const Json& value, absl::string_view why) {
  Fail(Unimplemented(key, " is ", Shown(value), ": ", why));
}

const Json* Config::Take(const std::string& key) {
  asked_.insert(key);
  if (!Has(key) || json_[key].is_null()) return nullptr;
  return &json_[key];
}

void Config::Int(const std::string& key, int64_t low, int64_t high, int64_t* value) {
  const Json* found = Take(key);
  if (found == nullptr) return;
  // Some versions write [8] or 8.0 for 8.
  if (found->is_array() && found->size() == 1) found = &(*found)[0];
  const double real = found->is_number() ? found->get<double>() : NAN;
  if (!(real >= static_cast<double>(low) && real <= static_cast<double>(high)) ||
      real != std::floor(real)) {
    Fail(InvalidArgument(key, " is ", Shown(*found), ": expected a number", " from ", low, " to ",
                         high));
    return;
  }
  *value = static_cast<int64_t>(real);
}

void Config::Real(const std::string& key, double* value) {
  const Json* found = Take(key);
  if (found == nullptr) return;
  if (!found->is_number() || !std::isfinite(found->get<double>())) {
    Fail(InvalidArgument(key, " is ", Shown(*found), ": expected a finite number"));
    return;
  }
  *value = found->get<double>();
}

void Config::Bool(const std::string& key, bool* value) {
  const Json* found = Take(key);
  if (found == nullptr) return;
  if (!found->is_boolean()) {
    Fail(InvalidArgument(key, " is ", Shown(*found), ": expected true or false"));
    return;
  }
  *value = found->get<bool>();
}

void Config::Text(const std::string& key, std::string* value) {
  const Json* found = Take(key);
  if (found == nullptr) return;
  if (!found->is_string()) {
    Fail(InvalidArgument(key, " is ", Shown(*found), ": expected a text"));
    return;
  }
  *value = found->get<std::string>();
}

void Config::Choice(const std::string& key, const std::vector<std::string>& choices,
                    std::string* value) {
  const Json* found = Take(key);
  if (found == nullptr) return;
  for (const std::string& choice : choices) {
    if (*found == choice) {
      *value = choice;
      return;
    }
  }
  Refuse(key, *found, absl::StrCat("it can be ", absl::StrJoin(choices, ", ")));
}

void Config::Ignore(const std::vector<std::string>& keys) {
  for (const std::string& key : keys) asked_.insert(key);
}

void Config::RefuseUnlessUnset(const std::vector<std::string>& keys) {
  for (const std::string& key : keys) {
    const Json* found = TakeSet(key);
    if (found != nullptr) Refuse(key, *found, "this is not known here");
  }
}

const Json* Config::TakeSet(const std::string& key) {
  const Json* found = Take(key);
  return found == nullptr || IsUnset(*found) ? nullptr : found;
}

void Config::Float32(const std::string& key) {
  const Json* found = Take(key);
  if (found == nullptr || *found == "float32") return;
  if (found->is_object() && found->contains("config") && (*found)["config"].is_object() &&
      (*found)["config"].value("name", Json()) == "float32") {
    return;
  }
  Refuse(key, *found, "layers compute in float32");
}

absl::Status Config::Finish() const {
  if (!status_.ok()) return status_;
  for (const auto& [key, value] : json_.items()) {
    // Null asks for nothing, whatever it is that a later version knows.
    if (asked_.count(key) == 0 && !value.is_null()) {
      return Unimplemented(where_, ": has the attribute ", Shown(key), " (", Shown(value),
                           "), which is not known here");
    }
  }
  return absl::OkStatus();
}

}  // namespace seqgraph::keras
