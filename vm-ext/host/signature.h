// What a host call takes, in words: "u64 bytes string", see comet_grant_options. Arguments are held against it before
// the function that serves the call is called.
#pragma once

#include <string_view>

#include "../comet.h"

namespace comet {

bool valid_signature(std::string_view signature);

// COMET_OK, or what the call is to be answered with: COMET_ERROR_ADDRESS with the byte noted in the call, as
// comet_call_read and comet_call_write do, or COMET_ERROR_ARGUMENT with a message in it.
comet_status check_arguments(comet_call* call, std::string_view signature);

}  // namespace comet
