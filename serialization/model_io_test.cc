#include "serialization/model_io.h"

#include <signal.h>
#include <sys/resource.h>

#include <atomic>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "base/atomic_file.h"
#include "base/crc32c.h"
#include "graph/function_builder.h"
#include "graph/printer.h"
#include "serialization/function_proto.h"
#include "serialization/model.pb.h"
#include "serialization/proto_guard.h"
#include "serialization/testing/test_ops.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
constexpr ModelFormat kFormats[] = {ModelFormat::kBinary, ModelFormat::kText};

// Gives a changed message the checksum that belongs to it.
std::string Seal(const proto::Model& model) {
  std::string bytes = model.SerializeAsString();
  const uint32_t sum = Crc32c(bytes);
  bytes += "\xC5\x3E";
  for (int i = 0; i < 4; ++i) bytes += static_cast<char>(sum >> (8 * i));
  return bytes;
}

class ModelIoTest : public ::testing::Test {
 protected:
  std::string Binary() { return *SerializeModel(model_, ModelFormat::kBinary); }
  std::string Text() { return *SerializeModel(model_, ModelFormat::kText); }

  // What parsing says after a change of the message.
  absl::Status Changed(const std::function<void(proto::Model&)>& change) {
    proto::Model saved;
    const std::string bytes = Binary();
    EXPECT_TRUE(saved.ParseFromString(bytes.substr(0, bytes.size() - 6)));
    change(saved);
    return ParseModel(Seal(saved), ModelFormat::kBinary, registry_).status();
  }

  OpRegistry registry_ = FileTestOps();
  Model model_ = FileTestModel(registry_);
};

void ExpectSame(const Model& a, const Model& b) {
  EXPECT_EQ(a.name, b.name);
  EXPECT_EQ(a.description, b.description);
  EXPECT_EQ(a.labels, b.labels);
  EXPECT_EQ(a.preprocessing.rule, b.preprocessing.rule);
  EXPECT_EQ(a.preprocessing.num_words, b.preprocessing.num_words);
  EXPECT_EQ(a.preprocessing.maxlen, b.preprocessing.maxlen);
  EXPECT_EQ(a.preprocessing.words, b.preprocessing.words);
  EXPECT_EQ(a.preprocessing.text_column, b.preprocessing.text_column);
  EXPECT_EQ(a.preprocessing.label_column, b.preprocessing.label_column);
  EXPECT_EQ(a.series, b.series);
  ASSERT_EQ(a.functions.size(), b.functions.size());
  for (size_t i = 0; i < a.functions.size(); ++i) {
    EXPECT_EQ(FunctionToText(a.functions[i]), FunctionToText(b.functions[i]));
    EXPECT_EQ(PrintTextProto(FunctionToProto(a.functions[i])),
              PrintTextProto(FunctionToProto(b.functions[i])));
  }
  ASSERT_EQ(a.variables.all().size(), b.variables.all().size());
  for (size_t i = 0; i < a.variables.all().size(); ++i) {
    const Variable& va = a.variables.all()[i];
    const Variable& vb = b.variables.all()[i];
    EXPECT_EQ(va.def.name, vb.def.name);
    EXPECT_EQ(va.def.role, vb.def.role);
    EXPECT_EQ(va.def.trainable, vb.def.trainable);
    EXPECT_EQ(va.def.initializer.kind, vb.def.initializer.kind);
    EXPECT_TRUE(va.value.BitwiseEquals(vb.value)) << va.def.name;
  }
}

TEST_F(ModelIoTest, BothFormatsGiveTheSameBitsBack) {
  for (const ModelFormat format : kFormats) {
    SEQ_ASSERT_OK_AND_ASSIGN(const std::string bytes, SerializeModel(model_, format));
    SEQ_ASSERT_OK_AND_ASSIGN(const Model read, ParseModel(bytes, format, registry_));
    ExpectSame(read, model_);
    SEQ_ASSERT_OK_AND_ASSIGN(const std::string again, SerializeModel(read, format));
    EXPECT_TRUE(again == bytes);
  }
}

