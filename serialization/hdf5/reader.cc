#include "serialization/hdf5/reader.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/byte_cursor.h"
#include "base/status_macros.h"
#include "serialization/hdf5/chunks.h"
#include "serialization/hdf5/global_heap.h"
#include "serialization/hdf5/messages.h"
#include "serialization/hdf5/object_header.h"

namespace seqgraph::hdf5 {
namespace {

constexpr absl::string_view kSignature("\x89HDF\r\n\x1a\n", 8);

absl::Status At(const absl::Status& status, absl::string_view path) {
  return Annotate(status, path.empty() ? "/" : path);
}

// What the elements become; none for a type that has no exact counterpart.
absl::StatusOr<DType> TargetOf(const Datatype& type) {
  const bool narrow = type.size < 4 || (type.size == 4 && type.is_signed);
  if (type.kind == Datatype::Kind::kInteger && type.size <= 8) {
    if (narrow) return DType::kInt32;
    if (type.size == 4 || type.is_signed) return DType::kInt64;
  }
  if (type.kind == Datatype::Kind::kFloat) {
    return type.size == 8 ? DType::kFloat64 : DType::kFloat32;
  }
  return InvalidArgument("holds ", type.ToString(), ", which is not read");
}

// IEEE 754 binary16 to float; exact.
float FromHalf(uint16_t half) {
  const int exponent = half >> 10 & 31;
  const int fraction = half & 1023;
  const float sign = (half & 0x8000) != 0 ? -1.0f : 1.0f;
  if (exponent == 31) return fraction == 0 ? sign * INFINITY : NAN;
  if (exponent == 0) return sign * std::ldexp(static_cast<float>(fraction), -24);
  return sign * std::ldexp(static_cast<float>(1024 + fraction), exponent - 25);
}

int64_t FromInteger(uint64_t bits, const Datatype& type) {
  const int unused = 64 - 8 * static_cast<int>(type.size);
  if (!type.is_signed || unused == 0) return static_cast<int64_t>(bits);
  return static_cast<int64_t>(bits << unused) >> unused;
}

void Fill(absl::string_view bytes, const Datatype& type, Tensor& tensor) {
  if (static_cast<int64_t>(bytes.size()) == tensor.num_bytes()) {
    if (!bytes.empty()) std::memcpy(tensor.data(), bytes.data(), bytes.size());
    return;
  }
  ByteCursor cursor(bytes);
  for (int64_t i = 0; i < tensor.num_elements(); ++i) {
    const uint64_t bits = cursor.Number(static_cast<int>(type.size));
    if (tensor.dtype() == DType::kFloat32) {
      tensor.Elements<float>()[i] = FromHalf(static_cast<uint16_t>(bits));
    } else if (tensor.dtype() == DType::kInt32) {
      tensor.Elements<int32_t>()[i] = static_cast<int32_t>(FromInteger(bits, type));
    } else {
      tensor.Elements<int64_t>()[i] = FromInteger(bits, type);
    }
  }
}

// The bytes of the elements, all `size` of them.
absl::StatusOr<absl::string_view> Contents(absl::string_view file, const Layout& layout,
                                           uint64_t size) {
  absl::string_view bytes = layout.inside;
  if (!layout.compact && size > 0) {
    if (layout.address == kUndefined) return InvalidArgument("was never written");
    if (layout.address > file.size() || size > file.size() - layout.address) {
      return InvalidArgument("its elements lie beyond the end of the file");
    }
    bytes = file.substr(layout.address, size);
  }
  if (layout.size < size || bytes.size() < size) {
    return InvalidArgument("takes ", size, " bytes, and only ", layout.size, " are there");
  }
  return bytes.substr(0, size);
}

// Reads the elements of the dataset with this header into node->value, or says in
// node->unreadable why they cannot be given.
absl::Status ReadDataset(absl::string_view file, const ObjectHeader& header, Budget* budget,
                         Node* node) {
  const Message* type_message = header.Find(MessageType::kDatatype);
  const Message* space_message = header.Find(MessageType::kDataspace);
  const Message* layout_message = header.Find(MessageType::kLayout);
  if (type_message == nullptr || space_message == nullptr || layout_message == nullptr) {
    return InvalidArgument("a dataset needs a type, extents and a layout");
  }
  SEQ_ASSIGN_OR_RETURN(const Datatype type, ParseDatatype(type_message->data));
  SEQ_ASSIGN_OR_RETURN(const Dataspace space, ParseDataspace(space_message->data));
  SEQ_ASSIGN_OR_RETURN(const Layout layout, ParseLayout(layout_message->data));
  SEQ_ASSIGN_OR_RETURN(const uint64_t elements, space.Elements());
  if (header.Find(MessageType::kExternalFiles) != nullptr) {
    node->unreadable = "lies in another file, which is not opened";
    return absl::OkStatus();
  }
  std::vector<Filter> filters;
  if (const Message* message = header.Find(MessageType::kFilters)) {
    absl::StatusOr<std::vector<Filter>> parsed = ParseFilters(message->data);
    if (parsed.status().code() == absl::StatusCode::kUnimplemented) {
      node->unreadable = std::string(parsed.status().message());
      return absl::OkStatus();
    }
    SEQ_RETURN_IF_ERROR(parsed.status());
    filters = *std::move(parsed);
  }
  const absl::StatusOr<DType> target = TargetOf(type);
  if (!layout.unreadable.empty() || !target.ok() || space.null) {
    node->unreadable = !layout.unreadable.empty() ? layout.unreadable
                       : !target.ok()             ? std::string(target.status().message())
                                                  : "holds nothing";
    return absl::OkStatus();
  }
  // At most 2^40 elements of at most 8 bytes: no overflow.
  std::string unfolded;
  absl::string_view bytes;
  if (layout.chunk.empty()) {
    SEQ_ASSIGN_OR_RETURN(bytes, Contents(file, layout, elements * type.size));
    SEQ_RETURN_IF_ERROR(budget->Copy(bytes.size()));
  } else {
    SEQ_ASSIGN_OR_RETURN(unfolded,
                         ReadChunks(file, layout, space.extents, type.size, filters, budget));
    bytes = unfolded;
  }
  if (type.big_endian) {
    unfolded = std::string(bytes);
    for (size_t i = 0; i < unfolded.size(); i += type.size) {
      std::reverse(&unfolded[i], &unfolded[i] + type.size);
    }
    bytes = unfolded;
  }
  Shape shape;
  for (const uint64_t extent : space.extents) shape.Append(static_cast<int64_t>(extent));
  // Extents beside a zero are not in the product.
  SEQ_RETURN_IF_ERROR(shape.Validate());
  SEQ_ASSIGN_OR_RETURN(Tensor tensor, Tensor::Zeros({*target, shape}));
  Fill(bytes, type, tensor);
  node->value = std::move(tensor);
  return absl::OkStatus();
}

class TreeReader {
 public:
  explicit TreeReader(absl::string_view file)
      : file_(file), budget_(file.size()), heap_(file, &budget_) {}

