#include "backends/onednn/isa.h"

#include "backends/onednn/dnnl_compat.h"

namespace seqgraph::onednn {
namespace {

// dnnl_cpu_isa_t is a set of bits in which a wider instruction set contains the narrower ones.
bool Has(dnnl::cpu_isa effective, dnnl::cpu_isa wanted) {
  const unsigned have = static_cast<unsigned>(effective);
  const unsigned want = static_cast<unsigned>(wanted);
  return (have & want) == want;
}

}  // namespace

int VectorWidth() {
  const dnnl::cpu_isa isa = dnnl::get_effective_cpu_isa();
  if (Has(isa, dnnl::cpu_isa::avx512_core)) return 16;
  if (Has(isa, dnnl::cpu_isa::avx)) return 8;
  return 4;
}

int64_t PadUnits(int64_t units) {
  constexpr int64_t kMaxPaddedUnits = 256;
  if (units > kMaxPaddedUnits) return units;
  const int64_t width = VectorWidth();
  return (units + width - 1) / width * width;
}

std::string IsaName() {
  const dnnl::cpu_isa isa = dnnl::get_effective_cpu_isa();
  if (Has(isa, dnnl::cpu_isa::avx512_core)) return "avx512";
  if (Has(isa, dnnl::cpu_isa::avx2)) return "avx2";
  if (Has(isa, dnnl::cpu_isa::avx)) return "avx";
  return "sse41";
}

}  // namespace seqgraph::onednn
