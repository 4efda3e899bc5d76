#include "tests/power_cut/cut_disk.h"

#include <sys/stat.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <random>
#include <set>
#include <utility>

#include "data/testing/test_util.h"

namespace seqgraph {
namespace {

namespace fs = std::filesystem;

constexpr size_t kSector = 512;

timespec Now() {
  timespec now;
  ::clock_gettime(CLOCK_REALTIME, &now);
  return now;
}

}  // namespace

const char* SurvivalName(Survival survival) {
  constexpr const char* kNames[] = {"nothing", "names",  "sizes",    "content",
                                    "all",     "prefix", "reordered"};
  return kNames[static_cast<int>(survival)];
}

CutDisk::CutDisk() {
  nodes_[kRoot] = {.is_folder = true, .mode = 0755, .links = 1, .modified = Now()};
  safe_ = nodes_;
}

CutDisk CutDisk::Of(const std::string& folder) {
  CutDisk disk;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const std::string path = "/" + fs::relative(entry.path(), folder).string();
    const bool is_folder = entry.is_directory();
    const Id id = disk.Create(path, is_folder, is_folder ? 0755 : 0644);
    if (!is_folder) disk.nodes_[id].bytes = data::ReadFileOrDie(entry.path());
    struct stat info;
    if (::stat(entry.path().c_str(), &info) == 0) disk.nodes_[id].modified = info.st_mtim;
  }
  disk.safe_ = disk.nodes_;
  disk.pending_.clear();
  disk.operations_ = 0;
  return disk;
}

std::map<std::string, std::string> CutDisk::Files() const {
  std::map<std::string, std::string> files;
  std::vector<std::pair<std::string, Id>> folders = {{"", kRoot}};
  while (!folders.empty()) {
    const auto [path, folder] = folders.back();
    folders.pop_back();
    for (const auto& [name, id] : nodes_.at(folder).names) {
      if (At(id).is_folder) {
        folders.emplace_back(path + name + "/", id);
      } else {
        files[path + name] = At(id).bytes;
      }
    }
  }
  return files;
}

void CutDisk::CutAfter(int64_t operations, std::function<void()> cut) {
  cut_after_ = operations;
  cut_ = std::move(cut);
  operations_ = 0;
}

int CutDisk::Done() {
  if (++operations_ == cut_after_) {
    is_cut_ = true;
    if (cut_) cut_();
  }
  return 0;
}

CutDisk::Id CutDisk::Find(std::string_view path) const {
  Id id = kRoot;
  while (!path.empty()) {
    path.remove_prefix(1);
    const std::string name(path.substr(0, path.find('/')));
    path.remove_prefix(name.size());
    if (name.empty()) continue;
    const Node& folder = At(id);
    if (!folder.is_folder) return -ENOTDIR;
    const auto found = folder.names.find(name);
    if (found == folder.names.end()) return -ENOENT;
    id = found->second;
  }
  return id;
}

CutDisk::Place CutDisk::PlaceOf(std::string_view path) const {
  const size_t slash = path.rfind('/');
  const Id folder = Find(path.substr(0, slash));
  if (folder > 0 && !At(folder).is_folder) return {-ENOTDIR, ""};
  return {folder, std::string(path.substr(slash + 1))};
}

void CutDisk::Touch(Id id) { nodes_[id].modified = Now(); }

void CutDisk::ChangeNames(std::vector<NameChange> changes) {
  Pending pending;
  pending.names = std::move(changes);
  for (const NameChange& change : pending.names) {
    Touch(change.folder);
    auto& names = nodes_[change.folder].names;
    if (const auto old = names.find(change.name); old != names.end()) --nodes_[old->second].links;
    if (change.node != 0) ++nodes_[change.node].links;
  }
  Apply(pending, nodes_);
  pending_.push_back(std::move(pending));
}

CutDisk::Id CutDisk::Create(std::string_view path, bool is_folder, uint32_t mode) {
  if (!Begin()) return -EIO;
  const Place place = PlaceOf(path);
  if (place.folder < 0) return place.folder;
  if (At(place.folder).names.contains(place.name)) return -EEXIST;
  const Id id = next_++;
  nodes_[id] = {.is_folder = is_folder, .mode = mode & 07777, .modified = Now()};
  safe_[id] = nodes_[id];
  ChangeNames({{place.folder, place.name, id}});
  Done();
  return id;
}

int CutDisk::Remove(std::string_view path, bool is_folder) {
  if (!Begin()) return -EIO;
  const Id id = Find(path);
  if (id < 0) return static_cast<int>(id);
  if (At(id).is_folder != is_folder) return is_folder ? -ENOTDIR : -EISDIR;
  if (!At(id).names.empty()) return -ENOTEMPTY;
  const Place place = PlaceOf(path);
  ChangeNames({{place.folder, place.name, 0}});
  return Done();
}

int CutDisk::Rename(std::string_view from, std::string_view to, bool may_replace) {
  if (!Begin()) return -EIO;
  const Id id = Find(from), there = Find(to);
  const Place source = PlaceOf(from), target = PlaceOf(to);
  if (id < 0) return static_cast<int>(id);
  if (target.folder < 0) return static_cast<int>(target.folder);
  if (there > 0 && !may_replace) return -EEXIST;
  if (there > 0 && At(there).is_folder != At(id).is_folder) return -EISDIR;
  if (there > 0 && !At(there).names.empty()) return -ENOTEMPTY;
  if (there != id) {
    ChangeNames({{source.folder, source.name, 0}, {target.folder, target.name, id}});
  }
  return Done();
}

