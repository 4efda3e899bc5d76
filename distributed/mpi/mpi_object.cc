// The shared object libseqgraph_mpi.so: mpi_table.h over an MPI of version 3 or later.

#include <mpi.h>

#include <algorithm>
#include <climits>
#include <cstring>

#include "distributed/mpi/mpi_table.h"

namespace {

static_assert(sizeof(MPI_Request) <= sizeof(uint64_t));
static_assert(kSeqgraphMpiText >= MPI_MAX_ERROR_STRING);

// Apart from what others in this process might send.
MPI_Comm all = MPI_COMM_NULL;
int own_rank = 0, ranks = 1;

MPI_Request RequestOf(const SeqgraphMpiRequest& request) {
  MPI_Request own;
  std::memcpy(&own, &request.handle, sizeof(own));
  return own;
}

void Keep(MPI_Request own, SeqgraphMpiRequest* request) {
  request->handle = 0;
  std::memcpy(&request->handle, &own, sizeof(own));
}

const char* Library() {
  static char text[MPI_MAX_LIBRARY_VERSION_STRING] = {};
  int length = 0;
  if (text[0] == 0) MPI_Get_library_version(text, &length);
  for (char* c = text; *c != 0; ++c) {
    // Open MPI goes on behind a comma with who built it, MPICH on further lines.
    if (*c == ',' || *c == '\n') *c = 0;
    if (*c == '\t') *c = ' ';
  }
  return text;
}

void Text(int error, char* buffer) {
  int length = 0;
  if (MPI_Error_string(error, buffer, &length) != MPI_SUCCESS) length = 0;
  buffer[length] = 0;
}

int Init() {
  int level = 0;
  int error = MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &level);
  if (error == MPI_SUCCESS) error = MPI_Comm_dup(MPI_COMM_WORLD, &all);
  if (error == MPI_SUCCESS) error = MPI_Comm_set_errhandler(all, MPI_ERRORS_RETURN);
  if (error == MPI_SUCCESS) error = MPI_Comm_rank(all, &own_rank);
  if (error == MPI_SUCCESS) error = MPI_Comm_size(all, &ranks);
  return error;
}

int Finalize() { return MPI_Finalize(); }
int Rank() { return own_rank; }
int Size() { return ranks; }

// A type of which one element has so many bytes, where MPI's int does not count them: whole GiB,
// and what is left.
int LongType(int64_t count, MPI_Datatype* type) {
  constexpr int kUnit = 1 << 30;
  MPI_Datatype unit = MPI_DATATYPE_NULL;
  int error = MPI_Type_contiguous(kUnit, MPI_BYTE, &unit);
  if (error != MPI_SUCCESS) return error;
  int lengths[2] = {static_cast<int>(count / kUnit), static_cast<int>(count % kUnit)};
  MPI_Aint places[2] = {0, static_cast<MPI_Aint>(count / kUnit) * kUnit};
  MPI_Datatype types[2] = {unit, MPI_BYTE};
  error = MPI_Type_create_struct(2, lengths, places, types, type);
  if (error == MPI_SUCCESS) error = MPI_Type_commit(type);
  MPI_Type_free(&unit);
  return error;
}

// Calls `begin` with how many elements of which type the message has.
template <typename Begin>
int WithType(int64_t count, SeqgraphMpiRequest* request, const Begin& begin) {
  MPI_Request own = MPI_REQUEST_NULL;
  int error = MPI_SUCCESS;
  if (count <= INT_MAX) {
    error = begin(static_cast<int>(count), MPI_BYTE, &own);
  } else {
    MPI_Datatype type = MPI_DATATYPE_NULL;
    error = LongType(count, &type);
    if (error == MPI_SUCCESS) {
      error = begin(1, type, &own);
      MPI_Type_free(&type);  // once the message is done
    }
  }
  Keep(own, request);
  return error;
}

int Send(const void* bytes, int64_t count, int to, int tag, SeqgraphMpiRequest* request) {
  return WithType(count, request, [&](int elements, MPI_Datatype type, MPI_Request* own) {
    return MPI_Isend(bytes, elements, type, to, tag, all, own);
  });
}

int Receive(void* bytes, int64_t count, int from, int tag, SeqgraphMpiRequest* request) {
  return WithType(count, request, [&](int elements, MPI_Datatype type, MPI_Request* own) {
    return MPI_Irecv(bytes, elements, type, from, tag, all, own);
  });
}

void Describe(const MPI_Status& status, SeqgraphMpiMessage* message) {
  MPI_Count bytes = MPI_UNDEFINED;
  MPI_Get_elements_x(&status, MPI_BYTE, &bytes);
  *message = {status.MPI_SOURCE, bytes == MPI_UNDEFINED ? -1 : static_cast<int64_t>(bytes), false};
}

int Test(SeqgraphMpiRequest* request, bool* done, SeqgraphMpiMessage* message) {
  MPI_Request own = RequestOf(*request);
  MPI_Status status = {};
  int flag = 0;
  int error = MPI_Test(&own, &flag, &status);
  Keep(own, request);
  *done = flag != 0 || error != MPI_SUCCESS;
  if (!*done) return MPI_SUCCESS;
  Describe(status, message);
  int kind = error;
  if (error != MPI_SUCCESS) MPI_Error_class(error, &kind);
  if (kind != MPI_ERR_TRUNCATE) return error;
  message->truncated = true;
  return MPI_SUCCESS;
}

int Probe(int from, int tag, bool* waits, SeqgraphMpiMessage* message) {
  MPI_Status status = {};
  int flag = 0;
  const int error = MPI_Iprobe(from < 0 ? MPI_ANY_SOURCE : from, tag, all, &flag, &status);
  *waits = flag != 0;
  if (*waits) Describe(status, message);
  return error;
}

constexpr SeqgraphMpiTable kTable = {
    kSeqgraphMpiVersion, Library, Text, Init, Finalize, Rank, Size, Send, Receive, Test, Probe};

}  // namespace

extern "C" __attribute__((visibility("default"))) const SeqgraphMpiTable* seqgraph_mpi_table() {
  return &kTable;
}
