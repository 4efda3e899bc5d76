#include "data/text_archive.h"

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/match.h"
#include "absl/strings/strip.h"
#include "base/status_macros.h"
#include "data/compressed_file.h"

namespace seqgraph::data {
namespace {

struct ArchiveFree {
  void operator()(archive* a) const { archive_read_free(a); }
};
using ArchivePtr = std::unique_ptr<archive, ArchiveFree>;

// A tar archive ends with blocks of zeros; libarchive also takes the end of the file for the end of
// the archive, so a plain tar file cut between two entries would look whole.
constexpr size_t kTarBlock = 512;

// What libarchive reads from; keeps the last bytes that went by.
class TarStream {
 public:
  explicit TarStream(std::unique_ptr<CompressedFile> file) : file_(std::move(file)) {}

  absl::StatusOr<absl::string_view> Next() {
    absl::StatusOr<absl::string_view> block = file_->Next();
    if (block.ok()) Remember(*block);
    return block;
  }

  // Reads to the end, so that the check sum behind the data is verified too.
  absl::Status Drain() {
    while (true) {
      SEQ_ASSIGN_OR_RETURN(absl::string_view block, Next());
      if (block.empty()) return absl::OkStatus();
    }
  }

  const absl::Status& status() const { return file_->status(); }
  absl::string_view magic() const { return file_->magic(); }

  bool EndsInZeros() const {
    return tail_.size() == kTarBlock &&
           std::all_of(tail_.begin(), tail_.end(), [](char c) { return c == '\0'; });
  }

  static la_ssize_t Read(archive* a, void* self, const void** buffer) {
    absl::StatusOr<absl::string_view> block = static_cast<TarStream*>(self)->Next();
    if (!block.ok()) {
      archive_set_error(a, EIO, "unreadable");  // status() says why
      return ARCHIVE_FATAL;
    }
    *buffer = block->data();
    return static_cast<la_ssize_t>(block->size());
  }

 private:
  void Remember(absl::string_view block) {
    if (block.size() >= kTarBlock) {
      tail_.assign(block.data() + block.size() - kTarBlock, kTarBlock);
    } else if (!block.empty()) {
      tail_.append(block.data(), block.size());
      if (tail_.size() > kTarBlock) tail_.erase(0, tail_.size() - kTarBlock);
    }
  }

  std::unique_ptr<CompressedFile> file_;
  std::string tail_;
};

struct ReviewPath {
  absl::string_view root;  // "aclImdb/", or "" for an archive made inside that folder
  Split split;
  absl::string_view folder;  // "train/pos/"
  absl::string_view class_name;
  absl::string_view name;
};

// Cuts the last part, with its slash, off `path`.
absl::string_view PopComponent(absl::string_view* path) {
  absl::string_view whole = absl::StripSuffix(*path, "/");
  const size_t slash = whole.rfind('/');
  const size_t begin = slash == absl::string_view::npos ? 0 : slash + 1;
  *path = whole.substr(0, begin);
  return whole.substr(begin);
}

std::optional<ReviewPath> ParseReviewPath(absl::string_view path, absl::string_view suffix) {
  ReviewPath parsed;
  const absl::string_view whole = absl::StripSuffix(path, "/");
  parsed.name = PopComponent(&path);
  if (!absl::EndsWith(parsed.name, suffix) || absl::StartsWith(parsed.name, ".")) {
    return std::nullopt;
  }
  parsed.class_name = ClassOfFolder(PopComponent(&path));
  if (parsed.class_name.empty()) return std::nullopt;
  const absl::string_view split = PopComponent(&path);
  if (split != "train" && split != "test") return std::nullopt;
  parsed.folder = whole.substr(path.size(), whole.size() - parsed.name.size() - path.size());
  parsed.split = split == "train" ? Split::kTrain : Split::kTest;
  while (absl::ConsumePrefix(&path, "./")) {
  }
  parsed.root = path;
  return parsed;
}

class ArchiveReader {
 public:
  ArchiveReader(const std::string& path, const TextSourceOptions& options, TextSink sink,
                ClassTable& classes, std::unique_ptr<CompressedFile> file)
      : path_(path),
        options_(options),
        sink_(sink),
        classes_(classes),
        stream_(std::move(file)),
        archive_(archive_read_new()) {}

  absl::Status Run() {
    archive* a = archive_.get();
    if (a == nullptr || archive_read_support_format_tar(a) != ARCHIVE_OK) {
      return ResourceExhausted("libarchive cannot be set up");
    }
    if (archive_read_open(a, &stream_, nullptr, TarStream::Read, nullptr) != ARCHIVE_OK) {
      return NotAnArchive();
    }
    archive_entry* entry = nullptr;
    while (true) {
      const int result = archive_read_next_header(a, &entry);
      if (result == ARCHIVE_EOF) break;
      // ARCHIVE_WARN is about what does not concern us (owners, odd attributes).
      if (result != ARCHIVE_OK && result != ARCHIVE_WARN) {
        return entries_ == 0 ? NotAnArchive() : Damaged("reading an entry's header");
      }
      ++entries_;
      SEQ_RETURN_IF_ERROR(HandleEntry(entry));
    }
    SEQ_RETURN_IF_ERROR(stream_.Drain());
    if (entries_ == 0) return NotAnArchive();
    if (!stream_.EndsInZeros()) {
      return DataLoss("'", path_, "': cut off behind entry ", entries_,
                      ": expected the zeros that end a tar archive; is the copy complete?");
    }
    return absl::OkStatus();
  }

