// The machine that cases run in, beside a model of what its memory and registers must hold.
#ifndef COMET_TESTS_CONFORMANCE_WORLD_H
#define COMET_TESTS_CONFORMANCE_WORLD_H

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "case_file.h"

namespace conformance {

using state_hash = std::array<std::uint8_t, 16>;

// Small enough for the limits themselves to be tried.
constexpr std::uint64_t register_limit = 80000;
constexpr std::uint64_t call_depth_limit = 64;
// Register fields may reach this far beyond the limit of windows.
constexpr std::uint64_t register_reach = register_limit + 65536;
// Registers that hold a known value before each case, to be found unchanged behind it.
constexpr std::uint64_t canary_count = 32;

class world {
 public:
  // Maps the pages and fills them with the background. `window` is comet_config's.
  world(const std::vector<page>& pages, std::uint64_t window);
  ~world();
  world(const world&) = delete;
  world& operator=(const world&) = delete;

  comet_machine* machine() const { return machine_; }

  // Thread 0 begins at an address, with canaries in its registers.
  void restart(std::uint64_t program_counter);
  // Register `index` counted from the bottom of the register stack, in machine and model.
  void set_register(std::uint64_t index, std::uint64_t number);
  void expect_register(std::uint64_t index, std::uint64_t number);
  // The program made a call whose window begins at `base`.
  void expect_call(std::uint64_t base);
  void set_thread_register(std::uint32_t index, std::uint64_t number);
  void expect_thread_register(std::uint32_t index, std::uint64_t number);

  void write(std::uint64_t address, const bytes& content);
  void expect_memory(std::uint64_t address, const bytes& content);
  // What the model holds there.
  bytes expected_memory(std::uint64_t address, std::uint64_t length) const;
  static bytes background(std::uint64_t address, std::uint64_t length);

  bool executable(std::uint64_t address) const;
  state_hash hash() const;
  comet_stop run(std::uint64_t fuel);
  std::uint64_t decoded() const; // instructions so far, for the fast loop
  comet_thread_info thread() const;

  // Text of the first difference between machine and model; empty when there is none. The memory that is
  // looked at is all of it, or what lies around the given pieces.
  std::string compare_registers() const;
  std::string compare_memory_near(const memory_pieces& pieces) const;
  std::string compare_memory() const;

 private:
  std::string compare_range(std::uint64_t address, std::uint64_t length) const;
  std::uint64_t machine_register(std::uint64_t index, std::uint64_t activations) const;

  comet_machine* machine_ = nullptr;
  std::map<std::uint64_t, bytes> pages_;
  std::map<std::uint64_t, int> protections_;
  std::map<std::uint64_t, std::uint64_t> registers_;
  std::uint64_t outermost_level_ = 0;
  std::array<std::uint64_t, COMET_THREAD_REGISTERS> thread_registers_{};
};

std::string hexadecimal(std::uint64_t number);

}  // namespace conformance

#endif
