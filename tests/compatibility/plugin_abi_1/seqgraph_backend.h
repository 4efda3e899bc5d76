#ifndef SEQGRAPH_BACKENDS_PLUGIN_SEQGRAPH_BACKEND_H_
#define SEQGRAPH_BACKENDS_PLUGIN_SEQGRAPH_BACKEND_H_

/*
 * The C interface of Seqgraph's backend plugins, version 1. C99 and C++; needs nothing else.
 *
 * A plugin is a shared library that exports one function, seqgraph_backend_entry, which the macro
 * SEQGRAPH_BACKEND below defines together with the negotiation of versions:
 *
 *   static int32_t fill(const sg_host* host, sg_backend* backend, sg_status* status) {
 *     backend->name = "mine";  ...  backend->claim = my_claim;  ...
 *     return SG_OK;
 *   }
 *   SEQGRAPH_BACKEND(fill)
 *
 * The host asks, for each function that it compiles:
 *
 *   claim(function, node)      yes, or no with a reason. A yes is a promise: the host prepares all
 *                              that was claimed at once, and holds the plugin to it.
 *   prepare(function, nodes)   -> a program: everything that is fixed before the first run
 *   node_info, private_storage what a program needs (optional)
 *   begin, run..., end         once for each call of the function; run computes one node
 *   destroy(program)
 *
 * Rules that hold everywhere:
 *   - Every struct begins with struct_size, the bytes that its maker knows. The one who receives a
 *     struct reads nothing beyond it. Structs only ever grow at their end; so an array of structs
 *     is an array of pointers.
 *   - Structs that a function fills are the host's, zeroed but for struct_size. No memory changes
 *     hands. What the host passes is valid during the call, unless said otherwise.
 *   - A function that can fail returns SG_OK or another code and then says why in `status`.
 *   - Nothing is thrown across this interface, and no call ends the process.
 *   - claim and prepare may be called by several threads at once. One program is used by one thread
 *     at a time, not always the same one.
 *   - A plugin is never unloaded.
 */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* The version of the interface that this header describes, and the oldest that a plugin built with
 * it still speaks. */
#define SG_ABI_VERSION 1u
#define SG_ABI_VERSION_MIN 1u
/* "seqgraph" in ASCII. */
#define SG_MAGIC UINT64_C(0x7365716772617068)
#define SG_ENTRY_NAME "seqgraph_backend_entry"

#define SG_STATUS_TEXT 1024
#define SG_CLAIM_TEXT 512
#define SG_CLAIM_TOGETHER 32
#define SG_IMPLEMENTATION_TEXT 256

/* ---- Types that cross ------------------------------------------------------------------------ */

/* Status codes, with the meanings that gRPC and Abseil give them. Any other number is an error. */
enum {
  SG_OK = 0,
  SG_CANCELLED = 1,
  SG_UNKNOWN = 2,
  SG_INVALID_ARGUMENT = 3,
  SG_DEADLINE_EXCEEDED = 4,
  SG_NOT_FOUND = 5,
  SG_ALREADY_EXISTS = 6,
  SG_PERMISSION_DENIED = 7,
  SG_RESOURCE_EXHAUSTED = 8,
  SG_FAILED_PRECONDITION = 9,
  SG_ABORTED = 10,
  SG_OUT_OF_RANGE = 11,
  SG_UNIMPLEMENTED = 12,
  SG_INTERNAL = 13,
  SG_UNAVAILABLE = 14,
  SG_DATA_LOSS = 15,
  SG_UNAUTHENTICATED = 16
};

/* Element types; the numbers are those of seqgraph.proto.DType. */
enum { SG_FLOAT32 = 1, SG_FLOAT64 = 2, SG_INT32 = 3, SG_INT64 = 4 };

/* What a claim says. */
enum {
  SG_CLAIMED = 0,
  SG_UNKNOWN_OP = 1,            /* the op, its version, or an attribute's name is not known */
  SG_UNSUPPORTED_TYPE = 2,      /* an element type */
  SG_UNSUPPORTED_SHAPE = 3,     /* extents or rank */
  SG_UNSUPPORTED_ATTRIBUTE = 4, /* an attribute's value */
  SG_NEEDS_OTHER_NODE = 5       /* only together with a node that is not there */
};

