#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "nlohmann/json.hpp"

namespace seqgraph::keras {

using Json = nlohmann::json;
/// For writing: keys stay in the order in which they were put.
using OrderedJson = nlohmann::ordered_json;

/// Parses untrusted text. InvalidArgument, naming the byte, for what is not JSON, and for more than
/// 16 MiB or arrays and objects more than 64 deep.
absl::StatusOr<Json> ParseJson(absl::string_view text);

/// The attributes of one object of a configuration. Each is asked for by what it means; those that
/// nobody asked for are an error, so that nothing is dropped silently. The first error is kept and
/// given by Finish(); getters then leave their results as they are.
class Config {
 public:
  /// `where` is for messages: "layer dense (Dense)". `json` must outlive this.
  Config(const Json& json, std::string where);

  /// Each sets *value if the attribute is there and not null.
  void Int(const std::string& key, int64_t low, int64_t high, int64_t* value);
  void Real(const std::string& key, double* value);
  void Bool(const std::string& key, bool* value);
  void Text(const std::string& key, std::string* value);
  /// A text among `choices`.
  void Choice(const std::string& key, const std::vector<std::string>& choices, std::string* value);
  /// As it is; null if it is absent or null.
  const Json* Take(const std::string& key);
  /// The same; null also for false, zero and what is empty.
  const Json* TakeSet(const std::string& key);
  /// Attributes without a meaning for what the model computes.
  void Ignore(const std::vector<std::string>& keys);
  /// Attributes that must be absent, null, false, zero or empty: what they ask for cannot be given.
  void RefuseUnlessUnset(const std::vector<std::string>& keys);
  /// Elements must be float32: a text, or Keras 3's DTypePolicy.
  void Float32(const std::string& key);

  bool Has(const std::string& key) const { return json_.is_object() && json_.contains(key); }
  bool IsNull(const std::string& key) const { return Has(key) && json_[key].is_null(); }
  void Fail(const absl::Status& status);
  void Refuse(const std::string& key, const Json& value, absl::string_view why);
  const std::string& where() const { return where_; }
  bool ok() const { return status_.ok(); }
  /// The first error, or that of the first attribute that nobody asked for.
  absl::Status Finish() const;

 private:
  const Json& json_;
  std::string where_;
  std::set<std::string> asked_;
  absl::Status status_;
};

/// The number in front of the first dot: 2 for "2.1.2-tf"; 0 for what does not begin so.
int MajorVersion(absl::string_view version);

/// The name of the class, without the "Custom>" and the module that may be in front of it; empty if
/// there is none.
std::string ClassName(const Json& object);
/// The name of a layer or model, beside its class or in its configuration; empty if there is none.
std::string NameOf(const Json& object);

/// The text of a configuration, in ASCII; what is not UTF-8 in it is replaced.
std::string JsonText(const OrderedJson& json);

/// A value for messages: its JSON, cut to some 60 bytes.
std::string Shown(const Json& value);

}  // namespace seqgraph::keras
