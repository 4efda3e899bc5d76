#include "serialization/hdf5/messages.h"

#include "absl/strings/str_cat.h"
#include "base/byte_cursor.h"
#include "base/status_macros.h"
#include "graph/shape.h"

namespace seqgraph::hdf5 {
namespace {

absl::Status Cut(absl::string_view what) { return InvalidArgument(what, " is cut short"); }

absl::Status NotRead(absl::string_view what, int version) {
  return InvalidArgument(what, " has version ", version, ", which is not read");
}

// A name with the zero behind it, which its length counts.
std::string Name(absl::string_view bytes) { return std::string(bytes.substr(0, bytes.find('\0'))); }

}  // namespace

std::string Datatype::ToString() const {
  switch (kind) {
    case Kind::kInteger:
      return absl::StrCat(big_endian ? "big-endian " : "", is_signed ? "int" : "uint", 8 * size);
    case Kind::kFloat:
      return absl::StrCat(big_endian ? "big-endian " : "", "float", 8 * size);
    case Kind::kFixedText:
    case Kind::kVariableText:
      return "text";
    case Kind::kOther:
      break;
  }
  return "another type";
}

absl::StatusOr<uint64_t> Dataspace::Elements() const {
  if (null) return 0;
  uint64_t product = 1;
  for (const uint64_t extent : extents) {
    if (extent != 0 && product > uint64_t{Shape::kMaxElements} / extent) {
      return InvalidArgument("has more than 2^40 elements");
    }
    product *= extent;
  }
  return product;
}

absl::StatusOr<Datatype> ParseDatatype(absl::string_view bytes) {
  ByteCursor cursor(bytes);
  const uint8_t head = cursor.U8();
  const auto bits = static_cast<uint32_t>(cursor.Number(3));
  Datatype type;
  type.size = cursor.U32();
  switch (head & 15) {
    case 0:
      type.kind = Datatype::Kind::kInteger;
      type.big_endian = (bits & 1) != 0;
      type.is_signed = (bits & 8) != 0;
      // Bit offset and precision: only plain integers, which fill their bytes.
      if (cursor.U16() != 0 || cursor.U16() != 8 * type.size) type.kind = Datatype::Kind::kOther;
      break;
    case 1: {
      type.kind = Datatype::Kind::kFloat;
      type.big_endian = (bits & 1) != 0;
      const bool whole = cursor.U16() == 0 && cursor.U16() == 8 * type.size;
      cursor.U8();
      const int exponent = cursor.U8();
      cursor.U8();
      const int mantissa = cursor.U8();
      // IEEE 754's formats only: bfloat16 has the size of float16.
      const bool ieee = (type.size == 2 && exponent == 5 && mantissa == 10) ||
                        (type.size == 4 && exponent == 8 && mantissa == 23) ||
                        (type.size == 8 && exponent == 11 && mantissa == 52);
      if (!whole || !ieee) type.kind = Datatype::Kind::kOther;
      break;
    }
    case 3:
      type.kind = Datatype::Kind::kFixedText;
      break;
    case 9:
      if ((bits & 15) == 1) type.kind = Datatype::Kind::kVariableText;
      break;
    default:
      break;
  }
  if (!cursor.ok()) return Cut("the element type");
  if (type.size == 0) return InvalidArgument("the element type has no bytes");
  return type;
}

absl::StatusOr<Dataspace> ParseDataspace(absl::string_view bytes) {
  ByteCursor cursor(bytes);
  const int version = cursor.U8();
  const int rank = cursor.U8();
  cursor.U8();  // flags: maximal extents follow, which do not matter
  Dataspace space;
  if (version == 1) {
    cursor.Skip(5);
    space.scalar = rank == 0;
  } else if (version == 2) {
    const int kind = cursor.U8();
    if (kind > 2) return NotRead("the dataspace of kind", kind);
    // Else a single element would have extents, whose product is another number.
    if (kind == 0 && rank != 0) return InvalidArgument("has a scalar of rank ", rank);
    space.scalar = kind != 2 && rank == 0;
    space.null = kind == 2;
  } else {
    return NotRead("the dataspace", version);
  }
  if (rank > kMaxRank) return InvalidArgument("has rank ", rank, "; at most ", kMaxRank);
  for (int i = 0; i < rank; ++i) space.extents.push_back(cursor.U64());
  if (!cursor.ok()) return Cut("the dataspace");
  return space;
}

namespace {

// What follows the kind of a layout in chunks.
void ParseChunks(int version, ByteCursor& cursor, Layout& layout) {
  const int flags = version == 4 ? cursor.U8() : 0;
  const int rank = cursor.U8() - 1;  // one more: the bytes of an element
  if (version == 3) layout.address = cursor.U64();
  const int width = version == 4 ? cursor.U8() : 4;
  for (int i = 0; i < rank; ++i) layout.chunk.push_back(cursor.Number(width));
  cursor.Number(width);
  if (version == 3) return;
  constexpr int kSingle = 1, kSizeFollows = 2;
  const int index = cursor.U8();
  layout.single_chunk = index == kSingle;
  if (index != kSingle) {
    layout.unreadable = absl::StrCat("is stored in chunks with an index of kind ", index,
                                     ", which is not read: write the file anew with `h5repack -l "
                                     "CONTI`");
    return;
  }
  if ((flags & kSizeFollows) != 0) {
    layout.size = cursor.U64();
    cursor.U32();  // filters that were left out
  }
  layout.address = cursor.U64();
}

}  // namespace

absl::StatusOr<Layout> ParseLayout(absl::string_view bytes) {
  ByteCursor cursor(bytes);
  const int version = cursor.U8();
  if (version != 3 && version != 4) return NotRead("the layout", version);
  Layout layout;
  switch (const int kind = cursor.U8()) {
    case 0:
      layout.compact = true;
      layout.size = cursor.U16();
      layout.inside = cursor.Take(layout.size);
      break;
    case 1:
      layout.address = cursor.U64();
      layout.size = cursor.U64();
      break;
    case 2:
      ParseChunks(version, cursor, layout);
      break;
    default:
      layout.unreadable = absl::StrCat(
          "has layout ", kind, ", which is not read: write the file anew with `h5repack -l CONTI`");
  }
  if (!cursor.ok()) return Cut("the layout");
  return layout;
}

absl::StatusOr<Link> ParseLink(absl::string_view bytes) {
  ByteCursor cursor(bytes);
  const int version = cursor.U8();
  if (version != 1) return NotRead("a link", version);
  const int flags = cursor.U8();
  const int kind = (flags & 8) != 0 ? cursor.U8() : 0;
  if ((flags & 4) != 0) cursor.Skip(8);   // order of creation
  if ((flags & 16) != 0) cursor.Skip(1);  // character set
  const uint64_t length = cursor.Number(1 << (flags & 3));
  Link link;
  link.name = std::string(cursor.Take(length));
  if (kind == 0) {
    link.address = cursor.U64();
  } else {
    link.unreadable = absl::StrCat("is a ", kind == 64 ? "link to another file" : "soft link",
                                   ", which is not followed");
  }
  if (!cursor.ok()) return Cut("a link");
  return link;
}

absl::StatusOr<AttributeMessage> ParseAttribute(absl::string_view bytes) {
  ByteCursor cursor(bytes);
  const int version = cursor.U8();
  if (version < 1 || version > 3) return NotRead("an attribute", version);
  const int flags = cursor.U8();
  const uint16_t name_size = cursor.U16();
  const uint16_t type_size = cursor.U16();
  const uint16_t space_size = cursor.U16();
  if (version == 3) cursor.Skip(1);  // character set of the name
  AttributeMessage attribute;
  attribute.name = Name(cursor.Take(name_size));
  const auto align = [&] {
    if (version == 1) cursor.Align();
  };
  align();
  const absl::string_view type = cursor.Take(type_size);
  align();
  const absl::string_view space = cursor.Take(space_size);
  align();
  if (!cursor.ok()) return Cut("an attribute");
  const std::string where = absl::StrCat("attribute ", attribute.name);
  if (version > 1 && (flags & 3) != 0) {
    return InvalidArgument(where, " shares its type, which is not read");
  }
  SEQ_ASSIGN_OR_RETURN(attribute.type, Annotate(ParseDatatype(type), where));
  SEQ_ASSIGN_OR_RETURN(attribute.space, Annotate(ParseDataspace(space), where));
  attribute.data = cursor.Take(cursor.left());
  return attribute;
}

}  // namespace seqgraph::hdf5