typedef struct sg_status {
  size_t struct_size;
  int32_t code;              /* what the function returned */
  char text[SG_STATUS_TEXT]; /* for people; ends with a zero */
} sg_status;

/* What the host says of itself. */
typedef struct sg_host {
  size_t struct_size;
  uint64_t magic;   /* SG_MAGIC */
  uint32_t abi_min; /* the versions of this interface that it speaks */
  uint32_t abi_max;
  const char* version; /* of the host program, for people */
} sg_host;

/* Name and type of a value of a function: an input, a variable, or an output of a node. */
typedef struct sg_value {
  size_t struct_size;
  const char* name; /* as in the serialized function */
  int32_t dtype;    /* SG_FLOAT32, ... */
  int32_t rank;
  const int64_t* dims; /* outermost first; all known */
} sg_value;

/* A function. The bytes are those that a model file would hold; types of what nodes compute are not
 * in them and come beside them. */
typedef struct sg_function {
  size_t struct_size;
  const uint8_t* bytes; /* a serialized seqgraph.proto.Function whose shapes are all static */
  size_t num_bytes;
  const sg_value* const* values; /* every value of the function */
  int32_t num_values;
  int32_t num_nodes;
} sg_function;

/* Filled by claim. */
typedef struct sg_claim {
  size_t struct_size;
  int32_t reason;           /* SG_CLAIMED, or why not */
  char text[SG_CLAIM_TEXT]; /* for people: what is missing */
  /* Other nodes (of a group that runs as one kernel, or the forward node of a gradient): the claim
   * holds only if they are assigned to this backend too. */
  int32_t num_together;
  int32_t together[SG_CLAIM_TOGETHER];
} sg_claim;

typedef struct sg_prepare_args {
  size_t struct_size;
  const sg_function* function; /* valid until the program is destroyed */
  const int32_t* nodes;        /* to be run here, ascending, all claimed */
  int32_t num_nodes;
  int32_t threads; /* to use in run, 1 or more */
  /* One for each value of the function: 1 if only these nodes compute and read it, so that its
   * storage may be private (see private_storage). */
  const uint8_t* may_be_private;
} sg_prepare_args;

/* Filled by prepare. */
typedef struct sg_program {
  size_t struct_size;
  void* handle;             /* the plugin's own; passed to whatever concerns this program */
  int64_t persistent_bytes; /* of memory that keeps its content from run to run */
} sg_program;

/* Filled by node_info. */
typedef struct sg_node_info {
  size_t struct_size;
  int64_t scratch_bytes; /* that run needs for this node; -1: it allocates itself, unknown */
  char implementation[SG_IMPLEMENTATION_TEXT]; /* for people: which kernel runs */
} sg_node_info;

/* An operand of a node. */
typedef struct sg_tensor {
  size_t struct_size;
  void* data;    /* 64-byte aligned; NULL: an input that is absent, an output that nobody uses */
  int64_t bytes; /* at data */
  /* Changes whenever the content of a variable does, so that packed copies do not go stale; 0 for
   * what is no variable. */
  uint64_t version;
  int32_t dtype;
  int32_t rank;
  const int64_t* dims;
} sg_tensor;

/* One run of one node. Addresses are the same in every run of a program; contents change. */
typedef struct sg_run_args {
  size_t struct_size;
  int32_t node; /* index into the function's nodes */
  int32_t num_inputs;
  const sg_tensor* const* inputs; /* one for each input of the op; not to be written */
  /* One for each output of the op. May be the memory of an input where the op allows it. */
  const sg_tensor* const* outputs;
  int32_t num_outputs;
  int32_t reserved;
  void* scratch;    /* 64-byte aligned, contents undefined, shared between nodes */
  void* persistent; /* page aligned, zero before the first run */
} sg_run_args;

