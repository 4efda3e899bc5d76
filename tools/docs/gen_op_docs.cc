// Writes the reference page of all ops to the file given, or to standard output.

#include <cstdio>
#include <fstream>
#include <iostream>

#include "ops/all_ops.h"
#include "tools/docs/op_docs.h"

int main(int argc, char** argv) {
  if (argc > 2) {
    std::fprintf(stderr, "usage: gen_op_docs [FILE]\n");
    return 2;
  }
  const std::string docs = seqgraph::OpDocs(seqgraph::AllOps());
  if (argc == 1) {
    std::cout << docs << std::flush;
    return std::cout ? 0 : 1;
  }
  std::ofstream file(argv[1], std::ios::binary);
  file << docs << std::flush;
  if (!file) {
    std::fprintf(stderr, "gen_op_docs: cannot write %s\n", argv[1]);
    return 1;
  }
  return 0;
}
