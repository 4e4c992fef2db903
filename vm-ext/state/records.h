// A file of records, written in one go from front to back and read from memory.
//
// Each record ends with a checksum of itself and of the one before, so that records can be neither changed
// nor left out, and what is there of a file whose end is missing can be trusted.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "../comet.h"
#include "../image/fields.h"

namespace comet {

// Bytes of a record that is being made.
class Payload {
 public:
  void put(uint64_t value, size_t length) {
    for (size_t i = 0; i < length; ++i, value >>= 8) bytes_.push_back(static_cast<uint8_t>(value));
  }
  void put_bytes(const void* bytes, size_t length) {
    const auto* begin = static_cast<const uint8_t*>(bytes);
    bytes_.insert(bytes_.end(), begin, begin + length);
  }
  // A name is as in images: a length of 2 bytes, then the bytes.
  void put_name(std::string_view name) {
    put(name.size(), 2);
    put_bytes(name.data(), name.size());
  }
  void put_leb(uint64_t value) {
    for (; value >= 0x80; value >>= 7) bytes_.push_back(static_cast<uint8_t>(value | 0x80));
    bytes_.push_back(static_cast<uint8_t>(value));
  }
  const std::vector<uint8_t>& bytes() const { return bytes_; }
  void clear() { bytes_.clear(); }

 private:
  std::vector<uint8_t> bytes_;
};

class RecordWriter {
 public:
  RecordWriter(comet_sink sink, void* data) : sink_(sink), data_(data) {}

  void header(uint32_t kind);
  // Gives the sink the whole record at once.
  void record(uint32_t type, const Payload& payload);

 private:
  void give(const std::vector<uint8_t>& bytes);

  comet_sink sink_;
  void* data_;
  uint64_t checksum_ = 0;
};

struct Record {
  uint32_t type;
  uint64_t offset;
  Fields fields;
};

class RecordReader {
 public:
  // Checks the header and gives the kind of the file.
  static uint32_t kind(std::span<const uint8_t> file);

  explicit RecordReader(std::span<const uint8_t> file);
  // The next record, its checksum right; nothing behind the last. Where the file ends within a record,
  // `torn` says so, and there is none either.
  std::optional<Record> next();
  bool torn() const { return torn_; }
  uint64_t offset() const { return offset_; }

 private:
  std::span<const uint8_t> file_;
  uint64_t offset_;
  uint64_t checksum_;
  bool torn_ = false;
};

}  // namespace comet
