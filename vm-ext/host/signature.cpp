#include "signature.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "host_state.h"

namespace comet {
namespace {

constexpr std::string_view types[] = {"u64", "i64", "f64", "u32", "i32", "f32", "bytes", "buffer", "string"};
constexpr uint64_t longest_string = 65536;

// The next word of a signature, which loses it; empty at the end.
std::string_view next_type(std::string_view& signature) {
  const size_t begin = std::min(signature.find_first_not_of(' '), signature.size());
  const size_t end = std::min(signature.find(' ', begin), signature.size());
  const std::string_view type = signature.substr(begin, end - begin);
  signature.remove_prefix(end);
  return type;
}

comet_status refuse(comet_call* call, unsigned n, const char* why) {
  char message[120];
  std::snprintf(message, sizeof message, "argument %u is 0x%llx, %s", n + 1,
                static_cast<unsigned long long>(comet_call_argument(call, n)), why);
  return comet_call_fail(call, message);
}

// Looks for the NUL, page by page, so that nothing behind it has to be there.
comet_status check_string(comet_call* call, unsigned n) {
  const uint64_t address = comet_call_argument(call, n);
  char part[256];
  for (uint64_t seen = 0;;) {
    const uint64_t at = address + seen;
    const size_t length = static_cast<size_t>(std::min<uint64_t>(sizeof part, COMET_PAGE_SIZE - at % COMET_PAGE_SIZE));
    if (const comet_status status = comet_call_read(call, at, part, length); status != COMET_OK) return status;
    if (std::memchr(part, 0, length) != nullptr) return COMET_OK;
    seen += length;
    if (seen >= longest_string) return refuse(call, n, "where no NUL ends a string of at most 65536 bytes");
  }
}

}  // namespace

bool valid_signature(std::string_view signature) {
  for (std::string_view type = next_type(signature); !type.empty(); type = next_type(signature))
    if (std::find(std::begin(types), std::end(types), type) == std::end(types)) return false;
  return true;
}

comet_status check_arguments(comet_call* call, std::string_view signature) {
  unsigned n = 0;
  for (std::string_view type = next_type(signature); !type.empty(); type = next_type(signature)) {
    const uint64_t value = comet_call_argument(call, n);
    comet_status status = COMET_OK;
    if ((type == "u32" || type == "f32") && value >> 32 != 0) {
      status = refuse(call, n, "which has more than 32 bits");
    } else if (type == "i32" && value >> 32 != 0 && (value >> 31 != (uint64_t{1} << 33) - 1)) {
      status = refuse(call, n, "which is no signed number of 32 bits");
    } else if (type == "bytes" || type == "buffer") {
      status = host_check(call, value, comet_call_argument(call, ++n), type == "bytes" ? COMET_READ : COMET_WRITE);
    } else if (type == "string") {
      status = check_string(call, n);
    }
    if (status != COMET_OK) return status;
    ++n;
  }
  return COMET_OK;
}

}  // namespace comet
