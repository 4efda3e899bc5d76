// Arrays, tables, archives and folders of data.

#include <sys/stat.h>

#include <filesystem>
#include <functional>
#include <string>

#include "absl/strings/str_cat.h"
#include "data/testing/test_util.h"
#include "tests/hostile/hostile_file.h"

namespace seqgraph {
namespace {

using Make = std::function<Arguments(const std::string& folder)>;

// `command` with `flag` on a file of these bytes.
Make Reads(Arguments command, const std::string& flag, const std::string& name,
           std::function<std::string()> bytes) {
  return [=](const std::string& folder) -> Arguments {
    data::WriteFileOrDie(folder + "/" + name, bytes());
    Arguments arguments = command;
    arguments.push_back(absl::StrCat(flag, "=", name));
    return arguments;
  };
}
Make Texts(const std::string& name, std::function<std::string()> bytes) {
  return Reads({"train", "--epochs=1", "--output=no.pb"}, "--data", name, std::move(bytes));
}
Make Series(const std::string& name, std::function<std::string()> bytes) {
  return Reads({"encode", "--output=no"}, "--data", name, std::move(bytes));
}
Make Arrays(const std::string& name, std::function<std::string()> bytes) {
  return Reads({"run", "m.pb"}, "--inputs", name, std::move(bytes));
}

std::string Npy(const std::string& shape, const std::string& elements) {
  const std::string header =
      absl::StrCat("{'descr': '<f4', 'fortran_order': False, 'shape': ", shape, ", }");
  return absl::StrCat("\x93NUMPY", std::string("\x01\x00", 2),
                      std::string({static_cast<char>(header.size()), '\0'}), header, elements);
}
std::string Deflated(const std::string& name, const std::string& content) {
  return data::MakeArchive({{name, content}}, data::Packing::kDeflatedZip);
}
std::string Nothing() { return ""; }
std::string Zeros(int64_t bytes) { return std::string(static_cast<size_t>(bytes), '\0'); }
constexpr int64_t kMuch = int64_t{200} << 20;

// Classes of folders, of which one holds links to itself, and one a link out of it.
Make FolderOfLinks() {
  return [](const std::string& folder) -> Arguments {
    const std::string texts = folder + "/texts";
    std::filesystem::remove_all(texts);
    data::WriteTree(texts, {{"a/1.txt", "good"}, {"b/1.txt", "bad"}});
    std::filesystem::create_directory_symlink("..", texts + "/a/loop");
    std::filesystem::create_directory_symlink(".", texts + "/self");
    std::filesystem::create_symlink("/dev/zero", texts + "/b/2.txt");
    return {"train", "--epochs=1", "--output=no.pb", "--data=texts"};
  };
}

}  // namespace

std::vector<HostileFile> HostileData() {
  return {
      {"arrays_of_2_to_62",
       Arrays("h.npz",
              [] { return Deflated("x.npy", Npy("(1073741824, 1073741824, 4)", "1234")); }),
       "array x"},
      {"arrays_that_overflow",
       Arrays("h.npy", [] { return Npy("(4294967296, 4294967296, 4294967296)", "1234"); }), "2^63"},
      {"arrays_of_negative_extents", Arrays("h.npy", [] { return Npy("(-4,)", "1234"); }),
       "INVALID_ARGUMENT"},
      {"arrays_that_unpack_to_much",
       Arrays("h.npz", [] { return Deflated("x.npy", Npy("(52428800,)", Zeros(kMuch))); }),
       "array x takes"},
      {"arrays_that_lie_of_their_size",
       Arrays("h.npz", [] { return Deflated("x.npy", Npy("(1,)", Zeros(kMuch))); }),
       "it holds more than"},
      {"arrays_of_equal_names",
       Arrays("h.npz",
              [] {
                return data::MakeArchive(
                    {{"x.npy", Npy("(1,)", "1234")}, {"x.npy", Npy("(1,)", "1234")}},
                    data::Packing::kZip);
              }),
       "two 'x'"},
      {"arrays_out_of_the_folder",
       Arrays("h.npz", [] { return Deflated("../../x\033[2J", Npy("(1,)", "1234")); }),
       "INVALID_ARGUMENT"},
      {"a_header_of_4_gigabytes",
       Arrays("h.npy",
              [] {
                return absl::StrCat("\x93NUMPY", std::string("\x02\x00\xff\xff\xff\xff", 6), "{}");
              }),
       "INVALID_ARGUMENT"},
      {"arrays_without_a_header", Arrays("h.npy", [] { return std::string("\x93NUMPY"); }),
       "INVALID_ARGUMENT"},
      {"zips_of_nothing", Arrays("h.npz", [] { return std::string("PK\x03\x04"); }),
       "INVALID_ARGUMENT"},
      {"series_that_unpack_to_much",
       Series("h.csv.gz", [] { return data::Gzip("x,y\n" + Times(20'000'000, "1,2\n")); }), ""},
      {"texts_that_unpack_to_much",
       Texts("h.csv.gz",
             [] { return data::Gzip("text,label\n" + Times(1'000'000, "a,0\nb,1\n")); }),
       "RESOURCE_EXHAUSTED"},
      {"a_text_that_unpacks_to_much",
       Texts("h.csv.gz",
             [] { return data::Gzip("text,label\n" + std::string(size_t{kMuch}, 'a') + ",0\n"); }),
       "RESOURCE_EXHAUSTED"},
      {"gzip_in_gzip",
       Texts("h.csv.gz", [] { return data::Gzip(data::Gzip("text,label\na,0\nb,1\n")); }),
       "h.csv.gz"},
      {"gzip_of_nothing", Texts("h.csv.gz", [] { return data::Gzip(""); }), "h.csv.gz"},
      {"gzip_cut_off",
       Texts(
           "h.csv.gz",
           [] { return data::Gzip("text,label\n" + Times(100'000, "a,0\nb,1\n")).substr(0, 300); }),
       "DATA_LOSS"},
      {"a_million_classes",
       Texts("h.csv",
             [] {
               std::string text = "text,label\n";
               for (int i = 0; i < 1'000'000; ++i) absl::StrAppend(&text, "a,c", i, "\n");
               return text;
             }),
       "h.csv"},
      {"a_million_columns", Series("h.csv", [] { return Times(1'000'000, "1,") + "1\n"; }),
       "RESOURCE_EXHAUSTED"},
      {"a_line_without_end",
       Texts("h.csv", [] { return "text,label\n\"" + std::string(size_t{64} << 20, 'a'); }),
       "h.csv"},
      {"labels_that_a_terminal_obeys",
       Texts("h.csv",
             [] {
               return std::string(
                   "text,label\ngood,\033[2J\nbad,\xc2\x9b\x32J\nbad,\xe2\x80\xae\n");
             }),
       ""},
      {"json_that_is_deep",
       Texts("h.jsonl", [] { return absl::StrCat("{\"text\": ", Times(100'000, "["), "\n"); }),
       "h.jsonl"},
      {"tables_of_nothing", Texts("h.csv", Nothing), "h.csv"},
      {"archives_out_of_the_folder",
       Texts("h.tar.gz",
             [] {
               return data::MakeArchive({{"../train/pos/1.txt", "good"},
                                         {"/train/neg/1.txt", "bad"},
                                         {"a/../../train/neg/2.txt", "bad"}},
                                        data::Packing::kTarGz);
             }),
       "h.tar.gz"},
      {"archives_of_a_bomb",
       Texts("h.tar.gz",
             [] {
               return data::MakeArchive({{"train/pos/1.txt", std::string(size_t{kMuch}, 'a')},
                                         {"train/neg/1.txt", "bad"}},
                                        data::Packing::kTarGz);
             }),
       "RESOURCE_EXHAUSTED"},
      {"archives_of_equal_names",
       Texts("h.tar.gz",
             [] {
               return data::MakeArchive({{"train/pos/1.txt", "good"},
                                         {"train/pos/1.txt", "good"},
                                         {"train/neg/1.txt", "bad"}},
                                        data::Packing::kTarGz);
             }),
       "h.tar.gz"},
      {"folders_of_links", FolderOfLinks(), "texts"},
  };
}

}  // namespace seqgraph
