// A file that the machine's state or a recording is written to, as it comes.
#pragma once

#include <cstddef>
#include <string>

namespace comet::runner {

class StateFile {
 public:
  // Throws a message where the file cannot be opened; what was in it is gone.
  explicit StateFile(const std::string& path);
  ~StateFile();
  StateFile(const StateFile&) = delete;
  StateFile& operator=(const StateFile&) = delete;

  // For comet_state_save and comet_record_start: data is the StateFile.
  static int take(void* data, const void* bytes, std::size_t length);
  // Why something was not taken; empty when all was.
  const std::string& error() const { return error_; }

 private:
  std::string path_;
  int descriptor_;
  std::string error_;
};

}  // namespace comet::runner
