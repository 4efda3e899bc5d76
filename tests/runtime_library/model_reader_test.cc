// The reader of the runtime library beside the one that stands on protobuf.

#include "runtime_library/model_reader.h"

#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/atomic_file.h"
#include "base/byte_cursor.h"
#include "base/crc32c.h"
#include "graph/printer.h"
#include "graph/verifier.h"
#include "ops/all_ops.h"
#include "runtime_library/loaded_model.h"
#include "serialization/model_io.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

static_assert(kNewestModelFormat == kModelFormatVersion);

constexpr size_t kChecksumBytes = 4;

std::string Bytes(const std::string& name) {
  return ReadFile(absl::StrCat("tests/runtime_library/models/", name), 1 << 20).value();
}

// With the checksum that it must have.
std::string Sealed(std::string bytes) {
  const std::string content = bytes.substr(0, bytes.size() - kChecksumBytes - 2);
  return absl::StrCat(content, "\xC5\x3E", NumberBytes(Crc32c(content), 4));
}

class ModelReader : public ::testing::TestWithParam<const char*> {};

TEST_P(ModelReader, ReadsWhatProtobufReads) {
  const std::string bytes = Bytes(GetParam());
  ASSERT_EQ(Sealed(bytes), bytes);
  SEQ_ASSERT_OK_AND_ASSIGN(const Model found, ReadModel(bytes, AllOps()));
  SEQ_ASSERT_OK_AND_ASSIGN(const Model expected, ParseModel(bytes, ModelFormat::kBinary, AllOps()));
  EXPECT_EQ(found.name, expected.name);
  EXPECT_EQ(found.description, expected.description);
  EXPECT_EQ(found.labels, expected.labels);
  ASSERT_EQ(found.functions.size(), expected.functions.size());
  for (size_t f = 0; f < found.functions.size(); ++f) {
    EXPECT_EQ(FunctionToText(found.functions[f]), FunctionToText(expected.functions[f]));
  }
  ASSERT_EQ(found.variables.all().size(), expected.variables.all().size());
  for (size_t v = 0; v < found.variables.all().size(); ++v) {
    const Variable &a = found.variables.all()[v], &b = expected.variables.all()[v];
    EXPECT_EQ(a.def, b.def);
    EXPECT_TRUE(a.value.BitwiseEquals(b.value)) << b.def.name;
  }
}

// Damaged and sealed again: an error, or a model that holds together; never a read outside, which
// the sanitizer sees, since the bytes lie in memory of just their size.
TEST_P(ModelReader, RefusesOrReadsDamagedBytes) {
  const std::string bytes = Bytes(GetParam());
  const uint64_t seed = 20261129;
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  std::mt19937_64 random(seed);
  int refused = 0;
  constexpr int kTries = 3000;
  for (int i = 0; i < kTries; ++i) {
    std::string damaged = bytes;
    // Where the structure is, not in the weights behind it, as often as not.
    const size_t reach = i % 2 == 0 ? damaged.size() : std::min<size_t>(damaged.size(), 600);
    for (size_t k = 0; k <= random() % 3; ++k) {
      damaged[random() % reach] = static_cast<char>(random());
    }
    damaged = Sealed(std::move(damaged));
    const std::unique_ptr<char[]> memory(new char[damaged.size()]);
    std::memcpy(memory.get(), damaged.data(), damaged.size());
    const absl::StatusOr<Model> model = ReadModel({memory.get(), damaged.size()}, AllOps());
    if (model.ok()) {
      ASSERT_THAT(VerifyModel(*model), IsOk());
    } else {
      ASSERT_FALSE(model.status().message().empty());
      ++refused;
    }
  }
  EXPECT_GT(refused, kTries / 4);
  EXPECT_LT(refused, kTries) << "a changed weight is a model like any other";
}

INSTANTIATE_TEST_SUITE_P(All, ModelReader,
                         ::testing::Values("dense.pb", "SimpleRNN.pb", "LSTM.pb", "GRU.pb"));

