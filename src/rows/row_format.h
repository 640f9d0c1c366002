// What a file of rows, or of answers, is written in.
#pragma once

namespace iris {

enum class RowFormat { kCsv, kNdjson };

}  // namespace iris