TEST_F(ModelIoTest, BinaryAndTextAreTheSameModel) {
  SEQ_ASSERT_OK_AND_ASSIGN(const Model read, ParseModel(Text(), ModelFormat::kText, registry_));
  EXPECT_TRUE(*SerializeModel(read, ModelFormat::kBinary) == Binary());
}

TEST_F(ModelIoTest, TheBinaryFormIsTheMessageWithItsChecksumLast) {
  proto::Model saved;
  const std::string bytes = Binary();
  ASSERT_TRUE(saved.ParseFromString(bytes));
  EXPECT_EQ(saved.magic(), "seqgraph model");
  EXPECT_EQ(saved.format_version(), 1);
  EXPECT_EQ(saved.checksum(), Crc32c(absl::string_view(bytes).substr(0, bytes.size() - 6)));
}

TEST_F(ModelIoTest, SavesAndLoadsByTheEndingOfThePath) {
  const std::string folder = MakeTempDir();
  for (const char* name : {"/m.pb", "/m.textproto"}) {
    SEQ_ASSERT_OK(SaveModel(model_, folder + name));
    SEQ_ASSERT_OK_AND_ASSIGN(const Model read, LoadModel(folder + name, registry_));
    ExpectSame(read, model_);
  }
  for (const char* name : {"/m.onnx", "/m", "/pb", ""}) {
    EXPECT_THAT(SaveModel(model_, folder + name), StatusIs(kInvalid, ".pb or .textproto"));
    EXPECT_THAT(LoadModel(folder + name, registry_), StatusIs(kInvalid, ".pb or .textproto"));
  }
}

// Of two models, whose names say how many words they have, each reader gets one whole.
TEST_F(ModelIoTest, ReadersOfAModelThatIsReplacedGetOneWhole) {
  const std::string path = MakeTempDir() + "/m.pb";
  constexpr int kReplacements = 1'000, kReaders = 3;
  Model models[] = {FileTestModel(registry_), FileTestModel(registry_)};
  std::string bytes[2];
  for (int i : {0, 1}) {
    models[i].description = std::string(i == 0 ? 10 : 100'000, static_cast<char>('a' + i));
    bytes[i] = *SerializeModel(models[i], ModelFormat::kBinary);
  }
  SEQ_ASSERT_OK(SaveModel(models[0], path));
  std::atomic<bool> done{false};
  std::atomic<int> seen[2] = {};
  std::vector<std::thread> readers;
  for (int r = 0; r < kReaders; ++r) {
    readers.emplace_back([&] {
      while (!done) {
        const absl::StatusOr<Model> read = LoadModel(path, registry_);
        ASSERT_THAT(read, IsOk());
        const std::string again = *SerializeModel(*read, ModelFormat::kBinary);
        ASSERT_TRUE(again == bytes[0] || again == bytes[1]) << again.size();
        ++seen[again == bytes[1]];
      }
    });
  }
  for (int i = 0; i < kReplacements; ++i) SEQ_EXPECT_OK(SaveModel(models[(i + 1) % 2], path));
  done = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_GT(seen[0], 0);
  EXPECT_GT(seen[1], 0);
}

TEST_F(ModelIoTest, LoadErrorsNameThePath) {
  const std::string folder = MakeTempDir();
  EXPECT_THAT(LoadModel(folder + "/none.pb", registry_),
              StatusIs(absl::StatusCode::kNotFound, folder + "/none.pb"));
  SEQ_ASSERT_OK(AtomicWriteFile(folder + "/bad.pb", "PK\x03\x04"));
  EXPECT_THAT(LoadModel(folder + "/bad.pb", registry_),
              StatusIs(kInvalid, folder + "/bad.pb: not a seqgraph model"));
  SEQ_ASSERT_OK(AtomicWriteFile(folder + "/text.pb", Text()));
  EXPECT_THAT(LoadModel(folder + "/text.pb", registry_), StatusIs(kInvalid, "name it .textproto"));
  SEQ_ASSERT_OK(AtomicWriteFile(folder + "/b.textproto", Binary()));
  EXPECT_THAT(LoadModel(folder + "/b.textproto", registry_), StatusIs(kInvalid, "name it .pb"));
}

TEST_F(ModelIoTest, AFullDiskLeavesThePreviousModel) {
  const std::string path = MakeTempDir() + "/m.pb";
  SEQ_ASSERT_OK(SaveModel(model_, path));
  SEQ_ASSERT_OK_AND_ASSIGN(const std::string before, ReadFile(path, INT32_MAX));
  SEQ_ASSERT_OK(model_.variables.Assign("ids", Tensor::Of<int32_t>({3}, {7, 8, 9})));
  struct rlimit limit;
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &limit), 0);
  const auto handler = ::signal(SIGXFSZ, SIG_IGN);
  struct rlimit small = limit;
  small.rlim_cur = before.size() / 2;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const absl::Status status = SaveModel(model_, path);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
  ::signal(SIGXFSZ, handler);
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kResourceExhausted, path));
  SEQ_ASSERT_OK_AND_ASSIGN(const std::string after, ReadFile(path, INT32_MAX));
  EXPECT_TRUE(after == before);
  const std::filesystem::directory_iterator entries(std::filesystem::path(path).parent_path());
  EXPECT_EQ(std::distance(begin(entries), end(entries)), 1);
}

