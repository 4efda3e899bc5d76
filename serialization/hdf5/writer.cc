#include "serialization/hdf5/writer.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/byte_cursor.h"
#include "base/status_macros.h"
#include "serialization/hdf5/messages.h"
#include "serialization/hdf5/object_header.h"

namespace seqgraph::hdf5 {
namespace {

// A node of a group's B-tree has 2 kTreeRank children; a symbol node has twice the rank that the
// superblock says, which is chosen so that one node of the tree holds every group.
constexpr int kTreeRank = 16;
constexpr int kLeastSymbolRank = 4;
constexpr size_t kSymbolBytes = 40;
constexpr size_t kMaxTexts = 4000;  // 16 bytes each; a message has at most 65,535
constexpr size_t kMaxMembers = 2 * kTreeRank * 2 * 32767;
// Collections of texts: the library makes none smaller, and looks for none larger than it must.
constexpr size_t kLeastHeap = 4096;
constexpr size_t kHeapHead = 16;

std::string Number(uint64_t value, int size) { return NumberBytes(value, size); }

std::string Padded(std::string bytes) {
  bytes.resize((bytes.size() + 7) / 8 * 8);
  return bytes;
}

std::string DatatypeBytes(DType dtype) {
  const int size = static_cast<int>(SizeOf(dtype));
  if (!IsReal(dtype)) {
    return Number(0x10, 1) + Number(8, 3) + Number(size, 4) + Number(0, 2) + Number(8 * size, 2);
  }
  const bool wide = dtype == DType::kFloat64;
  // Version 1, class 1; implied leading bit; the sign is the last bit.
  std::string bytes = Number(0x11, 1) + Number(0x20 | (8 * size - 1) << 8, 3) + Number(size, 4);
  bytes += Number(0, 2) + Number(8 * size, 2);                    // offset and precision in bits
  bytes += Number(wide ? 52 : 23, 1) + Number(wide ? 11 : 8, 1);  // exponent: place, size
  bytes += Number(0, 1) + Number(wide ? 52 : 23, 1);              // mantissa
  return bytes + Number(wide ? 1023 : 127, 4);
}

// Texts of variable length in UTF-8, ended by a zero: a sequence of one-byte texts.
std::string TextTypeBytes() {
  constexpr uint64_t kUtf8Text = 0x101;
  return Number(0x19, 1) + Number(kUtf8Text, 3) + Number(16, 4) + Number(0x10, 1) + Number(0, 3) +
         Number(1, 4) + Number(0, 2) + Number(8, 2);
}

std::string DataspaceBytes(const std::vector<uint64_t>& extents) {
  std::string bytes = Number(1, 1) + Number(extents.size(), 1) + Number(0, 6);
  for (const uint64_t extent : extents) bytes += Number(extent, 8);
  return bytes;
}

std::string MessageBytes(MessageType type, const std::string& data) {
  const std::string padded = Padded(data);
  return Number(static_cast<uint64_t>(type), 2) + Number(padded.size(), 2) + Number(0, 4) + padded;
}

// Texts, gathered into collections that follow everything else.
class HeapWriter {
 public:
  /// Where the text will lie: its collection's number and its index in it.
  std::pair<size_t, uint32_t> Add(absl::string_view text) {
    const std::string object = Padded(std::string(text));
    if (collections_.empty() || collections_.back().count == 60000 ||
        kHeapHead + collections_.back().bytes.size() + 16 + object.size() > kLeastHeap) {
      collections_.emplace_back();
    }
    Collection& collection = collections_.back();
    ++collection.count;
    absl::StrAppend(&collection.bytes, Number(collection.count, 2), Number(0, 6),
                    Number(text.size(), 8), object);
    return {collections_.size() - 1, collection.count};
  }

  // Collection `i`; what is left of it is one free object.
  std::string Bytes(size_t i) const {
    const size_t used = kHeapHead + collections_[i].bytes.size();
    const size_t size = std::max(kLeastHeap, used);
    std::string bytes =
        "GCOL" + Number(1, 1) + Number(0, 3) + Number(size, 8) + collections_[i].bytes;
    if (size - used >= 16) bytes += Number(0, 8) + Number(size - used, 8);
    bytes.resize(size);
    return bytes;
  }
  size_t size() const { return collections_.size(); }

