// Text as the runner prints it.
#pragma once

#include <string>
#include <string_view>

namespace comet::runner {

// As snprintf; cut to 511 bytes.
[[gnu::format(printf, 1, 2)]] std::string text(const char* format, ...);

// The same with `?` for each control character: for what comes from a file that may hold anything.
std::string visible(std::string_view words);

// As a JSON string, with its quotes. Bytes that are no UTF-8 go as they are.
std::string json_text(std::string_view words);

}  // namespace comet::runner
