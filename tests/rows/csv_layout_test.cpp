#include "rows/csv_layout.h"

#include <gtest/gtest.h>

#include "error.h"
#include "support/errors.h"
#include "support/rows.h"

namespace iris {
namespace {

using Lines = std::vector<std::string>;

const std::vector<std::string> kFeatures = {"sepal_length", "sepal_width", "petal_length", "petal_width"};

// A file's rows as iris predict reads them, or as iris evaluate does: with labels.
class Layout {
 public:
  explicit Layout(std::string_view text) : rows_(text) { request_.features = kFeatures, request_.unit = "cm"; }

  Layout& with_labels(const std::string& column = kUsualLabelColumn) {
    request_.label_column = column;
    return *this;
  }
  Layout& of_features(const std::vector<std::string>& features) {
    request_.features = features;
    return *this;
  }
  Layout& with_copy(const std::vector<std::string>& names, RowFormat to = RowFormat::kCsv) {
    request_.copy = {names, to};
    return *this;
  }

  Lines read() { return rows_.read(RowFormat::kCsv, request_, {"setosa", "versicolor", "virginica"}); }
  std::string error() {
    return rows_.named(test::error_of<InputError>([&] { read(); }));
  }
  const test::RowsOfText& rows() const { return rows_; }

 private:
  test::RowsOfText rows_;
  RowRequest request_;
};

TEST(CsvLayout, TakesTheHeadersThatPeopleWriteForIris) {
  for (const char* header :
       {"sepal_length,sepal_width,petal_length,petal_width", "SepalLengthCm,SepalWidthCm,PetalLengthCm,PetalWidthCm",
        "Sepal.Length,Sepal.Width,Petal.Length,Petal.Width",
        "sepal length (cm),sepal width (cm),petal length "
        "(cm),petal width (cm)",
        "sepallength,sepalwidth,petallength,petalwidth", "sepalLength,sepalWidth,petalLength,petalWidth",
        "SEPAL LENGTH,SEPAL WIDTH,PETAL LENGTH,PETAL WIDTH",
        "sepal length in cm,sepal width in cm,petal length in cm,petal width in cm",
        "sepal-length [cm],sepal-width [cm],petal-length [cm],petal-width [cm]", "0,1,2,3", "0,1,2,3,4", ",0,1,2,3",
        "0,1,2,3,species", "150,4,setosa,versicolor,virginica"}) {
    const std::string text(header);
    const auto cells = static_cast<std::size_t>(std::count(text.begin(), text.end(), ',')) + 1;
    const std::string row = text.starts_with(',') ? "7,5.1,3.5,1.4,0.2\n"
                            : cells == 5          ? "5.1,3.5,1.4,0.2,0\n"
                                                  : "5.1,3.5,1.4,0.2\n";
    Layout layout(text + "\n" + row);
    EXPECT_EQ(layout.read(), Lines{"5.1 3.5 1.4 0.2"}) << text;
    EXPECT_EQ(layout.rows().notes.size(), text == "sepal_length,sepal_width,petal_length,petal_width" ? 0U : 1U)
        << text;
  }
}

TEST(CsvLayout, TellsWhatWasTakenForWhat) {
  Layout layout("Id,SepalLengthCm,sepal_width,PetalLengthCm,PetalWidthCm,Species\n1,5.1,3.5,1.4,0.2,Iris-setosa\n");
  EXPECT_EQ(layout.read(), Lines{"5.1 3.5 1.4 0.2"});
  EXPECT_EQ(layout.rows().notes,
            Lines{"rows: SepalLengthCm is taken for sepal_length, PetalLengthCm for petal_length, PetalWidthCm for "
                  "petal_width"});
}

TEST(CsvLayout, PassesOverAUnitOnlyIfItIsTheModels) {
  EXPECT_EQ(Layout("sepal_length_mm,sepal_width,petal_length,petal_width\n51,35,14,2\n").error(),
            "rows:1: the header has no column sepal_length; it has: sepal_length_mm, sepal_width, petal_length, "
            "petal_width");
  EXPECT_EQ(Layout("alcohol,ash\n1,2\n").of_features({"alcohol (%)", "ash [g/l]"}).read(), Lines{"1 2"});
}

TEST(CsvLayout, RefusesColumnsThatCouldBeOneFeature) {
  EXPECT_EQ(Layout("SepalLength,sepal.length,sepal_width,petal_length,petal_width\n1,2,3,4,5\n").error(),
            "rows:1: SepalLength and sepal.length could both be sepal_length");
}

TEST(CsvLayout, TakesRowsWithoutAHeader) {
  EXPECT_EQ(Layout("5.1,3.5,1.4,0.2\n").read(), Lines{"5.1 3.5 1.4 0.2"});
  Layout uci("5.1,3.5,1.4,0.2,Iris-setosa\n4.9,3.0,1.4,0.2,Iris-setosa\n\n");
  EXPECT_EQ(uci.read(), (Lines{"5.1 3.5 1.4 0.2", "4.9 3 1.4 0.2"}));
  EXPECT_EQ(uci.rows().notes, Lines{"rows: there is no header; the columns are taken for the features in the model's "
                                    "order, and the last is passed over"});
  EXPECT_EQ(Layout("5.1,,1.4,0.2\n5,3,1,0\n").read(), (Lines{"rows:1: sepal_width: is empty", "5 3 1 0"}));
  EXPECT_EQ(Layout("5.1,3.5,1.4,0.2,0\n").read(), Lines{"rows:1: has 5 cells, not 4"});
}

TEST(CsvLayout, TakesRsRowNames) {
  const std::string text =
      "Sepal.Length,Sepal.Width,Petal.Length,Petal.Width,Species\n\"1\",5.1,3.5,1.4,0.2,\"setosa\"\n";
  Layout predicted(text);
  EXPECT_EQ(predicted.read(), Lines{"5.1 3.5 1.4 0.2"});
  EXPECT_EQ(predicted.rows().notes.back(),
            "rows: the rows have one cell more than the header; the first column has no name and is passed over");
  EXPECT_EQ(Layout(text).with_labels().read(), Lines{"5.1 3.5 1.4 0.2 -> 0"});
  EXPECT_EQ(Layout(text).with_copy({"."}).read(), Lines{"1,5.1,3.5,1.4,0.2,setosa,5.1 3.5 1.4 0.2"});
}

TEST(CsvLayout, FindsTheLabelByItsUsualNames) {
  for (const char* name : {"species", "Species", "class", "Class", "variety", "target", "LABEL", "name"}) {
    const std::string header = "sepal_length,sepal_width,petal_length,petal_width," + std::string(name);
    EXPECT_EQ(Layout(header + "\n5.1,3.5,1.4,0.2,versicolor\n").with_labels().read(), Lines{"5.1 3.5 1.4 0.2 -> 1"})
        << name;
  }
  const std::string two = "sepal_length,sepal_width,petal_length,petal_width,class,target\n5,3,1,0,setosa,2\n";
  EXPECT_EQ(Layout(two).with_labels().error(), "rows:1: several columns could hold the classes: class, target");
  EXPECT_EQ(Layout(two).with_labels("target").read(), Lines{"5 3 1 0 -> 2"});
}

TEST(CsvLayout, FindsTheLabelWhereNothingNamesIt) {
  EXPECT_EQ(Layout("5.1,3.5,1.4,0.2,Iris-virginica\n").with_labels().read(), Lines{"5.1 3.5 1.4 0.2 -> 2"});
  EXPECT_EQ(Layout("5.1,3.5,1.4,0.2,1\n").with_labels().read(), Lines{"5.1 3.5 1.4 0.2 -> 1"});
  EXPECT_EQ(Layout("0,1,2,3,4\n5.1,3.5,1.4,0.2,setosa\n").with_labels().read(), Lines{"5.1 3.5 1.4 0.2 -> 0"});
  EXPECT_EQ(Layout(",0,1,2,3,4\n0,5.1,3.5,1.4,0.2,2\n").with_labels().read(), Lines{"5.1 3.5 1.4 0.2 -> 2"});
  EXPECT_EQ(Layout("3,4,virginica,setosa,versicolor\n5.1,3.5,1.4,0.2,0\n").with_labels().read(),
            Lines{"5.1 3.5 1.4 0.2 -> 2"});
  EXPECT_EQ(Layout("5.1,3.5,1.4,0.2\n").with_labels().error(),
            "rows:1: the first row holds a number, so it is not a header, and has 4 cells; without a header a row is "
            "its 4 features and the label");
}

TEST(CsvLayout, MatchesLabels) {
  const std::string header = "sepal_length,sepal_width,petal_length,petal_width,species\n";
  EXPECT_EQ(Layout(header + "1,2,3,4, setosa \n1,2,3,4,SETOSA\n1,2,3,4,Iris-Virginica\n1,2,3,4,iris versicolor\n"
                            "1,2,3,4,1\n1,2,3,4,2.0\n1,2,3,4,3\n1,2,3,4,\n")
                .with_labels()
                .read(),
            (Lines{"1 2 3 4 -> 0", "1 2 3 4 -> 0", "1 2 3 4 -> 2", "1 2 3 4 -> 1", "1 2 3 4 -> 1", "1 2 3 4 -> 2",
                   "rows:8: species: unknown label: \"3\"; the model knows setosa, versicolor, virginica",
                   "rows:9: species: is empty; the model knows setosa, versicolor, virginica"}));
}

TEST(CsvLayout, TakesColumnsOfAHeaderInOrderForAModelWithoutNames) {
  Layout layout(",p,q\n0,1,2\n");
  EXPECT_EQ(layout.of_features({}).read(), Lines{"1 2"});
  EXPECT_EQ(layout.rows().names, (Lines{"p", "q"}));
  EXPECT_EQ(layout.rows().notes,
            Lines{"rows: the model does not name its features; these columns are taken for them, in this order: p, q"});
}

TEST(CsvLayout, TakesRowNamesFromTheFirstRowAlone) {
  Layout layout("a,b\n\"1\"x,2\n1,2,3\n");
  EXPECT_EQ(layout.of_features({"a", "b"}).read(),
            (Lines{"rows:2: there is text after a closing quote", "rows:3: has 3 cells, not 2"}));
}

TEST(CsvLayout, CopiesColumns) {
  const std::string text = "id,a,b,\"note, of it\"\n7,1,2,\"say \"\"hi\"\"\"\n8,x,4,rose\n9,5\n";
  Layout layout(text);
  EXPECT_EQ(
      layout.of_features({"a", "b"}).with_copy({"note, of it", "id"}).read(),
      (Lines{"\"say \"\"hi\"\"\",7,1 2", "rose,8,rows:3: a: not a number: \"x\"", ",,rows:4: has 2 cells, not 4"}));
  EXPECT_EQ(layout.rows().copied_names, (Lines{"note, of it", "id"}));
  EXPECT_EQ(layout.with_copy({"id"}, RowFormat::kNdjson).read(),
            (Lines{"\"id\":\"7\",1 2", "\"id\":\"8\",rows:3: a: not a number: \"x\"",
                   "\"id\":\"\",rows:4: has 2 cells, not 4"}));
  EXPECT_EQ(layout.with_copy({"nope"}).error(), "rows:1: the header has no column nope; it has: id, a, b, note, of it");
  EXPECT_EQ(layout.with_copy({"note of ti"}).error(),
            "rows:1: the header has no column note of ti (did you mean note, of it?); it has: id, a, b, note, of it");
}

TEST(CsvLayout, CopiesColumnsByNumberWhereThereIsNoHeader) {
  Layout layout("5.1,3.5,1.4,0.2,Iris-setosa\n");
  EXPECT_EQ(layout.with_copy({"5", "1"}).read(), Lines{"Iris-setosa,5.1,5.1 3.5 1.4 0.2"});
  EXPECT_EQ(layout.rows().copied_names, (Lines{"5", "1"}));
  EXPECT_EQ(layout.with_copy({"6"}).error(), "rows:1: there is no header, and no column number 6; there are 5 columns");
}

TEST(CsvLayout, SaysWhatSeparatesCells) {
  EXPECT_EQ(Layout("5.1\t3.5\t1.4\t0.2\n").error(),
            "rows:1: the cells are separated by tabs, not by commas; change them first: sed 's/,/./g; s/\\t/,/g' FILE");
  EXPECT_EQ(Layout("a|b|c|d\n").error(),
            "rows:1: the cells are separated by |, not by commas; change them first: sed 's/,/./g; s/|/,/g' FILE");
  EXPECT_EQ(Layout("5.1 3.5 1.4 0.2\n").error(),
            "rows:1: the cells are separated by blanks, not by commas; change them first: tr -s ' ' ',' < FILE");
  EXPECT_EQ(Layout("5,1;3,5;1,4;0,2\n").error(),
            "rows:1: the cells are separated by semicolons, not by commas; change them first: sed 's/,/./g; s/;/,/g' "
            "FILE");
  EXPECT_EQ(Layout("\"\";\"Sepal.Length\";\"Sepal.Width\"\n\"1\";5,1;3,5\n").error(),
            "rows:1: the cells are separated by semicolons, not by commas; change them first: sed 's/,/./g; s/;/,/g' "
            "FILE");
  EXPECT_EQ(Layout("\"a\"\t\"b\"\n1\t2\n").error(),
            "rows:1: the cells are separated by tabs, not by commas; change them first: sed 's/,/./g; s/\\t/,/g' FILE");
  EXPECT_EQ(Layout("\"a\" \"b\"\n1 2\n").error(),
            "rows:1: the cells are separated by blanks, not by commas; change them first: tr -s ' ' ',' < FILE");
  EXPECT_EQ(Layout("{\"sepal_length\":5.1}\n").error(),
            "rows:1: the rows look like JSON, one on each line, not like CSV");
  EXPECT_EQ(Layout("{\"sepal_length\": \"5.1\", \"note\": \"a\"}\n").error(),
            "rows:1: the rows look like JSON, one on each line, not like CSV");
  EXPECT_EQ(Layout("5.1,3.5,1.4,0.2\r4.9,3,1.4,0.2\r").error(),
            "rows:1: the lines end with a carriage return alone, as on old Macs; change them first: tr '\\r' '\\n' "
            "< FILE");
  EXPECT_EQ(Layout("sepal_length,sepal_width,petal_length,petal_width,species\r5.1,3.5,1.4,0.2,setosa\r").error(),
            "rows:1: the lines end with a carriage return alone, as on old Macs; change them first: tr '\\r' '\\n' "
            "< FILE");
  EXPECT_EQ(Layout("\"a\",\"b\"\r\"1\",\"2\"\r").error(),
            "rows:1: the lines end with a carriage return alone, as on old Macs; change them first: tr '\\r' '\\n' "
            "< FILE");
}

}  // namespace
}  // namespace iris
