#pragma once

// What Seqgraph asks of MPI, as C functions: the shared object libseqgraph_mpi.so exports one
// function that gives this table, and is the only thing that knows mpi.h. So one program runs with
// and without MPI, and a shared object that is built again serves another MPI.

#include <cstdint>

extern "C" {

/// MPI's request, whatever type it has there.
struct SeqgraphMpiRequest {
  uint64_t handle;
};

/// What came, or waits to be received. `bytes` is -1 where MPI cannot say.
struct SeqgraphMpiMessage {
  int from;
  int64_t bytes;
  bool truncated;  ///< it is longer than the memory for it
};

/// Every function that returns int returns 0, or MPI's error, which `text` explains. All are to be
/// called from the thread that called `init`.
struct SeqgraphMpiTable {
  int version;  ///< kSeqgraphMpiVersion of whoever built the shared object

  /// The name and version of the MPI library, on one line.
  const char* (*library)();
  /// `buffer` has at least kSeqgraphMpiText bytes.
  void (*text)(int error, char* buffer);

  int (*init)();
  /// Waits for all other ranks to call it.
  int (*finalize)();

  int (*rank)();
  int (*size)();

  /// Begin. A message may have more than 2^31 bytes.
  int (*send)(const void* bytes, int64_t count, int to, int tag, SeqgraphMpiRequest* request);
  int (*receive)(void* bytes, int64_t count, int from, int tag, SeqgraphMpiRequest* request);
  /// Whether it is done; `message` is of a receive that is. A message that is too long is no error
  /// here, but `truncated`.
  int (*test)(SeqgraphMpiRequest* request, bool* done, SeqgraphMpiMessage* message);
  /// Whether somebody (`from` < 0) or that rank has sent what nobody receives yet.
  int (*probe)(int from, int tag, bool* waits, SeqgraphMpiMessage* message);
};

/// The one symbol.
const SeqgraphMpiTable* seqgraph_mpi_table();
}

constexpr int kSeqgraphMpiVersion = 1;
constexpr int kSeqgraphMpiText = 4096;
