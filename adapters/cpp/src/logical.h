// Logical JSON, SPEC.md section 4.4.
#pragma once

#include <string>

#include "row.h"

namespace logitpack {

// Appends a row and a line feed. Numbers are in the shortest form that reads back as the same binary64.
void AppendLogicalJson(const Row<double>& row, std::string* out);

}  // namespace logitpack