int CutDisk::Link(std::string_view from, std::string_view to) {
  if (!Begin()) return -EIO;
  const Id id = Find(from);
  const Place target = PlaceOf(to);
  if (id < 0) return static_cast<int>(id);
  if (target.folder < 0) return static_cast<int>(target.folder);
  if (At(id).is_folder) return -EPERM;
  if (Find(to) > 0) return -EEXIST;
  ChangeNames({{target.folder, target.name, id}});
  return Done();
}

int CutDisk::Write(Id id, std::string_view bytes, int64_t offset) {
  if (!Begin()) return -EIO;
  pending_.push_back({.file = id, .offset = offset, .bytes = std::string(bytes)});
  Apply(pending_.back(), nodes_);
  Touch(id);
  Done();
  return static_cast<int>(bytes.size());
}

int CutDisk::Truncate(Id id, int64_t size) {
  if (!Begin()) return -EIO;
  pending_.push_back({.file = id, .size = size});
  Apply(pending_.back(), nodes_);
  Touch(id);
  return Done();
}

int CutDisk::SetMode(Id id, uint32_t mode) {
  if (!Begin()) return -EIO;
  nodes_[id].mode = safe_[id].mode = mode & 07777;
  return 0;
}

int CutDisk::SetModified(Id id, timespec modified) {
  if (!Begin()) return -EIO;
  nodes_[id].modified = modified;
  return 0;
}

int CutDisk::Sync(Id id) {
  if (!Begin()) return -EIO;
  if (At(id).is_folder) {
    SyncNames(id);
  } else {
    safe_[id].bytes = At(id).bytes;
    std::erase_if(pending_, [id](const Pending& pending) { return pending.file == id; });
  }
  return Done();
}

// With all that changed before, or together with, a name of it.
void CutDisk::SyncNames(Id folder) {
  std::set<Id> folders = {folder};
  const auto concerns = [&folders](const Pending& pending) {
    return std::any_of(pending.names.begin(), pending.names.end(),
                       [&](const NameChange& change) { return folders.contains(change.folder); });
  };
  for (size_t before = 0; before != folders.size();) {
    before = folders.size();
    for (const Pending& pending : pending_) {
      if (!concerns(pending)) continue;
      for (const NameChange& change : pending.names) folders.insert(change.folder);
    }
  }
  for (const Pending& pending : pending_) {
    if (concerns(pending)) Apply(pending, safe_);
  }
  std::erase_if(pending_, concerns);
}

void CutDisk::Apply(const Pending& pending, std::map<Id, Node>& nodes) {
  for (const NameChange& change : pending.names) {
    auto& names = nodes[change.folder].names;
    if (change.node == 0) {
      names.erase(change.name);
    } else {
      names[change.name] = change.node;
    }
  }
  if (pending.file == 0) return;
  if (pending.size >= 0) {
    nodes[pending.file].bytes.resize(static_cast<size_t>(pending.size));
  } else {
    ApplyPart(pending, nodes, 0, pending.bytes.size());
  }
}

void CutDisk::ApplyPart(const Pending& pending, std::map<Id, Node>& nodes, size_t from, size_t to) {
  std::string& bytes = nodes[pending.file].bytes;
  const size_t at = static_cast<size_t>(pending.offset);
  bytes.resize(std::max(bytes.size(), at + to));
  bytes.replace(at + from, to - from, pending.bytes, from, to - from);
}

CutDisk CutDisk::AfterCut(Survival survival, uint64_t seed) const {
  std::mt19937_64 random(seed);
  std::map<Id, Node> nodes = safe_;
  const size_t before = survival == Survival::kPrefix ? random() % (pending_.size() + 1) : 0;
  for (size_t i = 0; i < pending_.size(); ++i) {
    const Pending& pending = pending_[i];
    const bool is_name = !pending.names.empty();
    const bool chance = random() % 2 == 0;
    bool all = survival == Survival::kAll || (survival == Survival::kPrefix && i < before) ||
               (survival == Survival::kContent && !is_name);
    if (is_name) {
      all = all || survival == Survival::kNames || survival == Survival::kSizes ||
            (survival == Survival::kReordered && chance);
    } else if (pending.size >= 0) {
      all = all || survival == Survival::kSizes || (survival == Survival::kReordered && chance);
    } else if (survival == Survival::kSizes) {
      std::string& bytes = nodes[pending.file].bytes;
      bytes.resize(std::max(bytes.size(), pending.offset + pending.bytes.size()));
    } else if (survival == Survival::kPrefix && i == before) {
      ApplyPart(pending, nodes, 0, random() % (pending.bytes.size() + 1));
    } else if (survival == Survival::kReordered) {
      for (size_t from = 0; from < pending.bytes.size(); from += kSector) {
        const size_t to = std::min(from + kSector, pending.bytes.size());
        if (random() % 2 == 0) ApplyPart(pending, nodes, from, to);
      }
    }
    if (all) Apply(pending, nodes);
  }
  // What no name leads to is gone.
  CutDisk disk;
  disk.next_ = next_;
  disk.nodes_[kRoot] = nodes[kRoot];
  for (std::vector<Id> folders = {kRoot}; !folders.empty();) {
    const Id folder = folders.back();
    folders.pop_back();
    for (const auto& [name, id] : nodes[folder].names) {
      const bool is_new = !disk.nodes_.contains(id);
      Node& node = disk.nodes_[id];
      if (is_new) node = nodes[id];
      node.links = is_new ? 1 : node.links + 1;
      if (is_new && node.is_folder) folders.push_back(id);
    }
  }
  disk.safe_ = disk.nodes_;
  return disk;
}

}  // namespace seqgraph
