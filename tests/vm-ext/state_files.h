// What the suites about state files share: a state that frees itself, and files with their records changed by
// hand.
#ifndef COMET_TESTS_VM_EXT_STATE_FILES_H
#define COMET_TESTS_VM_EXT_STATE_FILES_H

#include "support.h"

namespace support {

// A sink for comet_state_save; data: the bytes that it appends to.
int append(void* data, const void* part, std::size_t length);
// The machine's state as a file.
bytes saved(const machine& vm);

class state {
 public:
  explicit state(const bytes& file, const comet_state* base = nullptr) {
    SUPPORT_OK(comet_state_read(file.data(), file.size(), base, &handle_, error));
  }
  explicit state(comet_state* handle) : handle_(handle) {}
  ~state() { comet_state_free(handle_); }
  state(const state&) = delete;
  state& operator=(const state&) = delete;
  operator const comet_state*() const { return handle_; }
  comet_state_info info() const {
    comet_state_info found = COMET_STATE_INFO_INIT;
    SUPPORT_OK(comet_state_get(handle_, &found, error));
    return found;
  }

 private:
  comet_state* handle_ = nullptr;
};

struct found_record {
  std::string type;
  std::size_t content;
  std::size_t length;
  std::size_t end;
};

std::uint64_t number_at(const bytes& file, std::size_t offset, std::size_t length);
void put_at(bytes& file, std::size_t offset, std::uint64_t value, std::size_t length);
std::vector<found_record> records_of(const bytes& file);
found_record record(const bytes& file, const std::string& type);
bytes content_of(const bytes& file, const std::string& type);

// With every checksum right.
bytes sealed(bytes file);
// The first record of a type with another content; with a new record behind it; without it.
bytes with_content(const bytes& file, const std::string& type, const bytes& content);
bytes with_record_behind(const bytes& file, const std::string& behind, const std::string& type,
                         const bytes& content);
bytes without_record(const bytes& file, const std::string& type);
// The file is refused with COMET_ERROR_FORMAT and these words.
void refused(const bytes& file, const std::string& words, const comet_state* base = nullptr);

}  // namespace support

#endif