/* The plugin's table. */
typedef struct sg_backend {
  size_t struct_size;
  uint64_t magic;       /* set by SEQGRAPH_BACKEND */
  uint32_t abi_version; /* set by SEQGRAPH_BACKEND: the version that is spoken from now on */
  uint32_t reserved;
  /* Required. Texts live as long as the plugin. */
  const char* name;        /* as --backend takes it: 1 to 64 of a-z 0-9 _ - . */
  const char* version;     /* of the plugin and of what it stands on */
  const char* description; /* one line */
  void* instance;          /* the plugin's own, may be NULL; passed to claim and prepare */
  int32_t (*claim)(void* instance, const sg_function* function, int32_t node, sg_claim* claim,
                   sg_status* status);
  int32_t (*prepare)(void* instance, const sg_prepare_args* args, sg_program* program,
                     sg_status* status);
  int32_t (*run)(void* program, const sg_run_args* args, sg_status* status);
  /* Optional: may be NULL. */
  void (*destroy)(void* program);
  int32_t (*begin)(void* program, sg_status* status);
  void (*end)(void* program); /* follows every begin that returned SG_OK */
  int32_t (*node_info)(void* program, int32_t node, sg_node_info* info, sg_status* status);
  /* For a value that may be private: the bytes of the layout in which this program stores it, or
   * -1 for the plain one. */
  int64_t (*private_storage)(void* program, int32_t value);
} sg_backend;

/* Size of a struct up to and with one of its members. */
#define SG_SIZE_THROUGH(type, member) (offsetof(type, member) + sizeof(((type*)0)->member))
/* What version 1 had; a smaller struct is damaged. */
#define SG_HOST_V1_SIZE SG_SIZE_THROUGH(sg_host, version)
#define SG_BACKEND_V1_SIZE SG_SIZE_THROUGH(sg_backend, private_storage)
#define SG_STATUS_V1_SIZE SG_SIZE_THROUGH(sg_status, text)

#if defined(__cplusplus)
#define SG_EXTERN_C extern "C"
#else
#define SG_EXTERN_C
#endif
#if defined(__GNUC__)
#define SG_EXPORT SG_EXTERN_C __attribute__((visibility("default")))
#define SG_PRINTF(text, args) __attribute__((format(printf, text, args)))
#else
#define SG_EXPORT SG_EXTERN_C
#define SG_PRINTF(text, args)
#endif

typedef int32_t (*sg_entry_function)(const sg_host* host, sg_backend* backend, sg_status* status);

/* ---- Help for plugins: nothing below crosses the interface ------------------------------------
 */

/* Writes code and text, and gives the code: return sg_fail(status, SG_INTERNAL, "..."). */
SG_PRINTF(3, 4)
static inline int32_t sg_fail(sg_status* status, int32_t code, const char* format, ...) {
  if (status != NULL && status->struct_size >= SG_STATUS_V1_SIZE) {
    va_list args;
    status->code = code;
    va_start(args, format);
    vsnprintf(status->text, sizeof(status->text), format, args);
    va_end(args);
  }
  return code;
}

/* The same for a claim. */
SG_PRINTF(3, 4)
static inline void sg_refuse(sg_claim* claim, int32_t reason, const char* format, ...) {
  va_list args;
  claim->reason = reason;
  va_start(args, format);
  vsnprintf(claim->text, sizeof(claim->text), format, args);
  va_end(args);
}

typedef int32_t (*sg_fill_function)(const sg_host* host, sg_backend* backend, sg_status* status);

/* What seqgraph_backend_entry does: agrees on a version, lets `fill` write the table of this
 * header's size, and gives the host as much of it as the host has room for. */
static inline int32_t sg_negotiate(const sg_host* host, sg_backend* out, sg_status* status,
                                   sg_fill_function fill) {
  sg_backend table;
  uint32_t version;
  int32_t code;
  size_t room;
  if (host == NULL || host->struct_size < SG_HOST_V1_SIZE || host->magic != SG_MAGIC ||
      out == NULL || out->struct_size < SG_BACKEND_V1_SIZE) {
    return sg_fail(status, SG_FAILED_PRECONDITION, "the caller is no Seqgraph host");
  }
  version = host->abi_max < SG_ABI_VERSION ? host->abi_max : SG_ABI_VERSION;
  if (version < SG_ABI_VERSION_MIN || version < host->abi_min) {
    return sg_fail(status, SG_FAILED_PRECONDITION,
                   "the plugin speaks versions %u to %u of the backend interface, the host %u to "
                   "%u: rebuild the plugin with the host's seqgraph_backend.h",
                   (unsigned)SG_ABI_VERSION_MIN, (unsigned)SG_ABI_VERSION, (unsigned)host->abi_min,
                   (unsigned)host->abi_max);
  }
  memset(&table, 0, sizeof(table));
  table.struct_size = sizeof(table);
  table.magic = SG_MAGIC;
  table.abi_version = version;
  code = fill(host, &table, status);
  if (code != SG_OK) return code;
  room = out->struct_size;
  memcpy(out, &table, room < sizeof(table) ? room : sizeof(table));
  return SG_OK;
}