TEST_F(ModelIoTest, EveryChangedByteAndEveryCutIsNoticed) {
  const std::string bytes = Binary();
  for (size_t i = 0; i < bytes.size(); ++i) {
    std::string changed = bytes;
    changed[i] ^= 0x10;
    ASSERT_FALSE(ParseModel(changed, ModelFormat::kBinary, registry_).ok()) << i;
  }
  EXPECT_THAT(ParseModel(bytes + "x", ModelFormat::kBinary, registry_),
              StatusIs(absl::StatusCode::kDataLoss, "checksum"));
  EXPECT_THAT(ParseModel(bytes.substr(0, bytes.size() - 7), ModelFormat::kBinary, registry_),
              StatusIs(absl::StatusCode::kDataLoss, "cut short"));
}

TEST_F(ModelIoTest, ANewerFormatIsNamed) {
  const auto kNewer = absl::StatusCode::kFailedPrecondition;
  EXPECT_THAT(Changed([](proto::Model& m) { m.set_format_version(6); }),
              StatusIs(kNewer, "format version 6; this program reads up to 5"));
  EXPECT_THAT(Changed([](proto::Model& m) {
                m.set_format_version(300);
                m.GetReflection()->MutableUnknownFields(&m)->AddVarint(50, 1);
              }),
              StatusIs(kNewer, "format version 300"));
  // Sealed in another way, as a newer format may be.
  proto::Model other;
  other.set_magic("seqgraph model");
  other.set_format_version(6);
  EXPECT_THAT(ParseModel(other.SerializeAsString(), ModelFormat::kBinary, registry_),
              StatusIs(kNewer, "format version 6"));
  // In text, with a field that only the newer one has.
  const std::string text =
      absl::StrReplaceAll(Text(), {{"format_version: 1\n", "format_version: 6\nshards: 3\n"}});
  EXPECT_THAT(ParseModel(text, ModelFormat::kText, registry_), StatusIs(kNewer, "version 6"));
  EXPECT_THAT(Changed([](proto::Model& m) { m.set_format_version(0); }),
              StatusIs(kInvalid, "format version 0"));
}