TEST(ModelReaderErrors, NameWhatIsMissing) {
  SEQ_ASSERT_OK_AND_ASSIGN(Model model,
                           ParseModel(Bytes("dense.pb"), ModelFormat::kBinary, AllOps()));
  SEQ_ASSERT_OK_AND_ASSIGN(const std::string bytes, SerializeModel(model, ModelFormat::kBinary));
  // The op's name, as long as it was.
  std::string other = bytes;
  const size_t at = other.find(
      "\"\x05"
      "Dense");
  ASSERT_NE(at, std::string::npos);
  other.replace(at + 2, 5, "Dunse");
  EXPECT_THAT(ReadModel(Sealed(other), AllOps()),
              StatusIs(absl::StatusCode::kNotFound, "the nearest are Dense"));
  // A name with a zero byte, which a C string would cut.
  other = bytes;
  const size_t label = other.find("warm");
  ASSERT_NE(label, std::string::npos);
  other[label + 1] = '\0';
  EXPECT_THAT(ReadModel(Sealed(other), AllOps()),
              StatusIs(absl::StatusCode::kInvalidArgument, "zero byte"));
  // Field 3000 in front of the checksum.
  other = bytes;
  other.insert(other.size() - 6, "\xC0\xBB\x01\x01");
  EXPECT_THAT(ReadModel(Sealed(other), AllOps()),
              StatusIs(absl::StatusCode::kInvalidArgument, "does not know"));
}

// What is wrong with a function is told to who asks for it, and the others serve.
TEST(LoadedModelTest, ReadsAFunctionWhenItIsAskedFor) {
  std::string bytes = Bytes("dense.pb");
  const size_t at = bytes.find("SGDUpdate");
  ASSERT_NE(at, std::string::npos);
  bytes.replace(at, 9, "SGDUpdote");
  bytes = Sealed(std::move(bytes));
  EXPECT_THAT(ReadModel(bytes, AllOps()), StatusIs(absl::StatusCode::kNotFound, "SGDUpdote"));
  SEQ_ASSERT_OK_AND_ASSIGN(UnreadModel unread, ReadWithoutFunctions(bytes));
  const int32_t train_step = IndexOf("train_step", unread.functions).value();
  LoadedModel model(std::move(unread));
  ASSERT_EQ(model.num_functions(), 3);
  EXPECT_TRUE(model.model().functions.empty());
  for (int times = 0; times < 2; ++times) {
    EXPECT_THAT(model.GetFunction("train_step"),
                StatusIs(absl::StatusCode::kNotFound, "SGDUpdote"));
    EXPECT_THAT(model.GetFunction(train_step), StatusIs(absl::StatusCode::kNotFound, "SGDUpdote"));
    SEQ_ASSERT_OK_AND_ASSIGN(const auto* predict, model.GetFunction("predict"));
    EXPECT_EQ(predict->function->name(), "predict");
    ASSERT_EQ(predict->ports.inputs.size(), 1);
    EXPECT_EQ(predict->ports.inputs[0].name, "x");
    ASSERT_EQ(predict->ports.outputs.size(), 1);
    EXPECT_EQ(predict->ports.outputs[0].name, "y");
    EXPECT_EQ(model.model().functions.size(), 1);
  }
  EXPECT_THAT(model.GetFunction("predlct"), StatusIs(absl::StatusCode::kNotFound, "predict"));
  EXPECT_THAT(model.GetFunction(3), StatusIs(absl::StatusCode::kNotFound, "there are 3"));
  EXPECT_THAT(model.GetFunction(-1), StatusIs(absl::StatusCode::kNotFound, "there are 3"));
}

TEST(LoadedModelTest, ServesThreads) {
  SEQ_ASSERT_OK_AND_ASSIGN(UnreadModel unread, ReadWithoutFunctions(Bytes("LSTM.pb")));
  LoadedModel model(std::move(unread));
  std::vector<std::thread> threads;
  std::vector<const Function*> found(8);
  for (size_t t = 0; t < found.size(); ++t) {
    threads.emplace_back([&model, &found, t] {
      for (int32_t i = 0; i < model.num_functions(); ++i) {
        const auto function = model.GetFunction((i + static_cast<int32_t>(t)) % 3);
        SEQ_CHECK(function.ok());
        if ((*function)->function->name() == "predict") found[t] = (*function)->function;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const Function* function : found) {
    ASSERT_NE(function, nullptr);
    EXPECT_EQ(function, found[0]);
    EXPECT_EQ(function->name(), "predict");
  }
}

}  // namespace
}  // namespace seqgraph
