// What the runner prints about a machine that stopped: where it is, in the program's own words, and what
// it looks like there. Bounded in length, however deep or wide the machine's state is.
#pragma once

#include <string>

#include "../comet.h"

namespace comet::runner {

// "0x10024 main+0x24, hello.s:12:5", as far as the image knows.
std::string place(const comet_image* image, uint64_t address);

// What each thread waits for, in lines.
std::string threads(const comet_image* image, const comet_machine* machine);

// The whole report of a trap, in lines.
std::string trap_report(const comet_image* image, const comet_machine* machine, comet_thread thread,
                        const comet_stop& stop);

}  // namespace comet::runner