  absl::StatusOr<Node> Read() {
    SEQ_ASSIGN_OR_RETURN(const uint64_t root, RootAddress());
    SEQ_ASSIGN_OR_RETURN(Node node, ReadObject(root, "", 0));
    if (!node.is_group()) return InvalidArgument("the root is not a group");
    return node;
  }

 private:
  // The address of the root group's object header.
  absl::StatusOr<uint64_t> RootAddress() {
    ByteCursor cursor(file_);
    cursor.Skip(kSignature.size());
    const int version = cursor.U8();
    if (version > 3) return InvalidArgument("superblock ", version, " is not read; 0 to 3 are");
    const bool old = version < 2;
    if (old) cursor.Skip(4);  // versions of parts
    const int offset_size = cursor.U8();
    const int length_size = cursor.U8();
    if (offset_size != 8 || length_size != 8) {
      return InvalidArgument("addresses of ", offset_size, " bytes and lengths of ", length_size,
                             " are not read; 8 and 8 are");
    }
    // Old: a reserved byte, the sizes of groups' nodes and flags; new: flags.
    cursor.Skip(old ? (version == 1 ? 13 : 9) : 1);
    if (cursor.U64() != 0) return InvalidArgument("the file begins with another block");
    cursor.Skip(old ? 24 : 16);  // old: free space, end, driver; new: extension, end
    if (old) cursor.Skip(8);     // the root's name
    const uint64_t root = cursor.U64();
    if (!cursor.ok()) return InvalidArgument("the superblock is cut short");
    return root;
  }

