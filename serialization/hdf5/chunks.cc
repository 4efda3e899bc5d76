#include "serialization/hdf5/chunks.h"

#include <isa-l/igzip_lib.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

#include "base/byte_cursor.h"
#include "base/status_macros.h"

namespace seqgraph::hdf5 {
namespace {

constexpr uint32_t kCheckBytes = 4;  // of Fletcher's check sum

absl::StatusOr<std::string> Inflate(absl::string_view bytes, uint64_t size) {
  std::string out(size, '\0');
  const auto state = std::make_unique<inflate_state>();
  isal_inflate_init(state.get());
  state->crc_flag = ISAL_ZLIB;
  state->next_in = reinterpret_cast<uint8_t*>(const_cast<char*>(bytes.data()));
  state->avail_in = static_cast<uint32_t>(bytes.size());
  state->next_out = reinterpret_cast<uint8_t*>(out.data());
  state->avail_out = static_cast<uint32_t>(size);
  if (isal_inflate(state.get()) != ISAL_DECOMP_OK || state->avail_out != 0) {
    return InvalidArgument("a chunk is damaged: it does not inflate to ", size, " bytes");
  }
  return out;
}

// Byte k of all elements stands together, k = 0, 1, ...; what is left over stays at the end.
std::string Unshuffle(absl::string_view bytes, uint32_t element) {
  std::string out(bytes);
  const size_t count = bytes.size() / element;
  for (size_t k = 0; k < element; ++k) {
    for (size_t i = 0; i < count; ++i) out[i * element + k] = bytes[k * count + i];
  }
  return out;
}

class ChunkReader {
 public:
  ChunkReader(absl::string_view file, const Layout& layout, const std::vector<uint64_t>& extents,
              uint32_t element, const std::vector<Filter>& filters, Budget* budget)
      : file_(file),
        chunk_(layout.chunk),
        extents_(extents),
        element_(element),
        filters_(filters),
        budget_(budget) {}

  absl::StatusOr<std::string> Read(const Layout& layout) {
    if (chunk_.size() != extents_.size() || chunk_.empty()) {
      return InvalidArgument("has chunks of another rank");
    }
    chunk_bytes_ = element_;
    uint64_t bytes = element_;
    for (size_t i = 0; i < chunk_.size(); ++i) {
      // A chunk has less than 4 GiB.
      if (chunk_[i] == 0 || chunk_[i] > (uint64_t{1} << 32) / chunk_bytes_) {
        return InvalidArgument("has chunks of no size, or of 4 GiB and more");
      }
      chunk_bytes_ *= chunk_[i];
      bytes *= extents_[i];  // at most 2^40 elements of 8 bytes: ParseDataspace()
    }
    SEQ_RETURN_IF_ERROR(budget_->Expand(bytes));
    out_.assign(bytes, '\0');
    if (layout.address == kUndefined || bytes == 0) return std::move(out_);
    if (layout.single_chunk) {
      const uint64_t size = layout.size == 0 ? chunk_bytes_ : layout.size;
      SEQ_RETURN_IF_ERROR(
          PutChunk(layout.address, size, 0, std::vector<uint64_t>(chunk_.size(), 0)));
    } else {
      SEQ_RETURN_IF_ERROR(ReadNode(layout.address, 0));
    }
    return std::move(out_);
  }

 private:
  // A B-tree, version 1, whose leaves point to chunks.
  absl::Status ReadNode(uint64_t address, int depth) {
    constexpr int kMaxDepth = 16;
    SEQ_RETURN_IF_ERROR(budget_->Step());
    if (depth > kMaxDepth) return InvalidArgument("the tree of chunks is too deep");
    if (address > file_.size()) return InvalidArgument("the tree of chunks lies beyond the file");
    ByteCursor cursor(file_.substr(address));
    if (cursor.Take(4) != "TREE" || cursor.U8() != 1) {
      return InvalidArgument("there is no tree of chunks at ", address);
    }
    const int level = cursor.U8();
    const uint16_t count = cursor.U16();
    cursor.Skip(16);  // siblings
    for (int i = 0; i < count; ++i) {
      const uint32_t size = cursor.U32();
      const uint32_t left_out = cursor.U32();
      std::vector<uint64_t> at;
      for (size_t axis = 0; axis < chunk_.size(); ++axis) at.push_back(cursor.U64());
      cursor.Skip(8);  // the place within an element: 0
      const uint64_t child = cursor.U64();
      if (!cursor.ok()) return InvalidArgument("the tree of chunks is cut short");
      SEQ_RETURN_IF_ERROR(level > 0 ? ReadNode(child, depth + 1)
                                    : PutChunk(child, size, left_out, at));
    }
    return absl::OkStatus();
  }

