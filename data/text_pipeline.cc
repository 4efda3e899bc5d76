#include "data/text_pipeline.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <limits>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

namespace seqgraph::data {

LabelledText TextBatch::operator[](size_t i) const {
  const Item& item = items_[i];
  const absl::string_view bytes = bytes_;
  const size_t text = item.begin + item.name_size;
  return {item.split,
          item.label,
          bytes.substr(item.begin, item.name_size),
          bytes.substr(text, item.text_size),
          bytes.substr(text + item.text_size, item.folder_size),
          absl::MakeConstSpan(numbers_).subspan(item.first_number, item.num_numbers)};
}

void TextBatch::Clear(int64_t number) {
  number_ = number;
  bytes_.clear();
  numbers_.clear();
  items_.clear();
}

void TextBatch::Add(const LabelledText& review) {
  items_.push_back({review.split, review.label, bytes_.size(), review.name.size(),
                    review.text.size(), review.folder.size(), numbers_.size(),
                    review.numbers.size()});
  numbers_.insert(numbers_.end(), review.numbers.begin(), review.numbers.end());
  for (absl::string_view part : {review.name, review.text, review.folder}) {
    bytes_.append(part.data(), part.size());
  }
}

int PipelineThreads(const PipelineOptions& options) {
  if (options.threads > 0) return options.threads;
  const int processors = static_cast<int>(std::thread::hardware_concurrency());
  return std::clamp(processors, 1, kMaxAutomaticThreads);
}

namespace {

using BatchPtr = std::unique_ptr<TextBatch>;

class Pipeline {
 public:
  Pipeline(const PipelineOptions& options, BatchWork work)
      : options_(options), work_(work), filling_(std::make_unique<TextBatch>()) {
    for (int worker = 1; worker < PipelineThreads(options); ++worker) {
      try {
        threads_.emplace_back([this, worker] { WorkUntilClosed(worker); });
      } catch (const std::exception&) {  // No thread, or no memory for one.
        break;  // The threads that there are do it all; if need be the reader alone.
      }
    }
  }
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;
  ~Pipeline() { Close(); }

  // The reader's part.
  absl::Status Deliver(const LabelledText& review) {
    filling_->Add(review);
    if (filling_->bytes() < options_.batch_bytes) return absl::OkStatus();
    return Submit();
  }

  // After the last review: helps until all is done.
  absl::Status Finish(absl::Status read) {
    if (filling_->size() > 0) Submit().IgnoreError();  // The same error is in error_.
    {
      std::unique_lock<std::mutex> lock(mutex_);
      while (!queue_.empty()) TakeAndWork(kReader, lock);
    }
    Close();
    return error_.ok() ? read : error_;
  }

 private:
  static constexpr int kReader = 0;

  // Hands filling_ on, and takes an empty batch for the next one.
  absl::Status Submit() {
    std::unique_lock<std::mutex> lock(mutex_);
    // Behind a failed batch nothing counts.
    if (!error_.ok()) return error_;
    // Where nobody else works, or not fast enough, this thread does. The oldest batch first, so
    // that memory is bounded and no batch waits for long.
    const size_t bytes = filling_->bytes();
    while (!queue_.empty() && queued_bytes_ + bytes > options_.queue_bytes) {
      TakeAndWork(kReader, lock);
    }
    const int64_t next = filling_->number() + 1;
    queued_bytes_ += bytes;
    queue_.push_back(std::move(filling_));
    if (threads_.empty()) TakeAndWork(kReader, lock);
    if (free_.empty()) {
      filling_ = std::make_unique<TextBatch>();
    } else {
      filling_ = std::move(free_.back());
      free_.pop_back();
    }
    filling_->Clear(next);
    lock.unlock();
    wake_.notify_one();
    return absl::OkStatus();
  }

  // Works on the oldest batch, unlocked. The queue must not be empty.
  void TakeAndWork(int worker, std::unique_lock<std::mutex>& lock) {
    BatchPtr batch = std::move(queue_.front());
    queue_.pop_front();
    queued_bytes_ -= batch->bytes();
    if (batch->number() < failed_) {
      lock.unlock();
      absl::Status status = work_(worker, *batch);
      lock.lock();
      if (!status.ok() && batch->number() < failed_) {
        failed_ = batch->number();
        error_ = std::move(status);
      }
    }
    free_.push_back(std::move(batch));
  }

  void WorkUntilClosed(int worker) {
    std::unique_lock<std::mutex> lock(mutex_);
    while (true) {
      wake_.wait(lock, [this] { return closed_ || !queue_.empty(); });
      if (queue_.empty()) return;
      TakeAndWork(worker, lock);
    }
  }

  void Close() {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      closed_ = true;
    }
    wake_.notify_all();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

  const PipelineOptions options_;
  const BatchWork work_;
  BatchPtr filling_;  // The reader's alone.
  std::mutex mutex_;  // Guards what follows, but for threads_, which is the reader's alone.
  std::condition_variable wake_;
  std::deque<BatchPtr> queue_;
  size_t queued_bytes_ = 0;
  std::vector<BatchPtr> free_;
  bool closed_ = false;
  int64_t failed_ = std::numeric_limits<int64_t>::max();  // The lowest batch that failed,
  absl::Status error_;                                    // and how.
  std::vector<std::thread> threads_;
};

}  // namespace

absl::Status ForEachBatch(const PipelineOptions& options, TextReader read, BatchWork work) {
  Pipeline pipeline(options, work);
  return pipeline.Finish(
      read([&pipeline](const LabelledText& review) { return pipeline.Deliver(review); }));
}

}  // namespace seqgraph::data
