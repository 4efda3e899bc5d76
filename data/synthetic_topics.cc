#include "data/synthetic_topics.h"

#include "absl/strings/ascii.h"
#include "data/synthetic_random.h"

namespace seqgraph::data {
namespace {

using internal::Random;

constexpr uint64_t kOtherTopic = 20;  // Percent of the sentences before the last.
constexpr size_t kWords = 8;

struct Topic {
  absl::string_view name;
  absl::string_view things[kWords];
  absl::string_view deeds[kWords];
};

constexpr Topic kTopics[kSyntheticTopics] = {
    {"cooking",
     {"soup", "oven", "recipe", "onion", "kitchen", "sauce", "bread", "knife"},
     {"baked", "stirred", "tasted", "sliced", "boiled", "salted", "fried", "served"}},
    {"music",
     {"song", "violin", "concert", "choir", "melody", "drum", "album", "rhythm"},
     {"sang", "tuned", "played", "recorded", "composed", "hummed", "rehearsed", "conducted"}},
    {"sport",
     {"match", "goal", "team", "race", "coach", "stadium", "ball", "medal"},
     {"won", "kicked", "trained", "scored", "sprinted", "lost", "passed", "defended"}},
    {"travel",
     {"train", "hotel", "map", "island", "luggage", "border", "ticket", "harbour"},
     {"arrived", "sailed", "booked", "crossed", "packed", "wandered", "boarded", "departed"}},
};

// {T} a thing and {D} a deed of the topic, {W} somebody, {J} an adjective.
constexpr absl::string_view kPatterns[] = {
    "{W} {D} the {J} {T}.",         "It was a {J} {T}, {W} said.",
    "After the {T} {W} {D} again.", "There was a {T}, and {W} {D} it.",
    "{W} never {D} without a {T}.", "Do you know the {J} {T} that {W} {D}?",
    "The {T} is {J}, but {W} {D}.", "Because of the {T}, {W} {D} with a {J} {T}.",
};
constexpr absl::string_view kPeople[] = {"she", "he", "my friend", "Anna", "nobody", "we", "Tom"};
constexpr absl::string_view kAdjectives[] = {"old", "new", "small", "famous", "good", "strange"};

template <size_t kSize>
absl::string_view Draw(const absl::string_view (&words)[kSize], Random& random) {
  return words[random.Below(kSize)];
}

std::string Sentence(const Topic& topic, Random& random) {
  const absl::string_view pattern = Draw(kPatterns, random);
  std::string text;
  internal::FillPattern(pattern, text, [&](char slot) {
    const absl::string_view word = slot == 'T'   ? Draw(topic.things, random)
                                   : slot == 'D' ? Draw(topic.deeds, random)
                                   : slot == 'W' ? Draw(kPeople, random)
                                                 : Draw(kAdjectives, random);
    text.append(word.data(), word.size());
  });
  text[0] = absl::ascii_toupper(static_cast<unsigned char>(text[0]));
  return text;
}

}  // namespace

absl::string_view SyntheticTopicName(int topic) { return kTopics[topic].name; }

std::string SyntheticTopicText(uint64_t seed, int topic, int64_t index) {
  Random random = Random::Of(seed, {static_cast<uint64_t>(topic), static_cast<uint64_t>(index)});
  std::string text;
  for (uint64_t left = 2 + random.Below(6); left > 0; --left) {
    const int other = static_cast<int>(random.Below(kSyntheticTopics));
    text += Sentence(kTopics[random.Percent(kOtherTopic) ? other : topic], random) + " ";
  }
  return text + Sentence(kTopics[topic], random);
}

}  // namespace seqgraph::data
