// Fields of a file, taken one after the other: for images, and for files of a machine's state.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "../api/guard.h"

namespace comet {

// The words that messages have for a file.
struct FileWords {
  const char* file;    // "image"
  const char* remedy;  // "make it again"
  const char* last;    // behind the last of what nothing may follow: "record"
};

// Takes fields from a part of a file that has a name for messages; fails with COMET_ERROR_FORMAT and the
// offset in the file, and takes nothing beyond the part.
class Fields {
 public:
  Fields(const FileWords& words, std::span<const uint8_t> file, uint64_t offset, uint64_t length,
         std::string where)
      : words_(&words), file_(file), offset_(offset), end_(offset + length), where_(std::move(where)) {}

  uint64_t offset() const { return offset_; }
  uint64_t left() const { return end_ - offset_; }
  // What is wrong there, as by printf.
  [[noreturn, gnu::cold, gnu::format(printf, 3, 4)]] void fail_at(uint64_t offset, const char* format, ...) const;
  // Runs what takes over a part of the file, and tells where that lies when it is refused.
  template <class Body> void attempt(uint64_t offset, Body&& body) const {
    try {
      body();
    } catch (const Failure& failure) {
      fail_at(offset, "%s", failure.message);
    }
  }

  const uint8_t* take_bytes(uint64_t length, const char* what);
  uint64_t take(size_t length, const char* what);
  uint64_t take_leb(const char* what);
  std::string_view take_name(const char* what);
  // A number of records that are at least so long each; `length` bytes hold it, 0: a LEB128.
  uint64_t take_count(size_t length, size_t shortest, const char* what);
  void take_zeros(size_t length);
  void expect_end() const;

 private:
  const FileWords* words_;
  std::span<const uint8_t> file_;
  uint64_t offset_;
  uint64_t end_;
  std::string where_;
};

}  // namespace comet
