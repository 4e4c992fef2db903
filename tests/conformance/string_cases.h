// Many value cases behind each other in one program, so that instructions meet in the fast loop as they do
// in real code.
#ifndef COMET_TESTS_CONFORMANCE_STRING_CASES_H
#define COMET_TESTS_CONFORMANCE_STRING_CASES_H

#include "case_file.h"
#include "coverage.h"
#include "world.h"

namespace conformance {

void run_string_cases(world& where, const case_file& cases, coverage& counted);

}  // namespace conformance

#endif