 private:
  struct Collection {
    std::string bytes;
    uint32_t count = 0;
  };
  std::vector<Collection> collections_;
};

class TreeWriter {
 public:
  absl::StatusOr<std::string> Write(const Node& root) {
    SEQ_RETURN_IF_ERROR(Check(root, ""));
    constexpr size_t kSuperblock = 96;
    out_.resize(kSuperblock);
    const Place place = WriteObject(root);
    for (size_t i = 0; i < heap_.size(); ++i) heap_addresses_.push_back(Append(heap_.Bytes(i)));
    for (const Reference& reference : references_) {
      out_.replace(reference.position, 8, Number(heap_addresses_[reference.collection], 8));
    }
    out_.replace(0, kSuperblock, Superblock(place));
    return std::move(out_);
  }

 private:
  // Where an object is; groups also have a tree and a heap of names.
  struct Place {
    uint64_t header = 0;
    uint64_t tree = 0;
    uint64_t names = 0;
    bool group = false;
  };
  // The address of a collection, to be filled in when all else has been written.
  struct Reference {
    size_t position;
    size_t collection;
  };

  absl::Status Check(const Node& node, const std::string& path) {
    const auto refuse = [&](absl::string_view why) {
      return InvalidArgument("HDF5 object ", path, ": ", why);
    };
    if (!node.unreadable.empty()) return refuse(node.unreadable);
    if (node.children.size() > kMaxMembers) return refuse("has too many members");
    const size_t nodes = 2 * kTreeRank * 2;
    symbol_rank_ =
        std::max(symbol_rank_, static_cast<int>((node.children.size() + nodes - 1) / nodes));
    for (const Attribute& attribute : node.attributes) {
      if (attribute.texts.size() > kMaxTexts) {
        return refuse(absl::StrCat("attribute ", attribute.name, " has ", attribute.texts.size(),
                                   " texts; at most ", kMaxTexts));
      }
      // Of numbers, which are not read: no text where there must be one.
      if (!attribute.is_text || (attribute.scalar && attribute.texts.size() != 1)) {
        return refuse(absl::StrCat("attribute ", attribute.name, " is not one text or a list"));
      }
      if (attribute.name.size() > 1000) return refuse("the name of an attribute is too long");
    }
    for (const Node& child : node.children) {
      if (child.name.empty() || child.name.find('/') != std::string::npos ||
          child.name.find('\0') != std::string::npos) {
        return refuse("a member has no name, or one with a slash or a zero byte");
      }
      SEQ_RETURN_IF_ERROR(Check(child, absl::StrCat(path, "/", child.name)));
    }
    return absl::OkStatus();
  }

  uint64_t Append(absl::string_view bytes) {
    out_.resize((out_.size() + 7) / 8 * 8);
    const uint64_t address = out_.size();
    out_.append(bytes.data(), bytes.size());
    return address;
  }

  std::string Superblock(const Place& root) const {
    std::string bytes("\x89HDF\r\n\x1a\n", 8);
    bytes += Number(0, 5) + Number(8, 1) + Number(8, 1) + Number(0, 1);
    bytes += Number(symbol_rank_, 2) + Number(kTreeRank, 2) + Number(0, 4);
    bytes += Number(0, 8) + Number(kUndefined, 8) + Number(out_.size(), 8) + Number(kUndefined, 8);
    return bytes + Symbol(0, root);
  }

  // A symbol table's entry; what a group is made of is repeated in it.
  static std::string Symbol(uint64_t name, const Place& place) {
    return Number(name, 8) + Number(place.header, 8) + Number(place.group ? 1 : 0, 4) +
           Number(0, 4) + Number(place.tree, 8) + Number(place.names, 8);
  }

