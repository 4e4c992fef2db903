#include "support.h"

#include <map>

namespace support {
namespace {

comet_instruction instruction(const std::string& name) {
  static const std::map<std::string, comet_instruction> all = [] {
    std::map<std::string, comet_instruction> table;
    comet_instruction found = COMET_INSTRUCTION_INIT;
    for (std::size_t n = 0; comet_isa_instruction(n, &found, nullptr) == COMET_OK; ++n)
      table[found.name] = found;
    return table;
  }();
  return all.at(name);
}

}  // namespace

code& code::add(const std::string& name, const fields& operands) {
  const comet_instruction what = instruction(name);
  const std::uint64_t at = here();
  BOOST_REQUIRE_EQUAL(std::string(what.operands).size(), operands.size());
  conformance::append_uleb128(content_, what.opcode);
  for (std::size_t n = 0; n < operands.size(); ++n) {
    const std::uint64_t number = what.operands[n] == 'p' ? operands[n] - at : operands[n];
    conformance::append_uleb128(content_, conformance::field_number(what.operands[n], number));
  }
  return *this;
}

machine::machine(const comet_config* config) {
  comet_machine* handle = nullptr;
  SUPPORT_OK(comet_machine_new(config, &handle, error));
  handle_.reset(handle);
}

machine::machine(const code& program, const comet_config* config) : machine(config) {
  load(program);
  map(data_address, COMET_PAGE_SIZE, read_write);
  restart(program.address());
}

void machine::map(std::uint64_t address, std::uint64_t length, int protection, comet_space space) {
  SUPPORT_OK(comet_map(get(), space, address, length, protection, error));
}

void machine::load(const code& program, int protection, comet_space space) {
  map(program.address(), program.content().size(), protection, space);
  write(program.address(), program.content(), space);
}

void machine::write(std::uint64_t address, const bytes& content, comet_space space) {
  SUPPORT_OK(comet_write(get(), space, address, content.data(), content.size(), error));
}

bytes machine::read(std::uint64_t address, std::size_t length, comet_space space) const {
  bytes content(length);
  SUPPORT_OK(comet_read(get(), space, address, content.data(), length, error));
  return content;
}

std::uint64_t machine::read_word(std::uint64_t address, comet_space space) const {
  const bytes content = read(address, 8, space);
  std::uint64_t word = 0;
  for (int n = 7; n >= 0; --n) word = word << 8 | content[static_cast<std::size_t>(n)];
  return word;
}

void machine::restart(std::uint64_t address, comet_thread thread) {
  SUPPORT_OK(comet_thread_restart(get(), thread, address, error));
}

void machine::set_pc(std::uint64_t address, comet_thread thread) {
  SUPPORT_OK(comet_set_pc(get(), thread, address, error));
}

void machine::set(std::uint64_t index, std::uint64_t value, comet_thread thread) {
  SUPPORT_OK(comet_set_register(get(), thread, 0, index, value, error));
}

std::uint64_t machine::get(std::uint64_t index, comet_thread thread, std::uint64_t level) const {
  std::uint64_t value = 0;
  SUPPORT_OK(comet_get_register(get(), thread, level, index, &value, error));
  return value;
}

comet_stop machine::run(std::uint64_t fuel, comet_thread thread) {
  comet_stop stop = COMET_STOP_INIT;
  SUPPORT_OK(comet_run(get(), thread, fuel, &stop, error));
  return stop;
}

comet_thread_info machine::info(comet_thread thread) const {
  comet_thread_info info = COMET_THREAD_INFO_INIT;
  SUPPORT_OK(comet_thread_get(get(), thread, &info, error));
  return info;
}

hash machine::state_hash() const {
  hash result{};
  SUPPORT_OK(comet_state_hash(get(), result.data(), error));
  return result;
}

std::uint32_t machine::import(const std::string& name) {
  std::uint32_t index = 0;
  SUPPORT_OK(comet_host_import(get(), name.c_str(), &index, error));
  return index;
}

snapshot::snapshot(machine& of) : of_(of) { SUPPORT_OK(comet_snapshot_take(of_, &handle_, error)); }

void snapshot::restore() { SUPPORT_OK(comet_snapshot_restore(of_, handle_, error)); }

}  // namespace support
