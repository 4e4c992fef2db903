// Names in images: what is allowed, and how they are shown in messages.
#pragma once

#include <string_view>

namespace comet {

// UTF-8 (shortest form, no surrogates) without control characters, 1 to 65535 bytes long.
bool valid_name(std::string_view name);

// A name between quotes for a message: bytes that are not fit to be shown as \xNN, cut after some 60.
struct Quoted {
  char text[72];
  const char* c_str() const { return text; }
};
Quoted quoted(std::string_view name);

}  // namespace comet