  Place WriteObject(const Node& node) {
    Place place;
    std::string messages;
    int count = 0;
    const auto add = [&](const std::string& message) {
      messages += message;
      ++count;
    };
    if (node.value.has_value()) {
      const Tensor& tensor = *node.value;
      std::vector<uint64_t> extents;
      for (const Dim dim : tensor.shape().dims()) extents.push_back(dim.size());
      const uint64_t address = tensor.num_bytes() == 0
                                   ? kUndefined
                                   : Append({static_cast<const char*>(tensor.data()),
                                             static_cast<size_t>(tensor.num_bytes())});
      add(MessageBytes(MessageType::kDataspace, DataspaceBytes(extents)));
      add(MessageBytes(MessageType::kDatatype, DatatypeBytes(tensor.dtype())));
      add(MessageBytes(kFillValue, Number(2, 1) + Number(2, 1) + Number(2, 1) + Number(0, 1)));
      add(MessageBytes(MessageType::kLayout, Number(3, 1) + Number(1, 1) + Number(address, 8) +
                                                 Number(tensor.num_bytes(), 8)));
    } else {
      place = WriteGroup(node);
      add(MessageBytes(MessageType::kSymbolTable, Number(place.tree, 8) + Number(place.names, 8)));
    }
    std::vector<Reference> references;  // within the messages
    for (const Attribute& attribute : node.attributes) {
      add(AttributeBytes(attribute, messages.size(), references));
    }
    place.header = Append(Number(1, 2) + Number(count, 2) + Number(1, 4) +
                          Number(messages.size(), 4) + Number(0, 4) + messages);
    for (const Reference& reference : references) {
      references_.push_back({place.header + 16 + reference.position, reference.collection});
    }
    return place;
  }

  std::string AttributeBytes(const Attribute& attribute, size_t start,
                             std::vector<Reference>& references) {
    std::vector<uint64_t> extents;
    if (!attribute.scalar) extents.push_back(attribute.texts.size());
    const std::string name = attribute.name + '\0';
    const std::string type = TextTypeBytes();
    const std::string space = DataspaceBytes(extents);
    std::string data = Number(1, 2) + Number(name.size(), 2) + Number(type.size(), 2) +
                       Number(space.size(), 2) + Padded(name) + Padded(type) + Padded(space);
    constexpr size_t kMessageHead = 8;
    for (const std::string& text : attribute.texts) {
      uint32_t index = 0;
      // An empty text refers to nothing.
      if (!text.empty()) {
        const auto [collection, number] = heap_.Add(text);
        index = number;
        references.push_back({start + kMessageHead + data.size() + 4, collection});
      }
      data += Number(text.size(), 4) + Number(0, 8) + Number(index, 4);
    }
    return MessageBytes(MessageType::kAttribute, data);
  }

  Place WriteGroup(const Node& group) {
    std::vector<Place> places;
    for (const Node& child : group.children) places.push_back(WriteObject(child));
    // The heap of names begins with the empty one.
    std::string names = Number(0, 8);
    std::vector<uint64_t> offsets;
    for (const Node& child : group.children) {
      offsets.push_back(names.size());
      names += Padded(child.name + '\0');
    }
    Place place;
    place.group = true;
    place.names = WriteNames(names);
    const size_t symbols = 2 * static_cast<size_t>(symbol_rank_);
    std::string children = Number(0, 8);  // the first key: before every name
    int count = 0;
    for (size_t first = 0; first < places.size(); first += symbols, ++count) {
      const size_t end = std::min(places.size(), first + symbols);
      std::string node = "SNOD" + Number(1, 1) + Number(0, 1) + Number(end - first, 2);
      for (size_t i = first; i < end; ++i) node += Symbol(offsets[i], places[i]);
      node.resize(8 + symbols * kSymbolBytes);
      children += Number(Append(node), 8) + Number(offsets[end - 1], 8);
    }
    std::string tree = "TREE" + Number(0, 1) + Number(0, 1) + Number(count, 2) +
                       Number(kUndefined, 8) + Number(kUndefined, 8) + children;
    tree.resize(24 + 2 * kTreeRank * 16 + 8);
    place.tree = Append(tree);
    return place;
  }

  uint64_t WriteNames(const std::string& names) {
    constexpr uint64_t kNoFreeSpace = 1;
    const uint64_t address = Append("");
    const uint64_t start = address + 32;
    Append("HEAP" + Number(0, 4) + Number(names.size(), 8) + Number(kNoFreeSpace, 8) +
           Number(start, 8) + names);
    return address;
  }

  static constexpr auto kFillValue = static_cast<MessageType>(5);

  std::string out_;
  int symbol_rank_ = kLeastSymbolRank;
  HeapWriter heap_;
  std::vector<uint64_t> heap_addresses_;
  std::vector<Reference> references_;
};

}  // namespace

absl::StatusOr<std::string> WriteTree(const Node& root) { return TreeWriter().Write(root); }

}  // namespace seqgraph::hdf5
