#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace seqgraph::tools {

/// A buffer of an arena.
struct BufferInTime {
  std::string name;
  int64_t offset = 0;  ///< bytes
  int64_t bytes = 0;
  int first = 0;  ///< steps, both included; -1: before the first
  int last = 0;
};

/// Memory over time as one <svg> element, by the rules of DrawFunction: steps from left to right,
/// addresses from below to above, a <rect class="buffer"> with a tooltip for each buffer, and a
/// line for the bytes that live at each step; beside it the ends of both axes. `arena` is the
/// height in bytes. Of more than 5,000 buffers the largest are drawn, and the picture says so.
std::string DrawMemory(const std::vector<BufferInTime>& buffers, int steps, int64_t arena);

}  // namespace seqgraph::tools