// Of the function predict, with any numbers.
SelfTest TestOfPredict(const Model& model) {
  const Function& predict = *model.FindFunction("predict");
  SelfTest test{.function = "predict", .batch = 2, .producer = "somebody 1"};
  for (Value input : predict.inputs()) {
    const TensorType& type = predict.type(input);
    test.inputs[predict.info(input).name] = Tensor::Zeros({type.dtype, type.shape.Bind(2)}).value();
  }
  const TensorType& y = predict.type(predict.FindResult("y"));
  test.results["y"] = {Tensor::Zeros({y.dtype, y.shape.Bind(2)}).value(), 0.1};
  test.gradients["layer/kernel"] = {model.variables.Find("layer/kernel")->value, 1e-7};
  return test;
}

TEST_F(ModelIoTest, SelfTestsComeBackAsTheyWere) {
  const SelfTest test = TestOfPredict(model_);
  for (ModelFormat format : kFormats) {
    SEQ_ASSERT_OK_AND_ASSIGN(const std::string bytes, SerializeModel(model_, format, {test, test}));
    std::vector<SelfTest> read;
    SEQ_ASSERT_OK(ParseModel(bytes, format, registry_, &read));
    ASSERT_EQ(read.size(), 2u);
    EXPECT_EQ(read[1].function, test.function);
    EXPECT_EQ(read[1].batch, 2);
    EXPECT_EQ(read[1].producer, "somebody 1");
    EXPECT_TRUE(read[1].inputs.at("x").BitwiseEquals(test.inputs.at("x")));
    EXPECT_EQ(read[1].results.at("y").allowed, 0.1);
    EXPECT_TRUE(read[1].results.at("y").tensor.BitwiseEquals(test.results.at("y").tensor));
    EXPECT_EQ(read[1].gradients.at("layer/kernel").allowed, 1e-7);
    // Who does not ask for them loads the model alone.
    SEQ_EXPECT_OK(ParseModel(bytes, format, registry_));
  }
}

TEST_F(ModelIoTest, OnlyAModelWithSelfTestsNeedsTheNewerFormat) {
  EXPECT_THAT(Text(), ::testing::HasSubstr("format_version: 1\n"));
  const std::string with = *SerializeModel(model_, ModelFormat::kText, {TestOfPredict(model_)});
  EXPECT_THAT(with, ::testing::HasSubstr("format_version: 2\n"));
  EXPECT_THAT(ParseModel(absl::StrReplaceAll(with, {{"format_version: 2", "format_version: 1"},
                                                    {"# crc32c", "# no longer"}}),
                         ModelFormat::kText, registry_),
              StatusIs(kInvalid, "format version 1 has no self-tests"));
}

TEST_F(ModelIoTest, ASelfTestMustFitTheModel) {
  const auto refused = [&](const std::function<void(SelfTest&)>& change) {
    SelfTest test = TestOfPredict(model_);
    change(test);
    return SerializeModel(model_, ModelFormat::kBinary, {test}).status();
  };
  EXPECT_THAT(refused([](SelfTest& t) { t.function = "none"; }),
              StatusIs(kInvalid, "self-test of function none: the model has no such function"));
  EXPECT_THAT(refused([](SelfTest& t) { t.function = "train_step"; }),
              StatusIs(kInvalid, "changes variables"));
  EXPECT_THAT(refused([](SelfTest& t) { t.batch = 3; }),
              StatusIs(kInvalid, "input x is float32[2, 100], the function's is float32[3, 100]"));
  EXPECT_THAT(refused([](SelfTest& t) { t.batch = 0; }), StatusIs(kInvalid, "batch 0"));
  EXPECT_THAT(refused([](SelfTest& t) { t.batch = int64_t{1} << 40; }),
              StatusIs(kInvalid, "is not from 1"));
  EXPECT_THAT(refused([](SelfTest& t) { t.inputs.erase("x"); }), StatusIs(kInvalid, "1 inputs"));
  EXPECT_THAT(refused([](SelfTest& t) { t.results.clear(), t.gradients.clear(); }),
              StatusIs(kInvalid, "compares nothing"));
  EXPECT_THAT(refused([](SelfTest& t) { t.results["z"] = t.results["y"]; }),
              StatusIs(kInvalid, "result z: there is none"));
  EXPECT_THAT(refused([](SelfTest& t) { t.results["y"].allowed = std::nan(""); }),
              StatusIs(kInvalid, "must be finite and not negative"));
  EXPECT_THAT(refused([](SelfTest& t) { t.results["y"].allowed = -1; }),
              StatusIs(kInvalid, "must be finite and not negative"));
  EXPECT_THAT(refused([](SelfTest& t) { t.gradients["w"] = t.gradients["layer/kernel"]; }),
              StatusIs(kInvalid, "gradient w"));
  EXPECT_THAT(refused([](SelfTest& t) { t.producer = "\xff"; }), StatusIs(kInvalid, "UTF-8"));
}

