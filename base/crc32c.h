#pragma once

#include <cstdint>

#include "absl/strings/string_view.h"

namespace seqgraph {

/// CRC-32C: polynomial 0x1EDC6F41, reflected, initial value and final xor 0xFFFFFFFF. Finds every
/// error burst of up to 32 bits and misses one in 2^32 of other damage. It guards against accident
/// (cut, overwritten or mixed-up files), not against a forger: what follows it checks everything
/// anew.
/// Source: RFC 3720, appendix B.4.
/// `before`: of the bytes in front of these, so that what comes in parts has the sum of the whole.
uint32_t Crc32c(absl::string_view bytes, uint32_t before = 0);

}  // namespace seqgraph
