// What the suites share: a machine that frees itself, calls that must succeed, and a small writer of code.
#ifndef COMET_TESTS_VM_EXT_SUPPORT_H
#define COMET_TESTS_VM_EXT_SUPPORT_H

#include <boost/test/unit_test.hpp>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/conformance/encoder.h"
#include "vm-ext/comet.h"

namespace support {

using bytes = std::vector<std::uint8_t>;
using fields = std::vector<std::uint64_t>;
using hash = std::array<std::uint8_t, 16>;

constexpr int read_write = COMET_READ | COMET_WRITE;
constexpr int read_execute = COMET_READ | COMET_EXECUTE;
constexpr int all_rights = COMET_READ | COMET_WRITE | COMET_EXECUTE;
constexpr std::uint64_t plenty = UINT64_MAX;

constexpr std::uint64_t code_address = 0x10000;
constexpr std::uint64_t data_address = 0x20000;

// Appends instructions by name. Distances are written as labels that the caller keeps: `here`.
class code {
 public:
  explicit code(std::uint64_t address = code_address) : address_(address) {}
  // Operands in the order of the table; p is an absolute target.
  code& add(const std::string& name, const fields& operands = {});
  std::uint64_t here() const { return address_ + content_.size(); }
  const bytes& content() const { return content_; }
  std::uint64_t address() const { return address_; }

 private:
  std::uint64_t address_;
  bytes content_;
};

// A machine whose every call must succeed, with a page of code and a page of data when asked for.
class machine {
 public:
  explicit machine(const comet_config* config = nullptr);
  explicit machine(comet_machine* made) : handle_(made) {}
  // Loads the code at its address, readable and executable, maps a page of data and begins at the code.
  explicit machine(const code& program, const comet_config* config = nullptr);

  comet_machine* get() const { return handle_.get(); }
  operator comet_machine*() const { return handle_.get(); }

  void map(std::uint64_t address, std::uint64_t length, int protection, comet_space space = 0);
  void load(const code& program, int protection = read_execute, comet_space space = 0);
  void write(std::uint64_t address, const bytes& content, comet_space space = 0);
  bytes read(std::uint64_t address, std::size_t length, comet_space space = 0) const;
  std::uint64_t read_word(std::uint64_t address, comet_space space = 0) const;
  void restart(std::uint64_t address, comet_thread thread = 0);
  void set_pc(std::uint64_t address, comet_thread thread = 0);
  void set(std::uint64_t index, std::uint64_t value, comet_thread thread = 0);
  std::uint64_t get(std::uint64_t index, comet_thread thread = 0, std::uint64_t level = 0) const;
  comet_stop run(std::uint64_t fuel = plenty, comet_thread thread = 0);
  comet_thread_info info(comet_thread thread = 0) const;
  hash state_hash() const;
  std::uint32_t import(const std::string& name);

 private:
  struct free {
    void operator()(comet_machine* handle) const { comet_machine_free(handle); }
  };
  std::unique_ptr<comet_machine, free> handle_;
};

// A snapshot of a machine, freed before it.
class snapshot {
 public:
  explicit snapshot(machine& of);
  ~snapshot() { comet_snapshot_free(of_, handle_); }
  snapshot(const snapshot&) = delete;
  snapshot& operator=(const snapshot&) = delete;
  void restore();
  comet_snapshot* get() const { return handle_; }

 private:
  machine& of_;
  comet_snapshot* handle_ = nullptr;
};

// For BOOST_REQUIRE: the call's message when it failed.
#define SUPPORT_OK(call_with_error)                                           \
  do {                                                                        \
    comet_error error_of_call = COMET_ERROR_INIT;                             \
    comet_error* const error = &error_of_call;                                \
    const comet_status status_of_call = (call_with_error);                    \
    BOOST_REQUIRE_MESSAGE(status_of_call == COMET_OK, error_of_call.message); \
  } while (false)

// The call fails with that status and says why.
#define SUPPORT_FAILS(status_wanted, call_with_error)                                       \
  do {                                                                                      \
    comet_error error_of_call = COMET_ERROR_INIT;                                           \
    comet_error* const error = &error_of_call;                                              \
    const comet_status status_of_call = (call_with_error);                                  \
    BOOST_CHECK_EQUAL(status_of_call, status_wanted);                                       \
    BOOST_CHECK_EQUAL(error_of_call.status, status_wanted);                                 \
    BOOST_CHECK_MESSAGE(error_of_call.message[0] != 0, "no message for " #call_with_error); \
  } while (false)

}  // namespace support

#endif
