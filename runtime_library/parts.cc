// The ops and kernels that this program has: in place of ops/all_ops.cc and
// backends/simd/simd_rows.cc, which have them all.

#include "runtime_library/parts.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "absl/types/span.h"
#include "backends/kernels/shared_rows.h"
#include "base/status_macros.h"
#include "ops/all_ops.h"
#include "ops/binary.h"
#include "ops/unary.h"
#include "runtime_library/op_parts.h"

namespace seqgraph::ops {
#define DECLARE(name) OpDef name##Op();
SEQGRAPH_OP_PARTS(DECLARE)
#undef DECLARE
}  // namespace seqgraph::ops

namespace seqgraph {
namespace {

using simd::Row;

// An op's name as an argument of a template.
template <size_t kSize>
struct OpName {
  constexpr OpName(const char (&name)[kSize]) { std::copy_n(name, kSize, text); }
  constexpr bool Is(std::string_view other) const { return other == text; }
  char text[kSize];
};

constexpr bool HasPart(std::string_view op) {
#define IS_OP(name) op == #name ||
  return SEQGRAPH_OP_PARTS(IS_OP) false;
#undef IS_OP
}

// The rows that `takes` takes, in their order: constants, so that whatever does not ask for them
// does not contain their kernels.
template <typename Takes>
constexpr size_t CountRows(Takes takes) {
  size_t count = 0;
  for (const Row& row : simd::kOwnRows) count += takes(row.op);
  for (const Row& row : kernels::kSharedRows<Row>) count += takes(row.op);
  return count;
}
template <size_t kCount, typename Takes>
constexpr std::array<Row, kCount> TakeRows(Takes takes) {
  std::array<Row, kCount> rows = {};
  size_t count = 0;
  for (const Row& row : simd::kOwnRows) {
    if (takes(row.op)) rows[count++] = row;
  }
  for (const Row& row : kernels::kSharedRows<Row>) {
    if (takes(row.op)) rows[count++] = row;
  }
  return rows;
}

template <OpName kOp>
constexpr auto kIsOp = [](std::string_view op) { return kOp.Is(op); };
template <OpName kOp>
constexpr auto kRowsOf = TakeRows<CountRows(kIsOp<kOp>)>(kIsOp<kOp>);

constexpr auto kIsOfFamily = [](std::string_view op) { return !HasPart(op); };
constexpr auto kRowsOfFamilies = TakeRows<CountRows(kIsOfFamily)>(kIsOfFamily);

}  // namespace
}  // namespace seqgraph

SEQGRAPH_PARTS(SEQGRAPH_DECLARE_PART)

#define DEFINE_OP(name)                                                                \
  const seqgraph_part seqgraph_part_##name = {#name, seqgraph::ops::name##Op, nullptr, \
                                              seqgraph::kRowsOf<#name>.data(),         \
                                              seqgraph::kRowsOf<#name>.size()};
SEQGRAPH_OP_PARTS(DEFINE_OP)
#undef DEFINE_OP

#define DEFINE_FAMILY(name)                                                          \
  const seqgraph_part seqgraph_part_##name = {nullptr, nullptr, seqgraph::ops::name, \
                                              seqgraph::kRowsOfFamilies.data(),      \
                                              seqgraph::kRowsOfFamilies.size()};
DEFINE_FAMILY(UnaryOps)
DEFINE_FAMILY(BinaryOps)
#undef DEFINE_FAMILY

// The linker's names for the ends of the section in which the program's parts are named.
extern "C" __attribute__((visibility("hidden")))
const seqgraph_part* const __start_seqgraph_parts[];
extern "C" __attribute__((visibility("hidden"))) const seqgraph_part* const __stop_seqgraph_parts[];
// Undefined here: where no header of a model defines it, all_parts.cc comes into the program.
extern "C" __attribute__((visibility("hidden"))) char seqgraph_parts_chosen;

namespace seqgraph {
namespace {

// Each once, though several models may name it.
std::vector<const seqgraph_part*> Parts() {
  SEQ_CHECK(seqgraph_parts_chosen != 0);
  std::vector<const seqgraph_part*> parts(__start_seqgraph_parts, __stop_seqgraph_parts);
  std::sort(parts.begin(), parts.end());
  parts.erase(std::unique(parts.begin(), parts.end()), parts.end());
  return parts;
}

}  // namespace

absl::Status RegisterAllOps(OpRegistry& registry) {
  const std::vector<const seqgraph_part*> parts = Parts();
  for (const seqgraph_part* part : parts) {
    if (part->op == nullptr) continue;
    SEQ_RETURN_IF_ERROR(registry.RegisterLater(part->op, part->define));
  }
  // Last: families are defined before another name is registered.
  for (const seqgraph_part* part : parts) {
    if (part->op != nullptr) continue;
    SEQ_RETURN_IF_ERROR(registry.RegisterLater(part->define_family));
  }
  return absl::OkStatus();
}

const OpRegistry& AllOps() {
  static const OpRegistry* const kAll = [] {
    auto* registry = new OpRegistry;  // never freed: functions hold pointers into it
    SEQ_CHECK(RegisterAllOps(*registry).ok());
    return registry;
  }();
  return *kAll;
}

absl::Span<const Row> simd::Rows() {
  static const auto* const kAll = [] {
    auto* rows = new std::vector<Row>;
    for (const seqgraph_part* part : Parts()) {
      rows->insert(rows->end(), part->rows, part->rows + part->num_rows);
    }
    return rows;
  }();
  return *kAll;
}

}  // namespace seqgraph
