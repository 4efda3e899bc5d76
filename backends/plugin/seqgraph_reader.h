#ifndef SEQGRAPH_BACKENDS_PLUGIN_SEQGRAPH_READER_H_
#define SEQGRAPH_BACKENDS_PLUGIN_SEQGRAPH_READER_H_

/*
 * Reads the bytes of an sg_function: nodes, their operands and attributes. For plugins, which get
 * it with seqgraph_backend.h, and for the host, so that the bytes have one reader. C99 and C++;
 * allocates nothing, and everything that it gives points into the bytes. What it does not know it
 * refuses, because that is what a newer host has to say.
 */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "seqgraph_backend.h"

/* ---- Protobuf's wire format ------------------------------------------------------------------ */

/* A piece of the function's bytes; not zero-terminated. */
typedef struct sg_string {
  const char* data;
  size_t size;
} sg_string;

static inline int sg_equal(sg_string a, const char* b) {
  return a.size == strlen(b) && (a.size == 0 || memcmp(a.data, b, a.size) == 0);
}

/* A cursor over a message in protobuf's wire format. */
typedef struct sg_reader {
  const uint8_t* at;
  const uint8_t* end;
} sg_reader;

/* A field: `number` in varints and fixed numbers, `bytes` in those with a length. */
typedef struct sg_field {
  uint32_t tag;  /* the field's number */
  uint32_t wire; /* one of the following */
  uint64_t number;
  sg_string bytes;
} sg_field;

enum { SG_WIRE_VARINT = 0, SG_WIRE_64_BIT = 1, SG_WIRE_BYTES = 2, SG_WIRE_32_BIT = 5 };

static inline sg_reader sg_read(sg_string message) {
  sg_reader reader;
  reader.at = (const uint8_t*)message.data;
  reader.end = reader.at + message.size;
  return reader;
}

static inline int sg_read_varint(sg_reader* reader, uint64_t* value) {
  int shift;
  *value = 0;
  for (shift = 0; shift < 70 && reader->at < reader->end; shift += 7) {
    const uint8_t byte = *reader->at++;
    if (shift == 63 && byte > 1) return 0;
    *value |= (uint64_t)(byte & 0x7f) << (shift & 63);
    if (byte < 0x80) return 1;
  }
  return 0;
}

/* 1: a field was read; 0: the message has ended; -1: it is damaged. */
static inline int sg_next_field(sg_reader* reader, sg_field* field) {
  uint64_t key, size;
  int i, width;
  if (reader->at == reader->end) return 0;
  memset(field, 0, sizeof(*field));
  if (!sg_read_varint(reader, &key) || (key >> 3) == 0 || (key >> 3) > 0x1fffffff) return -1;
  field->tag = (uint32_t)(key >> 3);
  field->wire = (uint32_t)(key & 7);
  switch (field->wire) {
    case SG_WIRE_VARINT:
      return sg_read_varint(reader, &field->number) ? 1 : -1;
    case SG_WIRE_64_BIT:
    case SG_WIRE_32_BIT:
      width = field->wire == SG_WIRE_64_BIT ? 8 : 4;
      if (reader->end - reader->at < width) return -1;
      for (i = 0; i < width; ++i) field->number |= (uint64_t)reader->at[i] << (8 * i);
      reader->at += width;
      return 1;
    case SG_WIRE_BYTES:
      if (!sg_read_varint(reader, &size) || size > (uint64_t)(reader->end - reader->at)) return -1;
      field->bytes.data = (const char*)reader->at;
      field->bytes.size = (size_t)size;
      reader->at += size;
      return 1;
    default:
      return -1;
  }
}

/* The next of a list of packed integers: 1, or 0 at the end. */
static inline int sg_next_int(sg_reader* ints, int64_t* value) {
  uint64_t number;
  if (ints->at == ints->end || !sg_read_varint(ints, &number)) return 0;
  *value = (int64_t)number;
  return 1;
}

/* ---- Functions and nodes --------------------------------------------------------------------- */

/* Fields of seqgraph.proto.Function and of seqgraph.proto.Node. */
enum {
  SG_FUNCTION_NAME = 1,
  SG_FUNCTION_INPUT = 4,
  SG_FUNCTION_VARIABLE = 7,
  SG_FUNCTION_NODE = 10,
  SG_FUNCTION_RESULT = 13,
  SG_FUNCTION_UPDATE = 16
};
enum {
  SG_NODE_NAME = 1,
  SG_NODE_OP = 4,
  SG_NODE_OP_VERSION = 7,
  SG_NODE_ATTRIBUTE = 10,
  SG_NODE_INPUT = 13,
  SG_NODE_OUTPUT = 16
};