TEST_F(ModelIoTest, AnUnknownFieldIsAnErrorThatNamesItsPlace) {
  EXPECT_THAT(Changed([](proto::Model& m) {
                proto::Variable* v = m.mutable_variables(1);
                v->GetReflection()->MutableUnknownFields(v)->AddLengthDelimited(77, "x");
              }),
              StatusIs(kInvalid, "variables[1] has field 77 of Variable"));
}

TEST_F(ModelIoTest, VariablesMustFitTheFunctions) {
  EXPECT_THAT(Changed([](proto::Model& m) { m.mutable_variables()->DeleteSubrange(0, 1); }),
              StatusIs(kInvalid, "function predict reads variable layer/kernel, which the model"));
  EXPECT_THAT(Changed([](proto::Model& m) { *m.add_variables() = m.variables(0); }),
              StatusIs(kInvalid, "variable layer/kernel is there twice"));
  EXPECT_THAT(
      Changed([](proto::Model& m) { m.mutable_variables(0)->mutable_value()->clear_raw(); }),
      StatusIs(kInvalid, "variable layer/kernel: float32[2, 8] needs 64 bytes, found 0"));
  EXPECT_THAT(Changed([](proto::Model& m) {
                m.mutable_variables(0)->mutable_def()->mutable_type()->set_dims(0, 4);
                m.mutable_variables(0)->mutable_def()->mutable_type()->set_dims(1, 4);
              }),
              StatusIs(kInvalid, "variable layer/kernel is float32[4, 4], but its content is"));
  EXPECT_THAT(Changed([](proto::Model& m) {
                for (auto* type : {m.mutable_variables(0)->mutable_def()->mutable_type(),
                                   m.mutable_variables(0)->mutable_value()->mutable_type()}) {
                  type->set_dims(0, 8);
                  type->set_dims(1, 2);
                }
              }),
              StatusIs(kInvalid, "layer/kernel"));
  EXPECT_THAT(Changed([](proto::Model& m) {
                m.mutable_functions(0)->mutable_variables(0)->mutable_type()->set_dims(
                    0, int64_t{1} << 36);
              }),
              StatusIs(kInvalid, "layer/kernel"));
}