/* Defines the exported function. */
#define SEQGRAPH_BACKEND(fill)                                                       \
  SG_EXPORT int32_t seqgraph_backend_entry(const sg_host* host, sg_backend* backend, \
                                           sg_status* status);                       \
  SG_EXPORT int32_t seqgraph_backend_entry(const sg_host* host, sg_backend* backend, \
                                           sg_status* status) {                      \
    return sg_negotiate(host, backend, status, fill);                                \
  }

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
  uint32_t wire; /* 0 varint, 1 64-bit, 2 length-delimited, 5 32-bit */
  uint64_t number;
  sg_string bytes;
} sg_field;

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
    case 0:
      return sg_read_varint(reader, &field->number) ? 1 : -1;
    case 1:
    case 5:
      width = field->wire == 1 ? 8 : 4;
      if (reader->end - reader->at < width) return -1;
      for (i = 0; i < width; ++i) field->number |= (uint64_t)reader->at[i] << (8 * i);
      reader->at += width;
      return 1;
    case 2:
      if (!sg_read_varint(reader, &size) || size > (uint64_t)(reader->end - reader->at)) return -1;
      field->bytes.data = (const char*)reader->at;
      field->bytes.size = (size_t)size;
      reader->at += size;
      return 1;
    default:
      return -1;
  }
}

static inline sg_reader sg_read(sg_string message) {
  sg_reader reader;
  reader.at = (const uint8_t*)message.data;
  reader.end = reader.at + message.size;
  return reader;
}

/* A node of a function. */
typedef struct sg_node {
  sg_string name, op;
  int32_t op_version;
  sg_string message; /* the serialized seqgraph.proto.Node */
} sg_node;

/* Kinds of attributes; the numbers are the fields of seqgraph.proto.Attribute. */
enum {
  SG_ATTRIBUTE_INT = 4,
  SG_ATTRIBUTE_FLOAT = 5,
  SG_ATTRIBUTE_BOOL = 6,
  SG_ATTRIBUTE_STRING = 7,
  SG_ATTRIBUTE_INTS = 8, /* see sg_next_int */
  SG_ATTRIBUTE_DTYPE = 9
};

typedef struct sg_attribute {
  sg_string name;
  int32_t kind;
  int64_t int_value; /* also of bool and dtype */
  double float_value;
  sg_string string_value;
  sg_reader ints;
} sg_attribute;

/* The node with that index; 0 if the bytes are damaged, hold what this header does not know, or
 * have no such node. */
static inline int sg_get_node(const sg_function* function, int32_t index, sg_node* node) {
  sg_string bytes;
  sg_reader reader;
  sg_field field;
  int32_t seen = 0;
  int more;
  bytes.data = (const char*)function->bytes;
  bytes.size = function->num_bytes;
  reader = sg_read(bytes);
  memset(node, 0, sizeof(*node));
  while ((more = sg_next_field(&reader, &field)) > 0) {
    if (field.wire != 2 || (field.tag != 1 && field.tag != 4 && field.tag != 7 && field.tag != 10 &&
                            field.tag != 13 && field.tag != 16)) {
      return 0;
    }
    if (field.tag == 10 && seen++ == index) node->message = field.bytes;
  }
  if (more < 0 || index < 0 || index >= seen) return 0;
  reader = sg_read(node->message);
  while ((more = sg_next_field(&reader, &field)) > 0) {
    const int is_text = field.wire == 2;
    if (field.tag == 1 && is_text) {
      node->name = field.bytes;
    } else if (field.tag == 4 && is_text) {
      node->op = field.bytes;
    } else if (field.tag == 7 && field.wire == 0) {
      node->op_version = (int32_t)field.number;
    } else if ((field.tag != 10 && field.tag != 13 && field.tag != 16) || !is_text) {
      return 0;
    }
  }
  return more == 0;
}

/* The i-th of a node's repeated fields; 0 if it has fewer. */
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