/* A node of a function. */
typedef struct sg_node {
  sg_string name, op;
  int32_t op_version;
  sg_string message; /* the serialized seqgraph.proto.Node */
} sg_node;

/* Reads a serialized seqgraph.proto.Node; 0 if it is damaged or holds what this header does not
 * know. */
static inline int sg_parse_node(sg_string message, sg_node* node) {
  sg_reader reader = sg_read(message);
  sg_field field;
  int more;
  memset(node, 0, sizeof(*node));
  node->message = message;
  while ((more = sg_next_field(&reader, &field)) > 0) {
    const int is_bytes = field.wire == SG_WIRE_BYTES;
    if (field.tag == SG_NODE_NAME && is_bytes) {
      node->name = field.bytes;
    } else if (field.tag == SG_NODE_OP && is_bytes) {
      node->op = field.bytes;
    } else if (field.tag == SG_NODE_OP_VERSION && field.wire == SG_WIRE_VARINT) {
      node->op_version = (int32_t)field.number;
    } else if (!is_bytes || (field.tag != SG_NODE_ATTRIBUTE && field.tag != SG_NODE_INPUT &&
                             field.tag != SG_NODE_OUTPUT)) {
      return 0;
    }
  }
  return more == 0;
}

/* A cursor before the first node of a function. */
static inline sg_reader sg_read_nodes(const sg_function* function) {
  sg_string bytes;
  bytes.data = (const char*)function->bytes;
  bytes.size = function->num_bytes;
  return sg_read(bytes);
}

/* The bytes of the next node: 1; 0: there is none any more; -1: the bytes are damaged or hold what
 * this header does not know. */
static inline int sg_next_node_bytes(sg_reader* nodes, sg_string* message) {
  sg_field field;
  int more;
  while ((more = sg_next_field(nodes, &field)) > 0) {
    if (field.wire != SG_WIRE_BYTES ||
        (field.tag != SG_FUNCTION_NAME && field.tag != SG_FUNCTION_INPUT &&
         field.tag != SG_FUNCTION_VARIABLE && field.tag != SG_FUNCTION_NODE &&
         field.tag != SG_FUNCTION_RESULT && field.tag != SG_FUNCTION_UPDATE)) {
      return -1;
    }
    if (field.tag != SG_FUNCTION_NODE) continue;
    *message = field.bytes;
    return 1;
  }
  return more;
}

/* The node with that index; 0 if there is none or something of the function cannot be read. Looks
 * at all nodes: whoever wants all of them takes one after the other with sg_next_node_bytes. */
static inline int sg_get_node(const sg_function* function, int32_t index, sg_node* node) {
  sg_reader nodes = sg_read_nodes(function);
  sg_string message, found = {NULL, 0};
  int32_t seen = 0;
  int more;
  memset(node, 0, sizeof(*node));
  while ((more = sg_next_node_bytes(&nodes, &message)) > 0) {
    if (seen++ == index) found = message;
  }
  return more == 0 && index >= 0 && index < seen && sg_parse_node(found, node);
}

/* The i-th of a node's repeated fields (SG_NODE_INPUT, ...); 0 if it has fewer. */
static inline int sg_node_field(const sg_node* node, uint32_t tag, int32_t i, sg_string* bytes) {
  sg_reader reader = sg_read(node->message);
  sg_field field;
  while (sg_next_field(&reader, &field) > 0) {
    if (field.tag == tag && i-- == 0) {
      *bytes = field.bytes;
      return 1;
    }
  }
  return 0;
}

/* What strcmp would say of a name in the bytes and one with a zero at its end. */
static inline int sg_compare(sg_string a, const char* b) {
  const int order = strncmp(a.data, b, a.size);
  return order != 0 || b[a.size] == '\0' ? order : -1;
}

/* The value with that name; NULL if there is none. `index`, unless NULL, becomes its index. */
static inline const sg_value* sg_find_value(const sg_function* function, sg_string name,
                                            int32_t* index) {
  const int is_sorted = function->struct_size >= SG_SIZE_THROUGH(sg_function, values_by_name) &&
                        function->values_by_name != NULL;
  int32_t low = 0, high = function->num_values;
  if (name.size == 0 || memchr(name.data, '\0', name.size) != NULL) return NULL;
  while (low < high) {
    /* Names that are not sorted (version 1) are looked at one by one. */
    const int32_t at = is_sorted ? low + (high - low) / 2 : low;
    const int32_t value = is_sorted ? function->values_by_name[at] : at;
    const int order = sg_compare(name, function->values[value]->name);
    if (order == 0) {
      if (index != NULL) *index = value;
      return function->values[value];
    }
    if (is_sorted && order < 0) {
      high = at;
    } else {
      low = at + 1;
    }
  }
  return NULL;
}