  // `left_out`: bits of filters that were not applied to this chunk.
  absl::Status PutChunk(uint64_t address, uint64_t size, uint32_t left_out,
                        const std::vector<uint64_t>& at) {
    SEQ_RETURN_IF_ERROR(budget_->Step());
    if (address > file_.size() || size > file_.size() - address) {
      return InvalidArgument("a chunk lies beyond the end of the file");
    }
    for (size_t axis = 0; axis < at.size(); ++axis) {
      if (at[axis] % chunk_[axis] != 0) return InvalidArgument("a chunk is not at its place");
      if (at[axis] >= extents_[axis]) return absl::OkStatus();  // the dataset was made smaller
    }
    SEQ_RETURN_IF_ERROR(budget_->Expand(chunk_bytes_));
    std::string bytes(file_.substr(address, size));
    for (size_t i = filters_.size(); i-- > 0;) {
      if (left_out >> i & 1) continue;
      SEQ_RETURN_IF_ERROR(Undo(i, left_out, bytes));
    }
    if (bytes.size() != chunk_bytes_) {
      return InvalidArgument("a chunk has ", bytes.size(), " bytes instead of ", chunk_bytes_);
    }
    CopyRows(bytes, at);
    return absl::OkStatus();
  }

  absl::Status Undo(size_t filter, uint32_t left_out, std::string& bytes) const {
    switch (filters_[filter].id) {
      case Filter::kDeflate: {
        uint64_t size = chunk_bytes_;
        for (size_t i = 0; i < filter; ++i) {
          if (filters_[i].id == Filter::kFletcher32 && (left_out >> i & 1) == 0) {
            size += kCheckBytes;
          }
        }
        SEQ_ASSIGN_OR_RETURN(bytes, Inflate(bytes, size));
        break;
      }
      case Filter::kShuffle:
        bytes = Unshuffle(bytes, element_);
        break;
      default:  // a check sum behind the bytes, which is not looked at
        if (bytes.size() < kCheckBytes) return InvalidArgument("a chunk is cut short");
        bytes.resize(bytes.size() - kCheckBytes);
    }
    return absl::OkStatus();
  }

  // What of the chunk lies within the extents, a run of the last axis at a time.
  void CopyRows(const std::string& bytes, const std::vector<uint64_t>& at) {
    const size_t rank = chunk_.size();
    std::vector<uint64_t> row(rank, 0);
    const uint64_t run = std::min(chunk_[rank - 1], extents_[rank - 1] - at[rank - 1]) * element_;
    while (true) {
      uint64_t from = 0, to = 0;
      for (size_t i = 0; i < rank; ++i) {
        from = from * chunk_[i] + row[i];
        to = to * extents_[i] + at[i] + row[i];
      }
      std::memcpy(&out_[to * element_], &bytes[from * element_], run);
      size_t axis = rank - 1;
      while (axis-- > 0) {
        if (++row[axis] < std::min(chunk_[axis], extents_[axis] - at[axis])) break;
        row[axis] = 0;
      }
      if (axis == static_cast<size_t>(-1)) return;
    }
  }

  absl::string_view file_;
  const std::vector<uint64_t>& chunk_;
  const std::vector<uint64_t>& extents_;
  const uint32_t element_;
  const std::vector<Filter>& filters_;
  Budget* budget_;
  uint64_t chunk_bytes_ = 0;
  std::string out_;
};

}  // namespace

absl::StatusOr<std::vector<Filter>> ParseFilters(absl::string_view message) {
  ByteCursor cursor(message);
  const int version = cursor.U8();
  const int count = cursor.U8();
  if (version != 1 && version != 2) {
    return InvalidArgument("the filters have version ", version, ", which is not read");
  }
  if (version == 1) cursor.Skip(6);
  std::vector<Filter> filters;
  for (int i = 0; i < count; ++i) {
    Filter& filter = filters.emplace_back();
    filter.id = cursor.U16();
    const uint16_t name = version == 1 || filter.id >= 256 ? cursor.U16() : 0;
    cursor.Skip(2);  // flags
    const uint16_t values = cursor.U16();
    cursor.Skip(name);
    cursor.Skip(4 * (version == 1 ? (values + 1) / 2 * 2 : values));
    if (!cursor.ok()) return InvalidArgument("the list of filters is cut short");
    if (filter.id < Filter::kDeflate || filter.id > Filter::kFletcher32) {
      return Unimplemented("is compressed by HDF5's filter ", filter.id,
                           ", which is not read: write the file anew with `h5repack -f NONE`");
    }
  }
  return filters;
}

absl::StatusOr<std::string> ReadChunks(absl::string_view file, const Layout& layout,
                                       const std::vector<uint64_t>& extents, uint32_t element,
                                       const std::vector<Filter>& filters, Budget* budget) {
  return ChunkReader(file, layout, extents, element, filters, budget).Read(layout);
}

}  // namespace seqgraph::hdf5
