#include <cmath>
#include <cstring>
#include <memory>

#include "absl/strings/str_cat.h"
#include "base/atomic_file.h"
#include "base/byte_cursor.h"
#include "base/zip.h"
#include "data/npy.h"
#include "data/series/series_file.h"
#include "data/series/series_set.h"
#include "tests/fuzz/targets/targets.h"
#include "tools/array_files.h"
#include "tools/audio_file.h"

namespace seqgraph {
namespace {

using Missing = data::SeriesSourceOptions::Missing;

// The first two bytes choose the options.
bool Series(absl::string_view bytes, const std::string& ending) {
  if (bytes.size() < 2) return false;
  const auto choice = static_cast<unsigned char>(bytes[0]),
             more = static_cast<unsigned char>(bytes[1]);
  bytes.remove_prefix(2);
  data::SeriesSourceOptions options;
  options.threads = 1;
  options.max_memory = int64_t{64} << 20;
  options.missing = static_cast<Missing>((choice & 7) % 5);
  if ((choice & 8) != 0) options.series = "id";
  if ((choice & 16) != 0) options.time = "t";
  if ((choice & 32) != 0) options.label = "label";
  if ((choice & 64) != 0) options.targets = {"y"};
  options.per_step = (choice & 128) != 0;
  options.skip_bad_rows = (more & 1) != 0;
  if ((more & 2) != 0) options.order = "n";
  if ((more & 4) != 0) options.group = "group";
  if ((more & 8) != 0) options.weight = "w";
  const std::string path = FuzzFile("series." + ending, bytes);
  data::LooksLikeSeries(path);
  const absl::StatusOr<data::SeriesSet> set = data::ReadSeries(path, options);
  if (!FuzzOk(set.status())) return false;
  FuzzCheck(set->num_series() > 0 && set->num_features() > 0, "a set is not empty");
  FuzzCheck(static_cast<int64_t>(set->values.size()) == set->num_steps() * set->num_features(),
            "each step has all features");
  for (const float value : set->values) {
    FuzzCheck(std::isfinite(value) || (std::isnan(value) && options.missing == Missing::kMask),
              "numbers are finite");
  }
  for (int64_t i = 0; i < set->num_series(); ++i) {
    FuzzCheck(set->length(i) > 0, "no series is empty");
    set->RowName(i, set->length(i) - 1);
  }
  return true;
}

bool Table(absl::string_view bytes) { return Series(bytes, "csv"); }
bool JsonLines(absl::string_view bytes) { return Series(bytes, "jsonl"); }
// Mostly what unpacks, which checks a sum, but only behind what is unpacked.
bool PackedTable(absl::string_view bytes) { return Series(bytes, "csv.gz"); }
bool SeriesArrays(absl::string_view bytes) { return Series(bytes, "npz"); }

// As `encode` writes them.
bool SeriesFile(absl::string_view bytes) {
  const std::string path = FuzzFile("series.safetensors", bytes);
  FuzzOk(data::CheckSeriesFile(path));
  data::SeriesSourceOptions options;
  options.max_memory = int64_t{64} << 20;
  FuzzOk(data::CompleteFromSeriesFile(path, &options));
  const absl::StatusOr<data::SeriesSet> set = data::ReadSeriesFile(path, options);
  if (!FuzzOk(set.status())) return false;
  for (int64_t i = 0; i < set->num_series(); ++i) {
    FuzzCheck(set->length(i) > 0, "no series is empty");
    set->RowName(i, set->length(i) - 1);
  }
  FuzzCheck(static_cast<int64_t>(set->values.size()) == set->num_steps() * set->num_features(),
            "each step has all features");
  return true;
}

bool Arrays(absl::string_view bytes) {
  const auto arrays = tools::ReadArrayFile(FuzzFile("arrays", bytes));
  if (!FuzzOk(arrays.status())) return false;
  for (const tools::FileArray& array : *arrays) {
    const absl::StatusOr<std::string> npy = tools::NpyOf(array.tensor);
    FuzzCheck(npy.ok(), npy.status().ToString());
  }
  return true;
}

// Behind the zip, whose check sums hide the rest.
bool ArraysParts(absl::string_view bytes) {
  const std::vector<std::string> files = UnpackFiles(bytes, 2);
  const absl::StatusOr<std::string> zip = WriteZip({{"x.npy", files[0]}, {"y.npy", files[1]}});
  if (!zip.ok()) return false;
  Series(absl::StrCat(std::string(2, '\0'), *zip), "npz");
  return Arrays(*zip);
}

bool Audio(absl::string_view bytes) {
  const auto reader = tools::AudioReader::Open(FuzzFile("sound", bytes));
  if (!FuzzOk(reader.status())) return false;
  // As much as a stream takes at once, and not all: a file may say that it goes on for years.
  if ((*reader)->channels() > 1024) return true;
  std::vector<float> samples(static_cast<size_t>((*reader)->channels()) * 512);
  for (int block = 0; block < 64; ++block) {
    const int64_t frames = (*reader)->Read(absl::MakeSpan(samples));
    FuzzCheck(frames <= 512, "no more than there is room for");
    if (frames <= 0) break;
  }
  return true;
}

// Seeds.

// Of gzip (ISO 3309), bit by bit.
uint32_t Crc32(absl::string_view bytes) {
  uint32_t sum = ~0u;
  for (const char c : bytes) {
    sum ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) sum = (sum >> 1) ^ ((sum & 1) != 0 ? 0xEDB88320u : 0u);
  }
  return ~sum;
}

std::string Chosen(char choice, char more, absl::string_view bytes) {
  return absl::StrCat(std::string{choice, more}, bytes);
}

std::vector<std::string> TableSeeds() {
  return {Chosen(1, 0, "a,b,c\n1,2.5,-3e2\n4,,6\n7,NaN,9e-3\n0.1,0.25,1e5\n"),
          Chosen(8 + 16 + 32, 4 + 8,
                 "id,t,x,label,group,w\n\"a\",2024-01-01,1,go,p,1\na,2024-01-03,3,go,p,1\n"
                 "b,2024-01-02T03:04:05Z,5,\"st\"\"op\",q,0.5\nb,2024-01-01,7,\"st\"\"op\",q,.5\n"),
          Chosen(static_cast<char>(64 + 128 + 4), 2,
                 "n\tx\tc\ty\n1\t2\tu\t3\n2\t4\tv\t5\n4\t6\tu\t7\n\n5\t\tv\t9\n"),
          Chosen(0, 1, "\xEF\xBB\xBFx;\"y\nz\"\r\n1;2\r\n\"3\";4\r\n"),
          Chosen(0, 0, "1;2;3\n4;5;6\n")};
}

// Stored, not packed: its bytes are found in the file.
std::vector<std::string> PackedTableSeeds() {
  const std::string csv = "a,b\n1,2.5\n4,6\n7,NaN\n";
  const auto size = static_cast<uint16_t>(csv.size());
  return {Chosen(1, 0,
                 absl::StrCat(std::string("\x1F\x8B\x08\0\0\0\0\0\0\xFF\x01", 11),
                              NumberBytes(size, 2), NumberBytes(static_cast<uint16_t>(~size), 2),
                              csv, NumberBytes(Crc32(csv), 4), NumberBytes(size, 4)))};
}

std::vector<std::string> SeriesFileSeeds() {
  std::vector<std::string> seeds;
  for (const bool labelled : {false, true}) {
    data::SeriesSourceOptions options;
    if (labelled) {
      options.series = "id";
      options.label = "label";
    }
    const auto set =
        data::ReadSeries(FuzzFile("seed.csv", "id,x,label\n1,2,0\n1,4,0\n2,5,1\n2,7,1\n"), options);
    FuzzCheck(set.ok(), set.status().ToString());
    const std::string path = FuzzFile("seed.safetensors", "");
    FuzzCheck(data::WriteSeries(*set, options, path).ok(), path);
    seeds.push_back(*ReadFile(path, 1 << 20));
  }
  return seeds;
}

std::vector<std::string> JsonLinesSeeds() {
  return {Chosen(2 + 16, 0,
                 "{\"x\": [[1, 2], [3, 4]], \"y\": \"go\", \"t\": [1, 2]}\n"
                 "{\"x\": [[5, null]], \"y\": \"stop\", \"t\": [7]}\n"),
          Chosen(3 + 8, 2,
                 "{\"id\": 7, \"n\": 1, \"b\": 2, \"c\": true}\n"
                 "{\"id\": \"s\", \"n\": 0, \"b\": -4e3, \"c\": null}\n"),
          Chosen(0, 1, "{\"x\": [1, 2.5, -3e2]}\n{\"x\": \"\\u00e9\\n\"}\n")};
}

std::vector<std::string> NpySeeds() {
  const std::vector<float> x = {1, 2, 3, NAN, 5, 6, 7, 8, 9, 10, 11, 12};
  const std::vector<int32_t> y = {1, 0};
  const std::vector<double> z = {1, 0.5};
  return {*data::NpyFile(absl::MakeConstSpan(x), {2, 3, 2}),
          *data::NpyFile(absl::MakeConstSpan(y), {2}), *data::NpyFile(absl::MakeConstSpan(z), {2})};
}

std::vector<std::string> ArraysSeeds() {
  const std::vector<std::string> npy = NpySeeds();
  return {npy[0], npy[1], npy[2], *WriteZip({{"a.npy", npy[0]}, {"b.npy", npy[1]}}),
          "time,value\n1,2.5\n-3e2,\"4\"\n5,nan\n"};
}

std::vector<std::string> ArraysPartsSeeds() {
  const std::vector<std::string> npy = NpySeeds();
  return {PackFiles({npy[0], npy[1]}), PackFiles({npy[0], npy[2]})};
}

std::vector<std::string> SeriesArraysSeeds() {
  const std::vector<std::string> npy = NpySeeds();
  const std::vector<int32_t> lengths = {3, 2};
  const std::string zip =
      *WriteZip({{"x.npy", npy[0]},
                 {"y.npy", npy[1]},
                 {"lengths.npy", *data::NpyFile(absl::MakeConstSpan(lengths), {2})}});
  return {Chosen(2, 0, zip), Chosen(2, 0, npy[0])};
}

std::vector<std::string> AudioSeeds() {
  const std::string path = FuzzFile("seed.wav", "");
  auto writer = tools::WavWriter::Create(path, 2, 8000, 4);
  FuzzCheck(writer.ok(), "a sound can be written");
  const std::vector<float> samples = {0, 0.5f, -0.5f, 1, -1, 0.25f, 0, 0};
  FuzzCheck((*writer)->Write(absl::MakeConstSpan(samples)).ok() && (*writer)->Commit().ok(), path);
  // The same in 16 bits, and AIFF, by hand.
  const std::string frames("\x00\x00\x00\x40\x00\xC0\xFF\x7F", 8);
  const std::string wav16 =
      absl::StrCat("RIFF", NumberBytes(44, 4), "WAVEfmt ", NumberBytes(16, 4), NumberBytes(1, 2),
                   NumberBytes(1, 2), NumberBytes(8000, 4), NumberBytes(16000, 4),
                   NumberBytes(2, 2), NumberBytes(16, 2), "data", NumberBytes(8, 4), frames);
  const std::string aiff = absl::StrCat("FORM", std::string("\0\0\0\x36", 4), "AIFFCOMM",
                                        std::string("\0\0\0\x12\0\x01\0\0\0\x04\0\x10", 12),
                                        std::string("\x40\x0B\xFA\0\0\0\0\0\0\0", 10), "SSND",
                                        std::string("\0\0\0\x10\0\0\0\0\0\0\0\0", 12), frames);
  const std::string au = absl::StrCat(
      ".snd", std::string("\0\0\0\x18\0\0\0\x08\0\0\0\x03\0\0\x1F\x40\0\0\0\x01", 20), frames);
  return {*ReadFile(path, 1 << 20), wav16, aiff, au};
}

}  // namespace

const std::vector<FuzzTarget>& DataTargets() {
  static const auto* const targets = new std::vector<FuzzTarget>{
      {"table", Table, TableSeeds, 60},
      {"packed_table", PackedTable, PackedTableSeeds},
      {"json_lines", JsonLines, JsonLinesSeeds, 60},
      {"series_arrays", SeriesArrays, SeriesArraysSeeds, 20},
      {"series_file", SeriesFile, SeriesFileSeeds},
      {"arrays", Arrays, ArraysSeeds, 20},
      {"arrays_parts", ArraysParts, ArraysPartsSeeds, 20},
      {"audio", Audio, AudioSeeds, 60},
  };
  return *targets;
}

}  // namespace seqgraph