 private:
  absl::Status NotAnArchive() const {
    if (!stream_.status().ok()) return stream_.status();
    const absl::string_view magic = stream_.magic();
    const absl::string_view found = magic.empty()                         ? "an empty file"
                                    : absl::StartsWith(magic, "PK")       ? "a zip file"
                                    : absl::StartsWith(magic, "\x1f\x8b") ? "other gzip data"
                                                                          : "something else";
    return InvalidArgument(
        "'", path_, "': expected a tar archive of reviews (aclImdb_v1.tar.gz), found ", found);
  }

  absl::Status Damaged(absl::string_view doing) const {
    if (!stream_.status().ok()) return stream_.status();
    if (archive_errno(archive_.get()) == ENOMEM) {
      return ResourceExhausted("'", path_, "': no memory while ", doing, " behind entry ",
                               entries_);
    }
    const char* why = archive_error_string(archive_.get());
    return DataLoss("'", path_, "': damaged tar archive: ", doing, " behind entry ", entries_, ": ",
                    why != nullptr ? why : "unknown error");
  }

  absl::Status CheckRoot(const ReviewPath& review) {
    if (!root_.has_value()) root_ = std::string(review.root);
    if (*root_ == review.root) return absl::OkStatus();
    return InvalidArgument("'", path_, "': reviews under two folders, '", *root_, "' and '",
                           review.root, "': expected one data set");
  }

  absl::Status HandleEntry(archive_entry* entry) {
    const char* name = archive_entry_pathname(entry);
    if (name == nullptr) return Damaged("an entry without a readable name");
    const std::optional<ReviewPath> review = ParseReviewPath(name, options_.suffix);
    if (!review.has_value()) return absl::OkStatus();
    if (archive_entry_filetype(entry) == AE_IFDIR) return absl::OkStatus();
    SEQ_RETURN_IF_ERROR(CheckRoot(*review));
    if (options_.only.has_value() && *options_.only != review->split) return absl::OkStatus();
    // Copied: the entry's name does not last while its data are read.
    const std::string folder(review->folder);
    const Split split = review->split;
    const std::string review_name(review->name);
    SEQ_ASSIGN_OR_RETURN(const int label, classes_.Number(review->class_name, folder, review_name));
    if (archive_entry_hardlink(entry) != nullptr || archive_entry_filetype(entry) != AE_IFREG) {
      return InvalidArgument(
          "'", path_, "': ", folder, review_name,
          " is a link or a special file; pack the files themselves (tar --dereference)");
    }
    const int64_t size = archive_entry_size(entry);
    if (size < 0 || size > options_.max_text_bytes) {
      return ResourceExhausted("'", path_, "': ", folder, review_name, " has ", size,
                               " bytes, more than the limit of ", options_.max_text_bytes,
                               "; is it a review? Leave it out, or cut it");
    }
    SEQ_RETURN_IF_ERROR(ReadText(static_cast<size_t>(size)));
    const size_t numbered = static_cast<size_t>(label);
    std::vector<absl::flat_hash_set<std::string>>& seen = seen_[split == Split::kTrain];
    if (seen.size() <= numbered) seen.resize(numbered + 1);
    if (!seen[numbered].insert(review_name).second) {
      return InvalidArgument(
          "'", path_, "': ", folder, review_name,
          " occurs twice; unpack the archive, which leaves one, and give the folder");
    }
    return sink_(LabelledText{split, label, review_name, text_, folder});
  }

  absl::Status ReadText(size_t size) {
    if (buffer_.size() < size) buffer_.resize(size);
    size_t filled = 0;
    while (filled < size) {
      const la_ssize_t got =
          archive_read_data(archive_.get(), buffer_.data() + filled, size - filled);
      if (got < 0) return Damaged("reading an entry");
      if (got == 0) break;
      filled += static_cast<size_t>(got);
    }
    if (filled != size) return Damaged("an entry ends early");
    text_ = absl::string_view(buffer_.data(), size);
    return absl::OkStatus();
  }

  const std::string& path_;
  const TextSourceOptions& options_;
  TextSink sink_;
  ClassTable& classes_;
  TarStream stream_;  // Outlives archive_, which reads from it.
  ArchivePtr archive_;
  int64_t entries_ = 0;
  std::optional<std::string> root_;
  std::vector<absl::flat_hash_set<std::string>> seen_[2];  // Names, by split and label.
  std::vector<char> buffer_;
  absl::string_view text_;
};

}  // namespace

absl::Status ReadTextArchive(const std::string& path, const TextSourceOptions& options,
                             TextSink sink, ClassTable& classes) {
  SEQ_ASSIGN_OR_RETURN(std::unique_ptr<CompressedFile> file, CompressedFile::Open(path));
  return ArchiveReader(path, options, sink, classes, std::move(file)).Run();
}

}  // namespace seqgraph::data
