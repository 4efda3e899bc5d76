#pragma once

#include <cstdint>
#include <random>
#include <string>

#include "google/protobuf/message.h"

namespace seqgraph {

/// The seed of a test's damage: the environment's SEQGRAPH_FUZZ_SEED, or else `otherwise`. Printed.
uint64_t FuzzSeed(uint64_t otherwise);
/// How often a test damages: SEQGRAPH_FUZZ_COUNT times, or else `otherwise`.
int FuzzCount(int otherwise);

/// Damages inputs at random; the same seed gives the same damage on every machine.
class Mutator {
 public:
  explicit Mutator(uint64_t seed) : random_(seed) {}

  /// Uniform in [0, limit).
  uint64_t Below(uint64_t limit) { return random_() % limit; }

  /// One to eight changes of the bytes: bits flipped; bytes overwritten, inserted, removed; pieces
  /// repeated or moved.
  std::string Bytes(std::string bytes);

  /// One to four numbers, texts and words of a JSON text become others: extreme ones, or those of
  /// another place. It stays well-formed, so that what is behind the parser gets its share.
  std::string Json(std::string json);

  /// One to four changes that leave a well-formed message: numbers become extreme, texts become
  /// empty, long or that of another place, parts vanish or are there twice. So what is behind the
  /// parser gets its share.
  void Message(google::protobuf::Message& message);

 private:
  void ChangeBytes(std::string& bytes);
  std::string OtherToken(const std::string& json);
  void ChangeField(google::protobuf::Message& message);
  int64_t ExtremeInt();
  double ExtremeReal();
  std::string OtherText(const std::string& text);

  std::mt19937_64 random_;
  std::string last_text_;
};

}  // namespace seqgraph
