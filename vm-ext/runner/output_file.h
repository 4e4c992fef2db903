// A file that the runner writes beside the program's output: a core, a recording, statistics.
#pragma once

#include <cstddef>
#include <string>

namespace comet::runner {

class OutputFile {
 public:
  // `-` is standard error. Throws a message where the file cannot be opened; what was in it is gone.
  explicit OutputFile(const std::string& path);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  // For comet_state_save and comet_record_start: data is the OutputFile. 0 when all was written.
  static int take(void* data, const void* bytes, std::size_t length);
  // Why something was not taken; empty when all was.
  const std::string& error() const { return error_; }

 private:
  std::string path_;
  int descriptor_;
  std::string error_;
};

}  // namespace comet::runner
