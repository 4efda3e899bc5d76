#pragma once

// A disk in memory that knows what of it would outlive a power cut.

#include <time.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace seqgraph {

/// What of all that was not synced gets to the disk all the same. Every kind is one in which file
/// systems have lost files.
enum class Survival {
  kNothing,       ///< only what was synced
  kNames,         ///< all names (new, renamed, removed), no content: files are empty
  kSizes,         ///< the same, and files have their sizes, and zeros
  kContent,       ///< all content, no names
  kAll,           ///< as if only the process had been killed
  kPrefix,        ///< what came before a random moment, the last write in part
  kReordered,     ///< each name and each sector by chance
  kNumSurvivals,  ///< not one of them
};
const char* SurvivalName(Survival survival);

/// Files and folders. The content of a file is safe after Sync of it, the names in a folder after
/// Sync of the folder; all else only by luck. Calls give 0 or more, or the negative errno, as those
/// of the system that have the same names; after the cut all give -EIO. Not for several threads.
class CutDisk {
 public:
  using Id = int64_t;
  static constexpr Id kRoot = 1;

  struct Node {
    bool is_folder = false;
    uint32_t mode = 0;  ///< permissions
    int64_t links = 0;  ///< names that it has
    timespec modified = {};
    std::string bytes;                ///< of a file
    std::map<std::string, Id> names;  ///< in a folder
  };

  CutDisk();
  /// Copies what is in a folder of the system, all of it safe.
  static CutDisk Of(const std::string& folder);
  /// What is found after the cut, all of it safe. The same seed gives the same.
  CutDisk AfterCut(Survival survival, uint64_t seed) const;
  /// The files, by their paths without a slash in front.
  std::map<std::string, std::string> Files() const;

  /// The power fails as soon as so many operations have been made, and `cut` is called; 0: never.
  /// Operations are those that change anything, and Sync.
  void CutAfter(int64_t operations, std::function<void()> cut);
  int64_t operations() const { return operations_; }
  bool is_cut() const { return is_cut_; }

  Id Find(std::string_view path) const;  ///< "/a/b"; negative: the errno
  const Node& At(Id id) const { return nodes_.at(id); }
  Id Create(std::string_view path, bool is_folder, uint32_t mode);
  int Remove(std::string_view path, bool is_folder);
  int Rename(std::string_view from, std::string_view to, bool may_replace);
  int Link(std::string_view from, std::string_view to);
  int Write(Id id, std::string_view bytes, int64_t offset);
  int Truncate(Id id, int64_t size);
  int Sync(Id id);
  /// Not an operation: safe at once.
  int SetMode(Id id, uint32_t mode);
  int SetModified(Id id, timespec modified);

 private:
  // A name of a folder that gets to mean another node; 0: none.
  struct NameChange {
    Id folder = 0;
    std::string name;
    Id node = 0;
  };
  // What is not safe yet: names that change together, or content, or a size.
  struct Pending {
    std::vector<NameChange> names;
    Id file = 0;
    int64_t offset = 0;
    std::string bytes;
    int64_t size = -1;  // -1: it is content
  };
  struct Place {
    Id folder = 0;
    std::string name;
  };

  Place PlaceOf(std::string_view path) const;
  bool Begin() const { return !is_cut_; }
  int Done();
  void ChangeNames(std::vector<NameChange> changes);
  static void Apply(const Pending& pending, std::map<Id, Node>& nodes);
  static void ApplyPart(const Pending& pending, std::map<Id, Node>& nodes, size_t from, size_t to);
  void SyncNames(Id folder);
  void Touch(Id id);

  Id next_ = kRoot + 1;
  std::map<Id, Node> nodes_;  // as programs see it
  std::map<Id, Node> safe_;   // every node is there, but not every one has a name
  std::vector<Pending> pending_;
  int64_t operations_ = 0, cut_after_ = 0;
  bool is_cut_ = false;
  std::function<void()> cut_;
};

}  // namespace seqgraph
