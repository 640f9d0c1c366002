#include "model/iris_net.h"

#include "model/file/model_names.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

namespace iris {
namespace {

TEST(IrisNet, RegistersItsParametersUnderPythonsNames) {
  const IrisNet net;
  std::vector<std::string> names;
  for (const auto& parameter : net->named_parameters()) {
    names.push_back(parameter.key());
  }
  EXPECT_EQ(names, (std::vector<std::string>{"fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"}));
}

TEST(IrisNet, GivesOneLogitPerClassForEveryRow) {
  IrisNet net;
  EXPECT_EQ(net->forward(torch::zeros({7, 4})).sizes(), (std::vector<int64_t>{7, 3}));
}

TEST(IrisNet, TakesOtherWidths) {
  IrisNet net(IrisNetOptions().features(2).hidden(5).classes(9));
  EXPECT_EQ(net->fc1->weight.sizes(), (std::vector<int64_t>{5, 2}));
  EXPECT_EQ(net->forward(torch::zeros({1, 2})).sizes(), (std::vector<int64_t>{1, 9}));
}

TEST(IrisNet, PutsAReluBetweenItsLayers) {
  IrisNet net(IrisNetOptions().features(1).hidden(1).classes(2));
  const torch::NoGradGuard no_grad;
  net->fc1->weight.fill_(1);
  net->fc1->bias.zero_();
  net->fc2->weight.fill_(2);
  net->fc2->bias.fill_(0.5);
  const auto logits = net->forward(torch::tensor({-3.0F, 3.0F}).reshape({2, 1}));
  EXPECT_TRUE(torch::equal(logits, torch::tensor({0.5F, 0.5F, 6.5F, 6.5F}).reshape({2, 2}))) << logits;
}

TEST(IrisNet, NamesFourFeaturesAndThreeLabels) {
  EXPECT_EQ(iris_features(), (std::vector<std::string>{"sepal_length", "sepal_width", "petal_length", "petal_width"}));
  EXPECT_EQ(iris_labels(), (std::vector<std::string>{"setosa", "versicolor", "virginica"}));
}

}  // namespace
}  // namespace iris