TEST_F(ModelIoTest, OtherFaultsAreNamed) {
  EXPECT_THAT(Changed([](proto::Model& m) { *m.add_functions() = m.functions(0); }),
              StatusIs(absl::StatusCode::kAlreadyExists, "predict"));
  EXPECT_THAT(Changed([](proto::Model& m) { m.mutable_series()->set_horizon(-1); }),
              StatusIs(kInvalid, "series: horizon"));
  EXPECT_THAT(Changed([](proto::Model& m) { m.mutable_series()->add_quantiles(1.5); }),
              StatusIs(kInvalid, "series: quantiles"));
  EXPECT_THAT(Changed([](proto::Model& m) { m.mutable_preprocessing()->set_maxlen(-1); }),
              StatusIs(kInvalid, "maxlen -1"));
  EXPECT_THAT(
      Changed([](proto::Model& m) { m.mutable_functions(0)->mutable_nodes(0)->set_op("Conv"); }),
      StatusIs(absl::StatusCode::kNotFound, "node layer/mix"));
  EXPECT_THAT(ParseModel("magic: 'other'  format_version: 1", ModelFormat::kText, registry_),
              StatusIs(kInvalid, "magic"));
  EXPECT_THAT(ParseModel("", ModelFormat::kText, registry_), StatusIs(kInvalid, "magic"));
  EXPECT_THAT(ParseModel("", ModelFormat::kBinary, registry_),
              StatusIs(kInvalid, "not a seqgraph"));
  EXPECT_THAT(ParseModel(Text() + "checksum: 1\n", ModelFormat::kText, registry_),
              StatusIs(kInvalid, "no field for its checksum"));
}

TEST_F(ModelIoTest, TheOptimizerComesBackAsItWas) {
  const OptimizerRecord record{"Adagrad", {{"epsilon", 1e-7}, {"centered", true}}};
  for (const ModelFormat format : kFormats) {
    model_.optimizer = record;
    SEQ_ASSERT_OK_AND_ASSIGN(const std::string bytes, SerializeModel(model_, format));
    SEQ_ASSERT_OK_AND_ASSIGN(const Model read, ParseModel(bytes, format, registry_));
    ASSERT_TRUE(read.optimizer.has_value());
    EXPECT_EQ(read.optimizer->name, record.name);
    EXPECT_EQ(read.optimizer->settings, record.settings);
    model_.optimizer.reset();
    SEQ_ASSERT_OK_AND_ASSIGN(const Model without,
                             ParseModel(*SerializeModel(model_, format), format, registry_));
    EXPECT_FALSE(without.optimizer.has_value());
  }
  model_.optimizer = record;
  EXPECT_THAT(Changed([](proto::Model& m) {
                *m.mutable_optimizer()->add_settings() = m.optimizer().settings(0);
              }),
              StatusIs(kInvalid, "the optimizer's names"));
  EXPECT_THAT(
      Changed([](proto::Model& m) { m.mutable_optimizer()->mutable_settings(0)->clear_value(); }),
      StatusIs(kInvalid, "has no value"));
  EXPECT_THAT(Changed([](proto::Model& m) {
                m.mutable_optimizer()->set_name(std::string(kMaxNameBytes + 1, 'x'));
              }),
              StatusIs(kInvalid, "the optimizer's names"));
}

TEST_F(ModelIoTest, WhatCouldNotBeReadAgainIsNotWritten) {
  model_.description = "caf\xE9";
  EXPECT_THAT(SerializeModel(model_, ModelFormat::kBinary), StatusIs(kInvalid, "description"));
  model_.description.clear();
  FunctionBuilder g(std::string(kMaxNameBytes + 1, 'f'), registry_);
  g.Result("x", g.Input("x", {DType::kFloat32, {}}));
  SEQ_ASSERT_OK_AND_ASSIGN(Function function, std::move(g).Build());
  SEQ_ASSERT_OK(model_.AddFunction(std::move(function)));
  const std::string path = MakeTempDir() + "/m.pb";
  EXPECT_THAT(SaveModel(model_, path), StatusIs(kInvalid, "has 1001 bytes"));
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(ModelIoTest, TheOutlineShowsTheVariablesWithoutTheirContent) {
  const std::string outline = ModelOutline(model_);
  EXPECT_NE(outline.find("name: \"layer/kernel\""), std::string::npos);
  EXPECT_EQ(outline.find("float32_values"), std::string::npos);
  EXPECT_EQ(outline.find("raw"), std::string::npos);
  EXPECT_NE(Text().find("float64_values"), Text().find("raw"));
}

}  // namespace
}  // namespace seqgraph
