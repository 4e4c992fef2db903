#include "world.h"

#include <algorithm>
#include <sstream>
#include <stdexcept>

namespace conformance {
namespace {

void check(comet_status status, const comet_error& error) {
  if (status != COMET_OK) throw std::runtime_error(std::string("the machine refused: ") + error.message);
}

comet_status serve_sum(comet_call* call, void*) {
  comet_call_result(call, comet_call_argument(call, 0) + 3 * comet_call_argument(call, 1));
  return COMET_OK;
}

comet_status serve_refuse(comet_call* call, void*) {
  return comet_call_fail(call, "refused, as the test wants");
}

comet_status serve_load(comet_call* call, void*) {
  std::uint8_t buffer[8];
  const comet_status status = comet_call_read(call, comet_call_argument(call, 0), buffer, sizeof buffer);
  if (status != COMET_OK) return status;
  std::uint64_t word = 0;
  for (int n = 7; n >= 0; --n) word = word << 8 | buffer[n];
  comet_call_result(call, word);
  return COMET_OK;
}

comet_status serve_store(comet_call* call, void*) {
  std::uint8_t buffer[8];
  for (int n = 0; n < 8; ++n) buffer[n] = static_cast<std::uint8_t>(comet_call_argument(call, 1) >> (8 * n));
  return comet_call_write(call, comet_call_argument(call, 0), buffer, sizeof buffer);
}

// The import list that control-cases.scm speaks of.
void import_host_calls(comet_machine* machine) {
  struct host_call {
    const char* name;
    comet_host_function function;
    bool granted;
  };
  const host_call calls[] = {{"conformance.sum", serve_sum, true},
                             {"conformance.refuse", serve_refuse, true},
                             {"conformance.absent", nullptr, false},
                             {"conformance.load", serve_load, true},
                             {"conformance.store", serve_store, true}};
  comet_error error = COMET_ERROR_INIT;
  for (const host_call& call : calls) {
    std::uint32_t index = 0;
    check(comet_host_import(machine, call.name, &index, &error), error);
    if (call.granted) check(comet_host_grant(machine, call.name, call.function, nullptr, &error), error);
  }
}

std::uint64_t canary(std::uint64_t index) { return 0xca9a7e0000000000 + index * 0x10101; }

std::uint64_t page_of(std::uint64_t address) { return address & ~std::uint64_t{COMET_PAGE_SIZE - 1}; }

}  // namespace

std::string hexadecimal(std::uint64_t number) {
  std::ostringstream text;
  text << "0x" << std::hex << number;
  return text.str();
}

bytes world::background(std::uint64_t address, std::uint64_t length) {
  bytes content(length);
  for (std::uint64_t n = 0; n < length; ++n)
    content[n] = static_cast<std::uint8_t>((address + n) * 0x9e3779b97f4a7c15 >> 56);
  return content;
}

world::world(const std::vector<page>& pages, std::uint64_t window) {
  comet_config config = COMET_CONFIG_INIT;
  config.window = window;
  config.register_limit = register_limit;
  config.call_depth_limit = call_depth_limit;
  comet_error error = COMET_ERROR_INIT;
  check(comet_machine_new(&config, &machine_, &error), error);
  for (const page& each : pages) {
    check(comet_map(machine_, 0, each.address, COMET_PAGE_SIZE, each.protection, &error), error);
    protections_[each.address] = each.protection;
    pages_[each.address] = bytes(COMET_PAGE_SIZE);
    write(each.address, background(each.address, COMET_PAGE_SIZE));
  }
  import_host_calls(machine_);
}

world::~world() { comet_machine_free(machine_); }

void world::restart(std::uint64_t program_counter) {
  comet_error error = COMET_ERROR_INIT;
  check(comet_thread_restart(machine_, 0, program_counter, &error), error);
  outermost_level_ = 0;
  registers_.clear();
  thread_registers_.fill(0);
  for (std::uint64_t index = 1; index < canary_count; ++index) set_register(index, canary(index));
}

void world::set_register(std::uint64_t index, std::uint64_t number) {
  if (index == 0) return;
  comet_error error = COMET_ERROR_INIT;
  check(comet_set_register(machine_, 0, outermost_level_, index, number, &error), error);
  registers_[index] = number;
}

void world::expect_call(std::uint64_t base) {
  ++outermost_level_;
  expect_register(base, 0);
}

void world::expect_register(std::uint64_t index, std::uint64_t number) {
  if (index != 0) registers_[index] = number;
}

void world::set_thread_register(std::uint32_t index, std::uint64_t number) {
  comet_error error = COMET_ERROR_INIT;
  check(comet_set_thread_register(machine_, 0, index, number, &error), error);
  thread_registers_[index] = number;
}

void world::expect_thread_register(std::uint32_t index, std::uint64_t number) {
  thread_registers_[index] = number;
}

void world::write(std::uint64_t address, const bytes& content) {
  comet_error error = COMET_ERROR_INIT;
  check(comet_write(machine_, 0, address, content.data(), content.size(), &error), error);
  expect_memory(address, content);
}

void world::expect_memory(std::uint64_t address, const bytes& content) {
  for (std::size_t n = 0; n < content.size(); ++n) {
    const std::uint64_t at = address + n;
    pages_.at(page_of(at))[at % COMET_PAGE_SIZE] = content[n];
  }
}

bytes world::expected_memory(std::uint64_t address, std::uint64_t length) const {
  bytes content(length);
  for (std::uint64_t n = 0; n < length; ++n)
    content[n] = pages_.at(page_of(address + n))[(address + n) % COMET_PAGE_SIZE];
  return content;
}

bool world::executable(std::uint64_t address) const {
  const auto found = protections_.find(page_of(address));
  return found != protections_.end() && (found->second & COMET_EXECUTE) != 0;
}

state_hash world::hash() const {
  state_hash result;
  comet_error error = COMET_ERROR_INIT;
  check(comet_state_hash(machine_, result.data(), &error), error);
  return result;
}

comet_stop world::run(std::uint64_t fuel) {
  comet_stop stop = COMET_STOP_INIT;
  comet_error error = COMET_ERROR_INIT;
  check(comet_run(machine_, 0, fuel, &stop, &error), error);
  return stop;
}

std::uint64_t world::decoded() const {
  comet_statistics statistics = COMET_STATISTICS_INIT;
  comet_error error = COMET_ERROR_INIT;
  check(comet_machine_statistics(machine_, &statistics, &error), error);
  return statistics.decoded_instructions;
}

comet_thread_info world::thread() const {
  comet_thread_info info = COMET_THREAD_INFO_INIT;
  comet_error error = COMET_ERROR_INIT;
  check(comet_thread_get(machine_, 0, &info, &error), error);
  return info;
}

std::uint64_t world::machine_register(std::uint64_t index, std::uint64_t activations) const {
  std::uint64_t number = 0;
  comet_error error = COMET_ERROR_INIT;
  check(comet_get_register(machine_, 0, activations - 1, index, &number, &error), error);
  return number;
}

std::string world::compare_registers() const {
  const comet_thread_info info = thread();
  for (const auto& [index, number] : registers_) {
    const std::uint64_t found = machine_register(index, info.activations);
    if (found != number)
      return "r" + std::to_string(index) + " is " + hexadecimal(found) + ", expected " + hexadecimal(number);
  }
  std::uint64_t count = 0;
  for (const auto& [index, number] : registers_)
    if (number != 0 && index > info.window) count = index - info.window + 1;
  if (info.registers != count)
    return "the highest register in use is r" + std::to_string(info.registers - 1) +
           " of the window, expected r" + std::to_string(count - 1);
  for (std::uint32_t index = 0; index < COMET_THREAD_REGISTERS; ++index) {
    std::uint64_t found = 0;
    comet_error error = COMET_ERROR_INIT;
    check(comet_get_thread_register(machine_, 0, index, &found, &error), error);
    if (found != thread_registers_[index])
      return "t" + std::to_string(index) + " is " + hexadecimal(found) + ", expected " +
             hexadecimal(thread_registers_[index]);
  }
  return "";
}

std::string world::compare_range(std::uint64_t address, std::uint64_t length) const {
  bytes found(length);
  comet_error error = COMET_ERROR_INIT;
  check(comet_read(machine_, 0, address, found.data(), length, &error), error);
  const std::uint64_t base = page_of(address);
  const bytes& expected = pages_.at(base);
  const auto first = expected.begin() + static_cast<std::ptrdiff_t>(address - base);
  const auto [at, wanted] = std::mismatch(found.begin(), found.end(), first);
  if (at == found.end()) return "";
  return "the byte at " + hexadecimal(address + static_cast<std::uint64_t>(at - found.begin())) + " is " +
         hexadecimal(*at) + ", expected " + hexadecimal(*wanted);
}

std::string world::compare_memory_near(const memory_pieces& pieces) const {
  constexpr std::uint64_t margin = 64;
  for (const auto& [address, content] : pieces) {
    // Page by page, as far as pages are mapped.
    for (std::uint64_t n = 0; n < content.size() + 2 * margin; n += margin) {
      const std::uint64_t at = ((address - margin + n) & ~(margin - 1));
      if (pages_.count(page_of(at)) == 0) continue;
      std::string difference = compare_range(at, margin);
      if (!difference.empty()) return difference;
    }
  }
  return "";
}

std::string world::compare_memory() const {
  for (const auto& [address, content] : pages_) {
    std::string difference = compare_range(address, content.size());
    if (!difference.empty()) return difference;
  }
  return "";
}

}  // namespace conformance