/* The value with that name; NULL if there is none. `index`, unless NULL, becomes its index. */
static inline const sg_value* sg_find_value(const sg_function* function, sg_string name,
                                            int32_t* index) {
  int32_t i;
  for (i = 0; i < function->num_values; ++i) {
    if (sg_equal(name, function->values[i]->name)) {
      if (index != NULL) *index = i;
      return function->values[i];
    }
  }
  return NULL;
}

/* What input i of the node reads, or its output i; NULL if it is absent. */
static inline const sg_value* sg_node_input(const sg_function* function, const sg_node* node,
                                            int32_t i) {
  sg_string name;
  if (!sg_node_field(node, 13, i, &name) || name.size == 0) return NULL;
  return sg_find_value(function, name, NULL);
}

static inline const sg_value* sg_node_output(const sg_function* function, const sg_node* node,
                                             int32_t i) {
  sg_string name;
  if (!sg_node_field(node, 16, i, &name) || name.size == 0) return NULL;
  return sg_find_value(function, name, NULL);
}

/* The next of an attribute's integers: 1, or 0 at the end. */
static inline int sg_next_int(sg_reader* ints, int64_t* value) {
  uint64_t number;
  if (ints->at == ints->end || !sg_read_varint(ints, &number)) return 0;
  *value = (int64_t)number;
  return 1;
}

/* Reads a serialized seqgraph.proto.Attribute; 0 if it is damaged or holds what this header does
 * not know. */
static inline int sg_parse_attribute(sg_string message, sg_attribute* attribute) {
  sg_reader reader = sg_read(message), list;
  sg_field field, element;
  int more;
  memset(attribute, 0, sizeof(*attribute));
  while ((more = sg_next_field(&reader, &field)) > 0) {
    const uint32_t text = SG_ATTRIBUTE_STRING;
    if (field.tag == 1 && field.wire == 2) {
      attribute->name = field.bytes;
      continue;
    }
    if (field.tag < 4 || field.tag > 9) return 0;
    if (field.wire != (field.tag == SG_ATTRIBUTE_FLOAT                       ? 1u
                       : field.tag == text || field.tag == SG_ATTRIBUTE_INTS ? 2u
                                                                             : 0u)) {
      return 0;
    }
    attribute->kind = (int32_t)field.tag;
    attribute->int_value = (int64_t)field.number;
    attribute->string_value = field.bytes;
    memcpy(&attribute->float_value, &field.number, sizeof(double));
    if (field.tag != SG_ATTRIBUTE_INTS) continue;
    list = sg_read(field.bytes);
    while ((more = sg_next_field(&list, &element)) > 0) {
      /* The host writes the numbers packed, in one field. */
      if (element.tag != 1 || element.wire != 2 || attribute->ints.at != NULL) return 0;
      attribute->ints = sg_read(element.bytes);
    }
    if (more < 0) return 0;
  }
  return more == 0 && attribute->name.size > 0 && attribute->kind != 0;
}

/* The attribute of that name; 0 if there is none. */
static inline int sg_find_attribute(const sg_node* node, const char* name,
                                    sg_attribute* attribute) {
  sg_string message;
  int32_t i;
  for (i = 0; sg_node_field(node, 10, i, &message); ++i) {
    if (sg_parse_attribute(message, attribute) && sg_equal(attribute->name, name)) return 1;
  }
  return 0;
}

/* An op that a plugin implements: its version, and the names of all attributes that it heeds. */
typedef struct sg_supported_op {
  const char* op;
  int32_t version;
  const char* attributes[8]; /* up to the first NULL */
} sg_supported_op;

/* Begins every claim: finds the node's op in the plugin's list, and refuses the node if the op, its
 * version, or one of its attributes is not there. What a newer host may say about a node is
 * refused so, and not overlooked. Gives the index into the list, with `node` filled in, or -1 with
 * the claim refused. */
static inline int sg_check_node(const sg_function* function, int32_t index,
                                const sg_supported_op* ops, int num_ops, sg_node* node,
                                sg_claim* claim) {
  sg_string message;
  sg_attribute attribute;
  int op, a;
  int32_t i;
  if (!sg_get_node(function, index, node)) {
    sg_refuse(claim, SG_UNKNOWN_OP, "node %d is written in a way that this plugin cannot read",
              (int)index);
    return -1;
  }
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
  for (i = 0; sg_node_field(node, 10, i, &message); ++i) {
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

#endif /* SEQGRAPH_BACKENDS_PLUGIN_SEQGRAPH_BACKEND_H_ */