/* What input i of the node reads, or its output i; NULL if it is absent. */
static inline const sg_value* sg_node_input(const sg_function* function, const sg_node* node,
                                            int32_t i) {
  sg_string name;
  return sg_node_field(node, SG_NODE_INPUT, i, &name) ? sg_find_value(function, name, NULL) : NULL;
}

static inline const sg_value* sg_node_output(const sg_function* function, const sg_node* node,
                                             int32_t i) {
  sg_string name;
  return sg_node_field(node, SG_NODE_OUTPUT, i, &name) ? sg_find_value(function, name, NULL) : NULL;
}

/* ---- Attributes ------------------------------------------------------------------------------ */

/* Kinds of attributes; the numbers are the fields of seqgraph.proto.Attribute. */
enum {
  SG_ATTRIBUTE_NAME = 1,
  SG_ATTRIBUTE_INT = 4,
  SG_ATTRIBUTE_FLOAT = 5,
  SG_ATTRIBUTE_BOOL = 6,
  SG_ATTRIBUTE_STRING = 7,
  SG_ATTRIBUTE_INTS = 8, /* see sg_next_int */
  SG_ATTRIBUTE_DTYPE = 9,
  SG_ATTRIBUTE_TENSOR = 10
};

typedef struct sg_attribute {
  sg_string name;
  int32_t kind;
  int64_t int_value; /* also of bool, dtype, and a tensor's element type */
  double float_value;
  sg_string string_value;
  sg_reader ints; /* also a tensor's extents, outermost first */
  /* A tensor's elements: row-major, little-endian, not aligned. That they are as many as the
   * extents say is not checked. */
  sg_string content;
} sg_attribute;

/* The integers of a serialized Attribute.Ints (`tag` 1) or the type of a Tensor (`tag` 4, with the
 * element type in field 1); 0 if it holds anything else. The host writes the numbers packed, in one
 * field. */
static inline int sg_parse_ints(sg_string message, uint32_t tag, sg_attribute* attribute) {
  sg_reader reader = sg_read(message);
  sg_field field;
  int more;
  while ((more = sg_next_field(&reader, &field)) > 0) {
    if (field.tag == tag && field.wire == SG_WIRE_BYTES && attribute->ints.at == NULL) {
      attribute->ints = sg_read(field.bytes);
    } else if (field.tag == 1 && tag != 1 && field.wire == SG_WIRE_VARINT) {
      attribute->int_value = (int64_t)field.number;
    } else {
      return 0;
    }
  }
  return more == 0;
}

/* A serialized Tensor: its type (field 1) and its elements as bytes (field 4). */
static inline int sg_parse_tensor(sg_string message, sg_attribute* attribute) {
  sg_reader reader = sg_read(message);
  sg_field field;
  int more;
  while ((more = sg_next_field(&reader, &field)) > 0) {
    if (field.wire != SG_WIRE_BYTES) return 0;
    if (field.tag == 1 && attribute->int_value == 0) {
      if (!sg_parse_ints(field.bytes, 4, attribute)) return 0;
    } else if (field.tag == 4) {
      attribute->content = field.bytes;
    } else {
      return 0;
    }
  }
  return more == 0;
}

/* Reads a serialized seqgraph.proto.Attribute; 0 if it is damaged or holds what this header does
 * not know. */
static inline int sg_parse_attribute(sg_string message, sg_attribute* attribute) {
  sg_reader reader = sg_read(message);
  sg_field field;
  int more;
  memset(attribute, 0, sizeof(*attribute));
  while ((more = sg_next_field(&reader, &field)) > 0) {
    uint32_t wire = SG_WIRE_VARINT;
    switch (field.tag) {
      case SG_ATTRIBUTE_NAME:
      case SG_ATTRIBUTE_STRING:
      case SG_ATTRIBUTE_INTS:
      case SG_ATTRIBUTE_TENSOR:
        wire = SG_WIRE_BYTES;
        break;
      case SG_ATTRIBUTE_FLOAT:
        wire = SG_WIRE_64_BIT;
        break;
      case SG_ATTRIBUTE_INT:
      case SG_ATTRIBUTE_BOOL:
      case SG_ATTRIBUTE_DTYPE:
        break;
      default:
        return 0;
    }
    if (field.wire != wire) return 0;
    if (field.tag == SG_ATTRIBUTE_NAME) {
      attribute->name = field.bytes;
      continue;
    }
    attribute->kind = (int32_t)field.tag;
    attribute->int_value = (int64_t)field.number;
    attribute->string_value = field.bytes;
    memcpy(&attribute->float_value, &field.number, sizeof(double));
    if (field.tag == SG_ATTRIBUTE_INTS && !sg_parse_ints(field.bytes, 1, attribute)) return 0;
    if (field.tag == SG_ATTRIBUTE_TENSOR && !sg_parse_tensor(field.bytes, attribute)) return 0;
  }
  return more == 0 && attribute->name.size > 0 && attribute->kind != 0;
}

