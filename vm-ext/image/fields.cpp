#include "fields.h"

#include <algorithm>
#include <cinttypes>
#include <cstdarg>
#include <cstdio>

namespace comet {

void Fields::fail_at(uint64_t offset, const char* format, ...) const {
  char what[COMET_MESSAGE_LENGTH];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(what, sizeof what, format, arguments);
  va_end(arguments);
  fail(COMET_ERROR_FORMAT, offset,
       "not a valid %s: %s, offset %" PRIu64 ": %s; the file is damaged or its writer is at fault: %s",
       words_->file, where_.c_str(), offset, what, words_->remedy);
}

const uint8_t* Fields::take_bytes(uint64_t length, const char* what) {
  if (length > left())
    fail_at(offset_, "%s takes %" PRIu64 " bytes but %" PRIu64 " are left", what, length, left());
  const uint8_t* bytes = file_.data() + offset_;
  offset_ += length;
  return bytes;
}

uint64_t Fields::take(size_t length, const char* what) {
  const uint8_t* bytes = take_bytes(length, what);
  uint64_t value = 0;
  for (size_t i = length; i-- > 0;) value = value << 8 | bytes[i];
  return value;
}

uint64_t Fields::take_leb(const char* what) {
  const uint64_t at = offset_;
  uint64_t value = 0;
  for (unsigned shift = 0;; shift += 7) {
    const uint64_t byte = take(1, what);
    if (shift == 63 && byte > 1) fail_at(at, "%s has more than 64 bits", what);
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
}

std::string_view Fields::take_name(const char* what) {
  const uint64_t length = take(2, what);
  return {reinterpret_cast<const char*>(take_bytes(length, what)), static_cast<size_t>(length)};
}

uint64_t Fields::take_count(size_t length, size_t shortest, const char* what) {
  const uint64_t at = offset_;
  const uint64_t count = length == 0 ? take_leb(what) : take(length, what);
  if (count > left() / shortest)
    fail_at(at, "%" PRIu64 " %s do not fit into the %" PRIu64 " bytes left", count, what, left());
  return count;
}

void Fields::take_zeros(size_t length) {
  const uint64_t at = offset_;
  const uint8_t* bytes = take_bytes(length, "a field of zeros");
  if (std::any_of(bytes, bytes + length, [](uint8_t byte) { return byte != 0; }))
    fail_at(at, "a byte that is kept for later is not 0");
}

void Fields::expect_end() const {
  if (left() != 0) fail_at(offset_, "%" PRIu64 " bytes follow behind the last %s", left(), words_->last);
}

}  // namespace comet
