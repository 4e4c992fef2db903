// A definition as comet.h has it, checked in full.
#pragma once

#include "../comet.h"
#include "../isa/definitions.h"

namespace comet {

isa::Definition checked_definition(const comet_definition* given);

} // namespace comet
