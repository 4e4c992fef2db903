// What the suites about threads and events share: programs of several functions, with host calls by name.
#ifndef COMET_TESTS_VM_EXT_PROGRAMS_H
#define COMET_TESTS_VM_EXT_PROGRAMS_H

#include <algorithm>

#include "support.h"

namespace support {

constexpr std::uint64_t forever = UINT64_MAX;
constexpr std::uint64_t minus_one = UINT64_MAX;

// A program whose functions stand at multiples of 512 bytes, and its host calls.
class program {
 public:
  program& at(unsigned function) {
    BOOST_REQUIRE_LE(code_.here(), code_address + 512 * function);
    while (code_.here() < code_address + 512 * function) code_.add("nop");
    return *this;
  }
  program& add(const std::string& name, const fields& operands = {}) {
    code_.add(name, operands);
    return *this;
  }
  program& call(const std::string& name, std::uint64_t base) {
    const auto found = std::find(imports_.begin(), imports_.end(), name);
    const auto index = static_cast<std::uint64_t>(found - imports_.begin());
    if (found == imports_.end()) imports_.push_back(name);
    return add("hcall", {base, index});
  }
  // Registers a handler: kind, id, function, argument.
  program& on(std::uint64_t kind, std::uint64_t id, unsigned function, std::uint64_t argument = 0) {
    add("imm", {41, kind}).add("imm", {42, id}).add("imm", {43, code_address + 512 * function}).add("imm", {44, argument});
    return call("on", 40);
  }
  std::uint64_t here() const { return code_.here(); }
  machine make(const comet_config* config = nullptr) const {
    machine vm(config);
    for (const std::string& name : imports_) vm.import(name);
    vm.load(code_);
    vm.map(data_address, COMET_PAGE_SIZE, read_write);
    vm.restart(code_address);
    return vm;
  }

 private:
  code code_;
  std::vector<std::string> imports_;
};

constexpr std::uint64_t function_address(unsigned n) { return code_address + 512 * n; }

inline comet_stop run_all(machine& vm, std::uint64_t fuel = plenty) { return vm.run(fuel, COMET_EVERY_THREAD); }

}  // namespace support

#endif
