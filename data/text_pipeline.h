#pragma once

// Reviews read by one thread and worked on by several.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "data/text_source.h"

namespace seqgraph::data {

/// Some reviews in the order of delivery, with copies of their bytes.
class TextBatch {
 public:
  /// The batches of one run count from 0.
  int64_t number() const { return number_; }
  size_t size() const { return items_.size(); }
  /// Of names, texts and folders.
  size_t bytes() const { return bytes_.size(); }

  /// Views into this batch. `i` must lie in [0, size()).
  LabelledText operator[](size_t i) const;

  void Clear(int64_t number);
  void Add(const LabelledText& review);

 private:
  struct Item {
    Split split;
    int label;
    size_t begin;  // Of the name in bytes_; text and folder follow.
    size_t name_size;
    size_t text_size;
    size_t folder_size;
    size_t first_number;  // In numbers_.
    size_t num_numbers;
  };

  int64_t number_ = 0;
  std::string bytes_;
  std::vector<float> numbers_;
  std::vector<Item> items_;
};

struct PipelineOptions {
  /// The calling thread and so many less one besides it; 0: one for each processor that the process
  /// may use, at most kMaxAutomaticThreads.
  int threads = 0;
  size_t batch_bytes = 256 << 10;  ///< A batch is full when it holds as many.
  /// Read and not yet taken: the reader works itself when there would be more.
  size_t queue_bytes = 2 << 20;
};

/// Decompression, which one thread does, takes about as long as three threads' work on the words.
inline constexpr int kMaxAutomaticThreads = 4;

/// The number of threads that `options.threads` asks for, at least 1.
int PipelineThreads(const PipelineOptions& options);

/// Reads reviews into the sink that it is given; ForEachText() with its arguments, say.
using TextReader = absl::FunctionRef<absl::Status(TextSink)>;

/// Works on one batch. `worker` lies in [0, PipelineThreads()); no two calls with the same one run
/// at the same time, so that each worker can have memory of its own.
using BatchWork = absl::FunctionRef<absl::Status(int worker, const TextBatch& batch)>;

/// Calls `read` on the calling thread, puts what it delivers into batches, and calls `work` for
/// each, in any order, on this and other threads. How batches are cut depends on the reviews and
/// `options.batch_bytes` alone. Memory: queue_bytes, and a batch for each thread, which is longer
/// than batch_bytes by at most one review. All threads have ended when it returns, whatever it
/// returns; fewer are used where the system gives no more.
///
/// The error of the batch with the lowest number, if any fails (every batch before it is worked
/// on, and reading soon ends), otherwise what `read` returns: so the outcome does not depend on the
/// number of threads.
absl::Status ForEachBatch(const PipelineOptions& options, TextReader read, BatchWork work);

}  // namespace seqgraph::data
