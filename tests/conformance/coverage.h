// Counts what was run, keeps what failed, and writes the table that shows it.
#ifndef COMET_TESTS_CONFORMANCE_COVERAGE_H
#define COMET_TESTS_CONFORMANCE_COVERAGE_H

#include <cstdint>
#include <map>
#include <string>

#include "vm-ext/comet.h"

namespace conformance {

class coverage {
 public:
  // An instruction that must be reached.
  void expect(const std::string& instruction, std::uint64_t opcode);
  // One run of a case; `problem` is empty when it went as expected. The message goes to standard error.
  void record(const std::string& instruction, comet_trap trap, const std::string& how,
              const std::string& text, const std::string& problem);
  // Checks that every instruction and every kind of trap was reached, and writes the table.
  void finish(const std::string& report_path);

  std::uint64_t passed() const { return passed_; }
  std::uint64_t failed() const { return failed_; }

 private:
  struct row {
    std::uint64_t opcode = 0;
    std::uint64_t runs = 0;
    std::uint64_t failures = 0;
    std::map<comet_trap, std::uint64_t> traps;
  };
  void complain(const std::string& message);

  std::map<std::string, row> rows_;
  std::map<comet_trap, std::uint64_t> traps_;
  std::uint64_t passed_ = 0;
  std::uint64_t failed_ = 0;
};

}  // namespace conformance

#endif
