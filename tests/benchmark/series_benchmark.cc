// How fast a table of numbers becomes a SeriesSet, for threads: bytes a second, and the memory that
// it took, of 256 MB that it may take. Beside it what std::from_chars takes for the numbers alone,
// from memory. The file (100 MB, or SEQGRAPH_BENCHMARK_MB) has 10 columns of 6 to 9 bytes.

#include <benchmark/benchmark.h>
#include <stdlib.h>
#include <sys/resource.h>

#include <charconv>
#include <cstdio>
#include <fstream>
#include <random>
#include <sstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "data/series/series_set.h"

namespace seqgraph {
namespace {

constexpr int kColumns = 10;

// Made once; removed at the end of the process.
class File {
 public:
  File() {
    const char* const folder = ::getenv("TMPDIR");
    path_ = absl::StrCat(folder == nullptr ? "/var/tmp" : folder, "/series_benchmark.csv");
    const char* const given = ::getenv("SEQGRAPH_BENCHMARK_MB");
    const int64_t wanted = (given == nullptr ? 100 : std::atoll(given)) << 20;
    std::ofstream file(path_, std::ios::binary);
    std::mt19937 random(1);
    std::string rows = "a,b,c,d,e,f,g,h,i,j\n";
    for (bytes_ = 0; bytes_ < wanted; rows.clear()) {
      while (rows.size() < 1 << 20) {
        for (int i = 0; i < kColumns; ++i) {
          absl::StrAppendFormat(
              &rows, "%.*f%c", i % 4 + 3,
              static_cast<double>(static_cast<int>(random() % 2000000) - 1000000) / 1e4,
              i + 1 < kColumns ? ',' : '\n');
        }
      }
      file << rows;
      bytes_ += static_cast<int64_t>(rows.size());
    }
  }
  ~File() { std::remove(path_.c_str()); }

  const std::string& path() const { return path_; }
  int64_t bytes() const { return bytes_; }

 private:
  std::string path_;
  int64_t bytes_ = 0;
};

const File& TheFile() {
  static const File file;
  return file;
}

void ReadTable(benchmark::State& state) {
  const File& file = TheFile();
  data::SeriesSourceOptions options;
  options.max_memory = int64_t{256} << 20;
  options.threads = static_cast<int>(state.range(0));
  for (auto each : state) {
    const auto set = data::ReadSeries(file.path(), options);
    if (!set.ok()) state.SkipWithError(set.status().ToString().c_str());
  }
  state.SetBytesProcessed(state.iterations() * file.bytes());
  rusage usage;
  ::getrusage(RUSAGE_SELF, &usage);
  state.counters["most_MB"] = static_cast<double>(usage.ru_maxrss) / 1024;
}
BENCHMARK(ReadTable)->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond);

void FromCharsAlone(benchmark::State& state) {
  std::ostringstream stream;
  stream << std::ifstream(TheFile().path(), std::ios::binary).rdbuf();
  const std::string text = stream.str();
  for (auto each : state) {
    const char* const end = text.data() + text.size();
    for (const char* at = text.data() + text.find('\n') + 1; at < end; ++at) {
      float value = 0;
      at = std::from_chars(at, end, value).ptr;
      benchmark::DoNotOptimize(value);
    }
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(text.size()));
}
BENCHMARK(FromCharsAlone)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace seqgraph