  absl::StatusOr<Node> ReadObject(uint64_t address, const std::string& path, int depth) {
    if (depth > kMaxDepth) {
      return InvalidArgument(path, ": groups lie more than ", kMaxDepth, " deep in each other");
    }
    absl::StatusOr<ObjectHeader> header = ReadObjectHeader(file_, address, &budget_);
    SEQ_RETURN_IF_ERROR(At(header.status(), path));
    Node node;
    SEQ_RETURN_IF_ERROR(At(ReadAttributes(*header, node), path));
    if (header->Find(MessageType::kLayout) != nullptr ||
        header->Find(MessageType::kDatatype) != nullptr) {
      SEQ_RETURN_IF_ERROR(At(ReadDataset(file_, *header, &budget_, &node), path));
      return node;
    }
    std::vector<Link> links;
    SEQ_RETURN_IF_ERROR(At(ReadLinks(*header, links), path));
    std::sort(links.begin(), links.end(),
              [](const Link& a, const Link& b) { return a.name < b.name; });
    for (Link& link : links) {
      const std::string below = absl::StrCat(path, path.empty() ? "" : "/", link.name);
      if (link.name.empty() || absl::StrContains(link.name, '/')) {
        return InvalidArgument(below, ": a member has no name, or one with a slash");
      }
      if (!link.unreadable.empty()) return InvalidArgument(below, ": ", link.unreadable);
      if (!node.children.empty() && node.children.back().name == link.name) {
        return InvalidArgument(below, ": is there twice");
      }
      SEQ_ASSIGN_OR_RETURN(Node child, ReadObject(link.address, below, depth + 1));
      child.name = std::move(link.name);
      node.children.push_back(std::move(child));
    }
    return node;
  }

  absl::Status ReadAttributes(const ObjectHeader& header, Node& node) {
    SEQ_RETURN_IF_ERROR(header.CheckNotDense(MessageType::kAttributeInfo, "attributes"));
    for (const Message& message : header.messages) {
      if (message.type != MessageType::kAttribute) continue;
      SEQ_ASSIGN_OR_RETURN(const AttributeMessage parsed, ParseAttribute(message.data));
      Attribute attribute{.name = parsed.name, .scalar = parsed.space.scalar};
      SEQ_RETURN_IF_ERROR(
          Annotate(ReadTexts(parsed, attribute), absl::StrCat("attribute ", parsed.name)));
      node.attributes.push_back(std::move(attribute));
    }
    return absl::OkStatus();
  }

  absl::Status ReadTexts(const AttributeMessage& parsed, Attribute& attribute) {
    const bool fixed = parsed.type.kind == Datatype::Kind::kFixedText;
    if (!fixed && parsed.type.kind != Datatype::Kind::kVariableText) {
      attribute.is_text = false;
      return absl::OkStatus();
    }
    constexpr uint32_t kReference = 16;  // length, address of a collection, index in it
    const uint32_t size = fixed ? parsed.type.size : kReference;
    SEQ_ASSIGN_OR_RETURN(const uint64_t count, parsed.space.Elements());
    if (count > parsed.data.size() / size) {
      return InvalidArgument("has ", count, " texts, but no room for them");
    }
    ByteCursor cursor(parsed.data);
    for (uint64_t i = 0; i < count; ++i) {
      SEQ_RETURN_IF_ERROR(budget_.Step());
      absl::string_view text;
      if (fixed) {
        text = cursor.Take(size);
        text = text.substr(0, text.find('\0'));
      } else {
        const uint32_t length = cursor.U32();
        const uint64_t address = cursor.U64();
        const uint32_t index = cursor.U32();
        if (length > 0) {
          SEQ_ASSIGN_OR_RETURN(text, heap_.Object(address, index));
          if (length > text.size()) return InvalidArgument("is longer than its heap");
          text = text.substr(0, length);
          text = text.substr(0, text.find('\0'));
        }
      }
      SEQ_RETURN_IF_ERROR(budget_.Copy(text.size()));
      attribute.texts.emplace_back(text);
    }
    return absl::OkStatus();
  }

