#include "serve/protocol/instances.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "serve/fake_model.h"
#include "serve/refusal.h"

namespace iris::serve {
namespace {

const FakeModel kModel;

// Of three rows, those at 1 and 2 are wanted.
Predictions predictions_of_three() {
  Predictions predictions;
  kModel.predict(std::vector<float>{1, 2, 0, 0, 1, 1, 0, 0, 0, 2, 0, 0}, 3, predictions);
  return predictions;
}

class NamelessModel : public FakeModel {
 public:
  NamelessModel() : FakeModel(std::vector<std::string>()) {}
};

std::vector<float> read(const std::string& body) { return parse_instances(kModel, body, Bare::kAllowed).values; }

std::string refused(const std::string& body, const Model& model = kModel) {
  return refusal([&] { parse_instances(model, body, Bare::kAllowed); });
}

TEST(Instances, AreListsOrObjectsInEveryForm) {
  const std::vector<float> one = {1, 2.5, -3, 0.5};
  for (const char* body :
       {R"({"instances":[[1,2.5,-3,0.5]]})", R"( {"instances": [ [1, 2.5, -3, 5e-1] ]})", "[1,2.5,-3,0.5]",
        "[[1,2.5,-3,0.5]]", R"({"d":0.5,"b":2.5,"c":-3,"a":1,"more":null})", R"([{"a":1,"b":2.5,"c":-3,"d":0.5}])",
        R"({"signature_name":"x","instances":[{"a":1,"b":2.5,"c":-3,"d":0.5}]})"}) {
    EXPECT_EQ(read(body), one) << body;
  }
}

TEST(Instances, AreReadInTheirOrder) {
  EXPECT_EQ(read(R"({"instances":[[1,2,3,4],[5,6,7,8]]})"), (std::vector<float>{1, 2, 3, 4, 5, 6, 7, 8}));
}

TEST(Instances, AreCounted) {
  EXPECT_EQ(parse_instances(kModel, R"({"instances":[[1,2,3,4],[5,6,7,8]]})", Bare::kAllowed).count, 2);
}

TEST(Instances, TakeTheFirstOnesWidthWhereTheModelNamesNoFeatures) {
  EXPECT_EQ(parse_instances(NamelessModel(), "[[1,2],[3,4]]", Bare::kAllowed).values, (std::vector<float>{1, 2, 3, 4}));
}

TEST(Instances, AreRefusedWithTooFewNumbers) {
  EXPECT_EQ(refused(R"({"instances":[[1,2,3,4],[1,2,3]]})"), "400 instances[1]: has 3 numbers, not 4: a, b, c, d");
}

TEST(Instances, AreRefusedWithoutAFeature) {
  EXPECT_EQ(refused(R"({"instances":[{"a":1,"b":2,"c":3}]})"),
            "400 instances[0].d: is missing; the features are a, b, c, d");
}

TEST(Instances, AreRefusedWithATextForANumber) {
  EXPECT_EQ(refused(R"({"instances":[[1,2,"3",4]]})"), "400 instances[0][2]: is not a number but \"3\"");
}

TEST(Instances, AreRefusedWithATextForANamedNumber) {
  EXPECT_EQ(refused(R"({"a":1,"b":2,"c":"3","d":4})"), "400 instance.c: is not a number but \"3\"");
}

TEST(Instances, AreRefusedWithANumberThatIsTooLarge) {
  EXPECT_EQ(refused(R"({"instances":[[1,2,1e39,4]]})"),
            "400 instances[0][2]: is larger than 1e30, past which a model's sums overflow");
}

TEST(Instances, AreRefusedWhereThereAreNone) {
  EXPECT_EQ(refused(R"({"instances":[]})"), "400 instances: has to be a list of one instance or more");
}

TEST(Instances, AreRefusedWhereOneIsNeitherListNorObject) {
  EXPECT_EQ(refused(R"({"instances":[null]})"), "400 instances[0]: is neither a list of numbers nor an object of them");
}

TEST(Instances, AreRefusedInABodyThatIsANumber) {
  EXPECT_EQ(refused("3"), R"(400 the body has to be {"instances":[…]}, a list of instances, or one instance)");
}

TEST(Instances, AreRefusedBareWhereOnlyTheMemberIsAllowed) {
  EXPECT_EQ(refusal([] { parse_instances(kModel, "[[1,2,3,4]]", Bare::kRefused); }),
            R"(400 the body has to be {"instances":[…]})");
}

TEST(Instances, AreRefusedAsObjectsWhereTheModelNamesNoFeatures) {
  EXPECT_EQ(refused(R"({"a":1})", NamelessModel()),
            "400 instance: the model's features have no names; give a list of numbers");
}

TEST(Instances, AreRefusedEmptyWhereTheModelNamesNoFeatures) {
  EXPECT_EQ(refused("[[]]", NamelessModel()), "400 instances[0]: has 0 numbers, not one or more");
}

TEST(Instances, ThatAreAlmostPlainAreRefusedAsJson) {
  for (const char* body :
       {R"({"instances":[[01,2,3,4]]})", R"({"instances":[[1.,2,3,4]]})", R"({"instances":[[1,2,3,4],]})",
        R"({"instances":[[1,2,3,4]])", R"({"instances":[[1,2,3,]]})", R"({"instances":[[+1,2,3,4]]})"}) {
    EXPECT_EQ(refused(body).substr(0, 18), "400 not JSON: line") << body;
  }
}

TEST(Predictions, AreOneObjectForEachRow) {
  EXPECT_EQ(predictions_json(kModel, predictions_of_three(), 1, 1),
            R"({"predictions":[{"label":"x","index":0,"confidence":0.5,"probabilities":{"x":0.5,"y":0.5}}]})");
}

TEST(Predictions, AreSeparatedByCommas) {
  const std::string one = R"({"label":"x","index":0,"confidence":0.5,"probabilities":{"x":0.5,"y":0.5}})";
  Predictions predictions;
  kModel.predict(std::vector<float>(8), 2, predictions);
  EXPECT_EQ(predictions_json(kModel, predictions, 0, 2), "{\"predictions\":[" + one + "," + one + "]}");
}

}  // namespace
}  // namespace iris::serve
