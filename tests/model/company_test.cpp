#include "model/company.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "model/classifier.h"
#include "support/errors.h"

namespace iris {
namespace {

using Rows = std::span<const float>;

// Each row is one feature; its two outputs are that and minus that, plus what `added` gives for the rows.
Pass with(const std::function<float(Rows)>& added) {
  return [added](Rows rows, std::size_t count) {
    Predictions predictions{.output_count = 2, .outputs = {}, .probabilities = {}, .best = {}};
    for (std::size_t i = 0; i < count; ++i) {
      predictions.outputs.insert(predictions.outputs.end(), {rows[i] + added(rows), -rows[i]});
    }
    return predictions;
  };
}

std::string error_of(const Pass& pass, const std::vector<float>& rows = {1, 2, 3}) {
  return test::error_of<RowsDepend>([&] { compare_company(pass, rows, rows.size()); });
}

TEST(Company, IsKnownWhereTheAnswersAreAlike) {
  const std::vector<float> rows = {1, 2, 3};
  const Company company = compare_company(with([](Rows) { return 0.0F; }), rows, 3);
  EXPECT_TRUE(company.is_known);
  EXPECT_EQ(company.note, "");
}

TEST(Company, IsNotKnownByRowsThatAreAllAlike) {
  const std::vector<float> rows = {2, 2, 2};
  EXPECT_FALSE(compare_company(with([](Rows) { return 0.0F; }), rows, 3).is_known);
}

TEST(Company, OfWhichRowsDependIsAnError) {
  EXPECT_EQ(error_of(with([](Rows rows) { return rows.size() > 1 ? 1.0F : 0.0F; })),
            "the rows depend on each other: alone and beside 2 others a row has different answers (by 25.00 % of the "
            "largest); if N rows belong together, say so");
}

TEST(Company, OfWhichAClassDependsIsAnErrorHoweverSmallTheDifference) {
  const Pass pass = with([](Rows rows) { return rows.size() > 1 ? -0.45F : 0.0F; });
  EXPECT_NE(error_of(pass, {0.15F, 10}), "");
  EXPECT_EQ(error_of(with([](Rows rows) { return rows.size() > 1 ? -0.002F : 0.0F; }), {0.0005F, 50}),
            "");  // a near tie
}

TEST(Company, OfSmallDifferencesIsTold) {
  const std::vector<float> rows = {1, 2, 3};
  const Company company = compare_company(with([](Rows some) { return some.size() > 1 ? 0.03F : 0.0F; }), rows, 3);
  EXPECT_TRUE(company.is_known);
  EXPECT_EQ(company.note,
            "the rows depend on each other a little: alone and beside 2 others a row's outputs differ by 0.99 % of the "
            "largest");
}

TEST(Company, ThatIsNotAnsweredIsAnError) {
  EXPECT_EQ(error_of(with([](Rows rows) { return rows.size() == 1 ? 0.0F : throw InputError("one row, please"); })),
            "the model answers each row alone, but not 3 together (one row, please); give it one at a time");
}

TEST(Company, ThatAloneIsAnsweredIsAnError) {
  EXPECT_EQ(
      error_of(with([](Rows rows) { return rows.size() == 3 ? 0.0F : throw InputError("three rows, please"); })),
      "the rows depend on each other: 3 together have answers, and one of them alone has none (three rows, please); "
      "if N rows belong together, say so");
}

TEST(Company, LeavesOutRowsThatHaveNoAnswerOfTheirOwn) {
  const Pass pass = with([](Rows rows) {
    for (const float row : rows) {
      if (row == 2) {
        throw InputError("no two");
      }
    }
    return 0.0F;
  });
  const std::vector<float> rows = {1, 2, 3};
  EXPECT_TRUE(compare_company(pass, rows, 3).is_known);
  const std::vector<float> too_few = {1, 2};
  EXPECT_FALSE(compare_company(pass, too_few, 2).is_known);
}

}  // namespace
}  // namespace iris