/* The attribute of that name; 0 if there is none. */
static inline int sg_find_attribute(const sg_node* node, const char* name,
                                    sg_attribute* attribute) {
  sg_string message;
  int32_t i;
  for (i = 0; sg_node_field(node, SG_NODE_ATTRIBUTE, i, &message); ++i) {
    if (sg_parse_attribute(message, attribute) && sg_equal(attribute->name, name)) return 1;
  }
  return 0;
}

/* ---- Claims ---------------------------------------------------------------------------------- */

/* An op that a plugin implements: its version, and the names of all attributes that it heeds. */
typedef struct sg_supported_op {
  const char* op;
  int32_t version;
  const char* attributes[8]; /* up to the first NULL */
} sg_supported_op;

/* Begins every claim: finds the node's op in the plugin's list, and refuses the node if the op, its
 * version, or one of its attributes is not there. What a newer host may say about a node is
 * refused so, and not overlooked. Gives the index into the list, or -1 with the claim refused. */
static inline int sg_check_op(const sg_node* node, const sg_supported_op* ops, int num_ops,
                              sg_claim* claim) {
  sg_string message;
  sg_attribute attribute;
  int op, a;
  int32_t i;
  for (op = 0; op < num_ops && !sg_equal(node->op, ops[op].op); ++op) {
  }
  if (op == num_ops) {
    sg_refuse(claim, SG_UNKNOWN_OP, "op %.*s is not implemented", (int)node->op.size,
              node->op.data);
    return -1;
  }
  if (node->op_version != ops[op].version) {
    sg_refuse(claim, SG_UNKNOWN_OP, "op %s has version %d here; implemented is version %d",
              ops[op].op, (int)node->op_version, (int)ops[op].version);
    return -1;
  }
  for (i = 0; sg_node_field(node, SG_NODE_ATTRIBUTE, i, &message); ++i) {
    const int readable = sg_parse_attribute(message, &attribute);
    for (a = 0; readable && a < 8 && ops[op].attributes[a] != NULL; ++a) {
      if (sg_equal(attribute.name, ops[op].attributes[a])) break;
    }
    if (!readable || a == 8 || ops[op].attributes[a] == NULL) {
      sg_refuse(claim, SG_UNKNOWN_OP, "op %s has an attribute %.*s, which is not implemented",
                ops[op].op, (int)attribute.name.size, attribute.name.data);
      return -1;
    }
  }
  return op;
}

/* For a node that cannot be read at all. */
static inline void sg_refuse_unreadable(sg_claim* claim, int32_t index) {
  sg_refuse(claim, SG_UNKNOWN_OP, "node %d is written in a way that this plugin cannot read",
            (int)index);
}

/* sg_get_node and sg_check_op: for `claim`, which is asked for one node. */
static inline int sg_check_node(const sg_function* function, int32_t index,
                                const sg_supported_op* ops, int num_ops, sg_node* node,
                                sg_claim* claim) {
  if (sg_get_node(function, index, node)) return sg_check_op(node, ops, num_ops, claim);
  sg_refuse_unreadable(claim, index);
  return -1;
}

/* What a plugin says of one node in sg_claim_each. The claim says yes until it is refused. */
typedef void (*sg_node_claimer)(void* context, const sg_function* function, int32_t index,
                                const sg_node* node, sg_claim* claim);

/* The body of a claim_function that looks at one node after the other: reads each of them once. */
static inline void sg_claim_each(const sg_function* function, sg_function_claim* claim,
                                 sg_node_claimer claimer, void* context) {
  sg_reader nodes = sg_read_nodes(function);
  sg_string message;
  sg_node node;
  int32_t i;
  int more = 1;
  for (i = 0; i < claim->num_nodes; ++i) {
    if (more > 0) more = sg_next_node_bytes(&nodes, &message);
    if (more > 0 && sg_parse_node(message, &node)) {
      claimer(context, function, i, &node, claim->nodes[i]);
    } else {
      sg_refuse_unreadable(claim->nodes[i], i);
    }
  }
  /* What cannot be read behind the last node may concern any of them. */
  if (more > 0) more = sg_next_node_bytes(&nodes, &message);
  for (i = 0; more != 0 && i < claim->num_nodes; ++i) sg_refuse_unreadable(claim->nodes[i], i);
}

#endif /* SEQGRAPH_BACKENDS_PLUGIN_SEQGRAPH_READER_H_ */
