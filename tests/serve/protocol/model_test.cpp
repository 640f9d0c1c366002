#include "serve/protocol/model.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace iris::serve {
namespace {

class SilentModel : public Model {
 public:
  using Model::Model;
  using Model::set_labels;

  void predict(std::span<const float>, std::size_t, Predictions&) const override {}
  bool is_alive() const override { return true; }
};

constexpr const char* kThreeClasses =
    R"({"label":"b","index":1,"confidence":0.5,"probabilities":{"a":0.25,"b":0.5,"2":0.25}})"
    "\n";

std::string answers(const Model& model) {
  const Predictions predictions = {
      .class_count = 3, .logits = {0, 0, 0}, .probabilities = {0.25, 0.5, 0.25}, .best = {1}};
  std::string text;
  model.append_answers(predictions, 0, 1, text);
  return text;
}

TEST(Model, CallsTheClassesPastItsLabelsByTheirNumbers) {
  EXPECT_EQ(SilentModel({}, {"a", "b"}).labels(4), (std::vector<std::string>{"a", "b", "2", "3"}));
}

TEST(Model, WritesAnswersWithItsLabels) { EXPECT_EQ(answers(SilentModel({}, {"a", "b", "2"})), kThreeClasses); }

TEST(Model, WritesAnswersOfMoreClassesThanItHasLabels) {
  EXPECT_EQ(answers(SilentModel({}, {"a", "b"})), kThreeClasses);
}

TEST(Model, WritesAnswersWithLabelsThatWereSetLater) {
  SilentModel model({}, {});
  model.set_labels({"a", "b", "2"});
  EXPECT_EQ(answers(model), kThreeClasses);
}

}  // namespace
}  // namespace iris::serve
