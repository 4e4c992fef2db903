// Cases that come from the form of an instruction and not from its meaning: long encodings, fields that are
// too long, places across a page border, registers that do not exist, opcodes that nobody defined.
#ifndef COMET_TESTS_CONFORMANCE_SHAPE_CASES_H
#define COMET_TESTS_CONFORMANCE_SHAPE_CASES_H

#include "case_file.h"
#include "coverage.h"
#include "world.h"

namespace conformance {

// `sample` is a scenario of the instruction that ends without a trap where it has one.
void run_shape_cases(world& where, const scenario& sample, const case_file& cases, coverage& counted);
// Opcodes that the table does not have.
void run_unknown_opcodes(world& where, const case_file& cases, coverage& counted);
// Calls up to call_depth_limit and register_limit, and one more.
void run_limit_cases(world& where, const case_file& cases, coverage& counted);

}  // namespace conformance

#endif
