#include "state_files.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace support {

int append(void* data, const void* part, std::size_t length) {
  auto* to = static_cast<bytes*>(data);
  const auto* begin = static_cast<const std::uint8_t*>(part);
  to->insert(to->end(), begin, begin + length);
  return 0;
}

bytes saved(const machine& vm) {
  bytes file;
  SUPPORT_OK(comet_state_save(vm, nullptr, append, &file, nullptr, error));
  return file;
}
std::uint64_t number_at(const bytes& file, std::size_t offset, std::size_t length) {
  std::uint64_t value = 0;
  for (std::size_t i = length; i-- > 0;) value = value << 8 | file[offset + i];
  return value;
}
void put_at(bytes& file, std::size_t offset, std::uint64_t value, std::size_t length) {
  for (std::size_t i = 0; i < length; ++i, value >>= 8) file[offset + i] = static_cast<std::uint8_t>(value);
}

std::vector<found_record> records_of(const bytes& file) {
  std::vector<found_record> records;
  for (std::size_t at = 16; at + 24 <= file.size();) {
    const std::size_t length = number_at(file, at + 8, 8), padded = (length + 7) / 8 * 8;
    records.push_back(
        {std::string(reinterpret_cast<const char*>(&file[at]), 4), at + 16, length, at + 24 + padded});
    at = records.back().end;
  }
  return records;
}

found_record record(const bytes& file, const std::string& type) {
  for (const found_record& one : records_of(file))
    if (one.type == type) return one;
  BOOST_FAIL("no record " + type);
  return {};
}

bytes sealed(bytes file) {
  std::uint64_t checksum = XXH3_64bits(file.data(), 16);
  std::size_t begin = 16;
  for (const found_record& one : records_of(file)) {
    checksum = XXH3_64bits_withSeed(&file[begin], one.end - 8 - begin, checksum);
    put_at(file, one.end - 8, checksum, 8);
    begin = one.end;
  }
  return file;
}

bytes with_content(const bytes& file, const std::string& type, const bytes& content) {
  const found_record old = record(file, type);
  bytes padded = content;
  padded.resize((content.size() + 7) / 8 * 8);
  bytes changed(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(old.content));
  put_at(changed, old.content - 8, content.size(), 8);
  changed.insert(changed.end(), padded.begin(), padded.end());
  changed.insert(changed.end(), file.begin() + static_cast<std::ptrdiff_t>(old.end - 8), file.end());
  return sealed(changed);
}

bytes content_of(const bytes& file, const std::string& type) {
  const found_record one = record(file, type);
  return bytes(file.begin() + static_cast<std::ptrdiff_t>(one.content),
               file.begin() + static_cast<std::ptrdiff_t>(one.content + one.length));
}

bytes with_record_behind(const bytes& file, const std::string& behind, const std::string& type,
                         const bytes& content) {
  const found_record before = record(file, behind);
  bytes added(type.begin(), type.end());
  added.resize(16);
  put_at(added, 8, content.size(), 8);
  added.insert(added.end(), content.begin(), content.end());
  added.resize((added.size() + 7) / 8 * 8 + 8);
  bytes changed = file;
  changed.insert(changed.begin() + static_cast<std::ptrdiff_t>(before.end), added.begin(), added.end());
  return sealed(changed);
}
bytes without_record(const bytes& file, const std::string& type) {
  const found_record one = record(file, type);
  bytes changed = file;
  changed.erase(changed.begin() + static_cast<std::ptrdiff_t>(one.content - 16),
                changed.begin() + static_cast<std::ptrdiff_t>(one.end));
  return sealed(changed);
}

void refused(const bytes& file, const std::string& words, const comet_state* base) {
  comet_state* read = nullptr;
  comet_error error = COMET_ERROR_INIT;
  const comet_status status = comet_state_read(file.data(), file.size(), base, &read, &error);
  comet_state_free(read);
  BOOST_CHECK_MESSAGE(status == COMET_ERROR_FORMAT,
                      words << ": " << comet_status_name(status) << " " << error.message);
  BOOST_CHECK_MESSAGE(std::string(error.message).find(words) != std::string::npos,
                      words << " not in: " << error.message);
  BOOST_CHECK_LE(error.address, file.size());
}

}  // namespace support
