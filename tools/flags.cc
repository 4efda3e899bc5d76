#include "tools/flags.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "backends/all_backends.h"

namespace seqgraph::tools {
namespace {

constexpr char kMark = '\x1f';

std::string WithoutMark(const std::string& text) {
  return !text.empty() && text[0] == kMark ? text.substr(1) : text;
}

// Takes a text, or says what it expected.
using Parse = std::function<std::string(const std::string& text)>;

Flag Add(CLI::App* app, const std::string& name, const std::string& help,
         const std::string& placeholder, const std::string& default_value, Parse parse) {
  const auto take = [name, parse = std::move(parse)](const CLI::results_t& results) {
    if (results.size() != 1) throw CLI::ValidationError(name, "given more than once");
    const std::string text = WithoutMark(results[0]);
    const std::string expected = parse(text);
    if (expected.empty()) return true;
    throw CLI::ValidationError(name, absl::StrCat("expected ", expected, ", got '", text, "'"));
  };
  CLI::Option* option = app->add_option(name, take, help);
  // More than one value is refused above, with a message that says so.
  option->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  option->option_text(default_value.empty() ? placeholder
                                            : absl::StrCat(placeholder, " [", default_value, "]"));
  return Flag(option);
}

}  // namespace

Flag Flag::Required() {
  option_->required();
  return *this;
}

Flag Flag::Excludes(Flag other) {
  option_->excludes(other.option_);
  return *this;
}

bool Flag::given() const { return option_->count() > 0; }

Flag Flags::Int(const std::string& name, int64_t* value, int64_t low, int64_t high,
                const std::string& help) {
  const std::string expected = absl::StrCat("a whole number from ", low, " to ", high);
  return Add(app_, name, help, "N", absl::StrCat(*value), [=](const std::string& text) {
    int64_t parsed = 0;
    if (!absl::SimpleAtoi(text, &parsed) || parsed < low || parsed > high) return expected;
    *value = parsed;
    return std::string();
  });
}

Flag Flags::Number(const std::string& name, double* value, std::function<bool(double)> allowed,
                   const std::string& expected, const std::string& shown, const std::string& help) {
  return Add(app_, name, help, "X", shown,
             [=, allowed = std::move(allowed)](const std::string& text) {
               double parsed = 0;
               if (!absl::SimpleAtod(text, &parsed) || !allowed(parsed)) return expected;
               *value = parsed;
               return std::string();
             });
}

Flag Flags::Real(const std::string& name, double* value, double low, double high,
                 const std::string& help) {
  return Number(
      name, value, [=](double parsed) { return parsed > low && parsed < high; },
      absl::StrFormat("a number between %g and %g", low, high), absl::StrFormat("%g", *value),
      help);
}

Flag Flags::Share(const std::string& name, double* value, const std::string& help) {
  return Number(
      name, value, [](double parsed) { return parsed >= 0 && parsed < 1; },
      "a number of at least 0 and below 1", absl::StrFormat("%g", *value), help);
}

Flag Flags::Text(const std::string& name, std::string* value, const std::string& placeholder,
                 const std::string& help) {
  return Add(app_, name, help, placeholder, *value, [=](const std::string& text) {
    if (text.empty()) return absl::StrCat("a ", placeholder);
    *value = text;
    return std::string();
  });
}

Flag Flags::Choice(const std::string& name, std::string* value,
                   const std::vector<std::string>& choices, const std::string& help) {
  return Add(app_, name, help, absl::StrJoin(choices, "|"), *value, [=](const std::string& text) {
    for (const std::string& choice : choices) {
      if (text == choice) {
        *value = text;
        return std::string();
      }
    }
    return absl::StrJoin(choices, " or ");
  });
}

Flag Flags::OptionalText(const std::string& name, std::string* value, const std::string& bare,
                         const std::string& help) {
  return Flag(app_->add_flag(absl::StrCat(name, "{", bare, "}"), *value, help));
}

Flag Flags::Switch(const std::string& name, bool* value, const std::string& help) {
  return Flag(app_->add_flag(name, *value, help));
}

Flag Flags::Texts(const std::string& name, std::vector<std::string>* values,
                  const std::string& help) {
  const auto take = [values](const CLI::results_t& results) {
    for (const std::string& text : results) values->push_back(WithoutMark(text));
    return true;
  };
  CLI::Option* option = app_->add_option(name, take, help);
  option->expected(0, CLI::detail::expected_max_vector_size);
  option->allow_extra_args(true);  // Otherwise an argument takes as few as it can.
  return Flag(option->option_text("..."));
}

void Flags::Footer(const std::string& text) { app_->footer(text); }

void Flags::Check(const std::string& flag, std::function<std::string()> check) {
  checks_.push_back([flag, check = std::move(check)] {
    const std::string misuse = check();
    if (!misuse.empty()) throw CLI::ValidationError(flag, misuse);
  });
  app_->parse_complete_callback([checks = checks_] {
    for (const auto& each : checks) each();
  });
}

std::vector<std::string> ArgumentsForParser(int argc, const char* const* argv) {
  std::vector<std::string> arguments;
  bool texts_only = false;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (!texts_only && argument == "--") {
      texts_only = true;
      continue;
    }
    const bool mark =
        texts_only || (!argument.empty() && (argument[0] == '[' || argument[0] == kMark));
    arguments.push_back(mark ? kMark + argument : argument);
  }
  std::reverse(arguments.begin(), arguments.end());
  return arguments;
}

void DeclareBackendSettings(Flags& flags) {
  for (const auto& backend : AllBackends().all()) {
    for (BackendSetting& setting : backend->settings()) {
      const std::string flag = absl::StrCat("--", backend->info().name, "_", setting.name);
      const auto value = std::make_shared<std::string>();
      flags.Text(flag, value.get(), setting.placeholder, setting.help);
      flags.Check(flag, [value, set = std::move(setting.set)]() -> std::string {
        const absl::Status status = value->empty() ? absl::OkStatus() : set(*value);
        return std::string(status.message());
      });
    }
  }
}

void BackendFlags::Declare(Flags& flags) {
  flags.Text("--backend", &backend, "NAMES",
             "Backends by preference, comma-separated: names, or paths of plugins; no other is\n"
             "ever used. auto: each node where it is measured to be fastest, once and for all");
  flags.Int("--threads", &threads, 1, 1024, "Threads to compute with");
  DeclarePasses(flags, &passes);
  DeclareBackendSettings(flags);
}

void DeclarePasses(Flags& flags, std::string* passes) {
  flags.Text("--passes", passes, "NAMES",
             "Rewrites to run, comma-separated: all, none, names, or all but -NAME;\n"
             "`seqgraph passes` lists them");
}

}  // namespace seqgraph::tools
