// Stands in for the parts of libraries that the shared library needs by name, but never uses or
// cannot contain. They are hidden like all else in it (exports.lds), so that no program that loads
// it sees them.

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <ios>
#include <string>
#include <system_error>

#include "absl/strings/cord.h"
#include "absl/strings/escaping.h"
#include "hwy/targets.h"

// Abseil's statuses can carry payloads, which are cords. Ours have none, so none of these is ever
// called; Debian's archive of cords cannot be part of a shared library, as it counts by thread in a
// way that only programs may (R_X86_64_TPOFF32).
namespace absl {
ABSL_NAMESPACE_BEGIN

void Cord::DestroyCordSlow() { std::abort(); }
void Cord::InlineRep::UnrefTree() { std::abort(); }
bool Cord::EqualsImpl(const Cord&, size_t) const { std::abort(); }
Cord::operator std::string() const { std::abort(); }

// For texts of errors. The library's comes with all other escapes.
std::string CEscape(string_view text) {
  constexpr char kDigits[] = "01234567";
  std::string escaped;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte >= 0x7F) {
      escaped += {'\\', kDigits[byte >> 6], kDigits[byte >> 3 & 7], kDigits[byte & 7]};
    } else {
      if (c == '"' || c == '\'' || c == '\\') escaped += '\\';
      escaped += c;
    }
  }
  return escaped;
}
// For what a status has besides its text: nothing.
std::string CHexEscape(string_view text) { return CEscape(text); }

namespace cord_internal {
void CordzInfo::MaybeTrackCordImpl(InlineData&, const InlineData&, MethodIdentifier) {
  std::abort();
}
}  // namespace cord_internal

ABSL_NAMESPACE_END
}  // namespace absl

// Highway's choice of the instruction set: Debian has it as a shared library only.
namespace hwy {
namespace {

int64_t forced_targets = 0;  // 0: none

bool HasAvx2() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
         __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") &&
         __builtin_cpu_supports("lzcnt") && __builtin_cpu_supports("f16c");
}

bool HasAvx3() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512cd");
}

int64_t TargetsOfCpu() {
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("sse4.1") || !__builtin_cpu_supports("sse4.2") ||
      !__builtin_cpu_supports("aes") || !__builtin_cpu_supports("pclmul")) {
    return 0;
  }
  int64_t targets = HWY_SSE4;
  if (HasAvx2()) targets |= HWY_AVX2 | (HasAvx3() ? HWY_AVX3 : 0);
  return targets;
}

}  // namespace

int64_t SupportedTargets() {
  static const int64_t targets = TargetsOfCpu();
  return forced_targets != 0 ? forced_targets : targets;
}

void SetSupportedTargetsForTest(int64_t targets) { forced_targets = targets; }

ChosenTarget& GetChosenTarget() {
  static ChosenTarget chosen;
  return chosen;
}

}  // namespace hwy

// What std::terminate calls. The C++ library's writes the exception's name first, and carries a
// demangler to do so; none of ours gets that far.
namespace __cxxabiv1 {
std::terminate_handler __terminate_handler = std::abort;
}  // namespace __cxxabiv1

// The C++ library's streams, half a MB that nothing here writes to: whoever includes <iostream>
// asks for them to be made when the program starts.
#if __GNUC__ >= 13 && !defined(__clang__)
namespace std {
void ios_base_library_init() {}
}  // namespace std
#endif
std::ios_base::Init::Init() {}
std::ios_base::Init::~Init() {}

// Numbers in texts of errors, for which the C++ library has 140 KB of tables. Enough digits for
// float and double; the shortest that give the number back.
namespace std {
namespace {

template <typename T, typename Read>
to_chars_result PrintShortest(char* first, char* last, T value, int most_digits, Read read) {
  char text[40];
  int size = 0;
  for (int digits = 1; digits <= most_digits; ++digits) {
    size = snprintf(text, sizeof(text), "%.*g", digits, static_cast<double>(value));
    if (read(text) == value) break;
  }
  if (size > last - first) return {last, errc::value_too_large};
  // A program's locale may have another point.
  std::replace(text, text + size, ',', '.');
  memcpy(first, text, static_cast<size_t>(size));
  return {first + size, errc{}};
}

}  // namespace

to_chars_result to_chars(char* first, char* last, double value) {
  return PrintShortest(first, last, value, 17,
                       [](const char* text) { return strtod(text, nullptr); });
}

to_chars_result to_chars(char* first, char* last, float value) {
  return PrintShortest(first, last, value, 9,
                       [](const char* text) { return strtof(text, nullptr); });
}

}  // namespace std
