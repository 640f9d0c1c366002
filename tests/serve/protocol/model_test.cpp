#include "serve/protocol/model.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace iris::serve {
namespace {

class SilentModel : public Model {
 public:
  using Model::Model;
  using Model::set_answers;

  void predict(std::span<const float>, std::size_t, Predictions&) const override {}
  bool is_alive() const override { return true; }
};

constexpr const char* kThreeClasses =
    R"({"label":"b","index":1,"confidence":0.5,"probabilities":{"a":0.25,"b":0.5,"2":0.25}})"
    "\n";

std::string answers(const Model& model) {
  const Predictions predictions = {
      .output_count = 3, .outputs = {0, 0, 0}, .class_count = 3, .probabilities = {0.25, 0.5, 0.25}, .best = {1}};
  std::string text;
  model.append_answers(predictions, 0, 1, text);
  return text;
}

TEST(Model, WritesAnswersWithItsLabels) { EXPECT_EQ(answers(SilentModel({}, {"a", "b", "2"})), kThreeClasses); }

TEST(Model, WritesAnswersOfMoreClassesThanItHasLabels) {
  EXPECT_EQ(answers(SilentModel({}, {"a", "b"})), kThreeClasses);
}

TEST(Model, WritesAnswersWithLabelsThatWereSetLater) {
  SilentModel model({}, {});
  model.set_answers({"a", "b", "2"}, Outputs::kLogits, false);
  EXPECT_EQ(answers(model), kThreeClasses);
}

TEST(Model, WritesValuesUnderTheirNames) {
  SilentModel model({}, {});
  model.set_answers({"price", "area"}, Outputs::kValues, false);
  const Predictions predictions = {
      .meaning = Outputs::kValues, .output_count = 2, .outputs = {1.5, -2}, .probabilities = {}, .best = {}};
  std::string text;
  model.append_answers(predictions, 0, 1, text);
  EXPECT_EQ(text, "{\"values\":{\"price\":1.5,\"area\":-2}}\n");
}

TEST(Model, HasTheOutputsOfWhatItsNumbersAre) {
  const auto names = [](Outputs meaning) {
    std::string all;
    for (const OutputType& type : outputs_of(meaning)) {
      all += std::string(type.name) + " ";
    }
    return all;
  };
  EXPECT_EQ(names(Outputs::kLogits), "probabilities logits label index ");
  EXPECT_EQ(names(Outputs::kProbabilities), "probabilities label index ");
  EXPECT_EQ(names(Outputs::kValues), "values ");
}

TEST(Model, KnowsTheColumnsOfASingleLogit) {
  SilentModel model({}, {});
  model.set_answers({"no", "yes"}, Outputs::kLogits, true);
  EXPECT_EQ(model.columns_of(model.outputs()[0]), 2U);
  EXPECT_EQ(model.columns_of(model.outputs()[1]), 1U);
}

}  // namespace
}  // namespace iris::serve