  absl::Status ReadLinks(const ObjectHeader& header, std::vector<Link>& links) {
    SEQ_RETURN_IF_ERROR(header.CheckNotDense(MessageType::kLinkInfo, "links"));
    for (const Message& message : header.messages) {
      if (message.type != MessageType::kLink) continue;
      SEQ_ASSIGN_OR_RETURN(links.emplace_back(), ParseLink(message.data));
    }
    const Message* table = header.Find(MessageType::kSymbolTable);
    if (table == nullptr) return absl::OkStatus();
    ByteCursor cursor(table->data);
    const uint64_t tree = cursor.U64();
    const uint64_t heap = cursor.U64();
    if (!cursor.ok()) return InvalidArgument("the symbol table is cut short");
    SEQ_ASSIGN_OR_RETURN(const absl::string_view names, ReadLocalHeap(heap));
    return ReadGroupTree(tree, names, 0, links);
  }

  absl::StatusOr<ByteCursor> Open(uint64_t address, absl::string_view signature) {
    SEQ_RETURN_IF_ERROR(budget_.Step());
    if (address <= file_.size()) {
      ByteCursor cursor(file_.substr(address));
      if (cursor.Take(signature.size()) == signature) return cursor;
    }
    return InvalidArgument("there is no ", signature, " at ", address);
  }

  // The names of a group's members, one behind the other.
  absl::StatusOr<absl::string_view> ReadLocalHeap(uint64_t address) {
    SEQ_ASSIGN_OR_RETURN(ByteCursor cursor, Open(address, "HEAP"));
    cursor.Skip(4);
    const uint64_t size = cursor.U64();
    cursor.Skip(8);
    const uint64_t start = cursor.U64();
    if (!cursor.ok() || start > file_.size() || size > file_.size() - start) {
      return InvalidArgument("the heap of names lies beyond the end of the file");
    }
    return file_.substr(start, size);
  }

  // A B-tree, version 1, whose leaves point to symbol nodes.
  absl::Status ReadGroupTree(uint64_t address, absl::string_view names, int depth,
                             std::vector<Link>& links) {
    if (depth > kMaxDepth) return InvalidArgument("the tree of members is too deep");
    SEQ_ASSIGN_OR_RETURN(ByteCursor cursor, Open(address, "TREE"));
    if (cursor.U8() != 0) return InvalidArgument("the tree of members is of another kind");
    const int level = cursor.U8();
    const uint16_t count = cursor.U16();
    cursor.Skip(16);  // siblings
    for (int i = 0; i < count; ++i) {
      cursor.Skip(8);  // a key: the name before the child's first
      const uint64_t child = cursor.U64();
      if (!cursor.ok()) return InvalidArgument("the tree of members is cut short");
      SEQ_RETURN_IF_ERROR(level > 0 ? ReadGroupTree(child, names, depth + 1, links)
                                    : ReadSymbols(child, names, links));
    }
    return absl::OkStatus();
  }

  absl::Status ReadSymbols(uint64_t address, absl::string_view names, std::vector<Link>& links) {
    SEQ_ASSIGN_OR_RETURN(ByteCursor cursor, Open(address, "SNOD"));
    cursor.Skip(2);
    const uint16_t count = cursor.U16();
    for (int i = 0; i < count; ++i) {
      SEQ_RETURN_IF_ERROR(budget_.Step());
      const uint64_t name = cursor.U64();
      Link link;
      link.address = cursor.U64();
      if (cursor.U32() == 2) link.unreadable = "is a soft link, which is not followed";
      cursor.Skip(20);
      if (!cursor.ok()) return InvalidArgument("a node of members is cut short");
      if (name >= names.size() || names.find('\0', name) == absl::string_view::npos) {
        return InvalidArgument("the name of a member lies outside of its heap");
      }
      link.name = std::string(names.substr(name, names.find('\0', name) - name));
      SEQ_RETURN_IF_ERROR(budget_.Copy(link.name.size()));
      links.push_back(std::move(link));
    }
    return absl::OkStatus();
  }

  absl::string_view file_;
  Budget budget_;
  GlobalHeap heap_;
};

}  // namespace

bool LooksLikeHdf5(absl::string_view bytes) { return bytes.substr(0, 8) == kSignature; }

absl::StatusOr<Node> ReadTree(absl::string_view bytes) {
  if (!LooksLikeHdf5(bytes)) return InvalidArgument("not an HDF5 file: it does not begin as one");
  return TreeReader(bytes).Read();
}

}  // namespace seqgraph::hdf5
