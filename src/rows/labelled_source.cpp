#include "rows/labelled_source.h"

#include <utility>

#include "error.h"
#include "text.h"

namespace iris {
namespace {

RowRequest request_of(const std::vector<std::string>& features, const std::string& unit,
                      const std::string& label_column, bool label_is_number,
                      const std::function<void(const std::string&)>& tell) {
  RowRequest request;
  request.label_is_number = label_is_number;
  request.features = features;
  request.unit = unit;
  request.label_column = label_column;
  request.tell = tell;
  return request;
}

}  // namespace

LabelledSource::LabelledSource(const std::string& path, const std::vector<std::string>& features,
                               const std::string& unit, const std::string& label_column,
                               const std::function<void(const std::string&)>& tell, bool label_is_number)
    : tell_(tell), rows_(path, RowFormat::kCsv, request_of(features, unit, label_column, label_is_number, tell)) {
  if (rows_.position() == 0) {
    throw InputError(rows_.name() + ": is empty; it has to hold rows of " +
                     (features.empty() ? "features" : text::printable(text::joined(features))) + " and " +
                     text::printable(label_column));
  }
  if (rows_.features().empty()) {
    throw InputError(rows_.name() + ": has no column but the label's");
  }
}

bool LabelledSource::take(RowSource::Part& part) {
  if (!rows_.take(part)) {
    if (!has_rows_) {
      throw InputError(rows_.name() + ": holds no rows, only a header");
    }
    return false;
  }
  rows_.parse(part);
  has_rows_ = has_rows_ || part.rows.count > 0;
  if (part.rows.has_folded_labels && !std::exchange(has_told_folded_, true)) {
    tell_(rows_.name() + ": " + rows_.labels().note(LabelReader::By::kFoldedName));
  }
  if (part.rows.has_index_labels && !std::exchange(has_told_index_, true)) {
    tell_(rows_.name() + ": " + rows_.labels().note(LabelReader::By::kIndex));
  }
  return true;
}

LabelledRows read_labelled_rows(LabelledSource& source, const std::vector<std::string>& labels) {
  source.rows().set_labels(labels);
  LabelledRows all;
  for (RowSource::Part part; source.take(part);) {
    const Rows& rows = part.rows;
    if (!rows.bad.empty()) {
      throw InputError(rows.bad[0].error, rows.bad[0].choice);
    }
    all.features.insert(all.features.end(), rows.features.begin(), rows.features.end());
    all.labels.insert(all.labels.end(), rows.labels.begin(), rows.labels.end());
  }
  return all;
}

}  // namespace iris
