#include "coverage.h"

#include <fstream>
#include <iostream>
#include <stdexcept>
#include <vector>

namespace conformance {
namespace {

constexpr std::uint64_t messages_for_each_instruction = 5;

}  // namespace

void coverage::expect(const std::string& instruction, std::uint64_t opcode) {
  rows_[instruction].opcode = opcode;
}

void coverage::record(const std::string& instruction, comet_trap trap, const std::string& how,
                      const std::string& text, const std::string& problem) {
  row& counted = rows_[instruction];
  ++counted.runs;
  if (trap != COMET_TRAP_NONE) {
    ++counted.traps[trap];
    ++traps_[trap];
  }
  if (problem.empty()) {
    ++passed_;
    return;
  }
  ++failed_;
  if (++counted.failures <= messages_for_each_instruction)
    std::cerr << "conformance: " << instruction << " (" << how << "): " << problem << "\n  case: " << text
              << "\n";
}

void coverage::complain(const std::string& message) {
  ++failed_;
  std::cerr << "conformance: " << message << "\n";
}

void coverage::finish(const std::string& report_path) {
  for (const auto& [name, counted] : rows_)
    if (counted.runs == 0) complain("the instruction " + name + " has no case");
  for (int kind = COMET_TRAP_BRK; kind <= COMET_TRAP_USER; ++kind)
    if (traps_[static_cast<comet_trap>(kind)] == 0)
      complain(std::string("the trap '") + comet_trap_name(static_cast<comet_trap>(kind)) + "' has no case");

  std::ofstream report(report_path);
  report << "# Conformance\n\nEach instruction of the table was executed with values at its edges, "
            "single-stepped and in "
            "the fast loop, and its result compared with that of `tests/conformance/oracle.scm`.\n\n"
         << "| Opcode | Instruction | Runs | Failures | Traps provoked |\n|---:|---|---:|---:|---|\n";
  std::map<std::uint64_t, std::string> by_opcode;
  for (const auto& [name, counted] : rows_) by_opcode[counted.opcode] = name;
  for (const auto& [opcode, name] : by_opcode) {
    const row& counted = rows_[name];
    report << "| " << opcode << " | `" << name << "` | " << counted.runs << " | " << counted.failures
           << " | ";
    const char* separator = "";
    for (const auto& [kind, count] : counted.traps) {
      report << separator << comet_trap_name(kind) << " " << count;
      separator = ", ";
    }
    report << " |\n";
  }
  report << "\n| Trap | Provoked |\n|---|---:|\n";
  for (const auto& [kind, count] : traps_)
    report << "| " << comet_trap_name(kind) << " | " << count << " |\n";
  report << "\n" << passed_ << " passed, " << failed_ << " failed\n";
  if (!report) throw std::runtime_error(report_path + ": the table could not be written");
}

}  // namespace conformance
