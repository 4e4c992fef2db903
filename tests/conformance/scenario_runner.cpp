#include "scenario_runner.h"

#include <algorithm>

namespace conformance {
namespace {

constexpr std::uint64_t caller_address = 0x1f000;
const bytes halt_code = {0x7f};
const bytes brk_code = {0};

struct places {
  std::uint64_t program_counter = 0;
  std::uint64_t next_instruction = 0;
  std::uint64_t return_address = 0;

  std::uint64_t resolve(const value& what) const {
    switch (what.relative_to) {
      case value::base::program_counter: return program_counter + what.number;
      case value::base::next_instruction: return next_instruction;
      case value::base::return_address: return return_address;
      case value::base::absolute: break;
    }
    return what.number;
  }
};

// A run of one scenario: set up, run, compare, put memory back.
class scenario_run {
 public:
  scenario_run(world& where, const scenario& what, run_mode mode) : world_(where), what_(what), mode_(mode) {}

  std::string run(std::uint64_t code_address, const bytes& code, const instruction& call) {
    code_length_ = code.size();
    at_.program_counter = code_address;
    at_.next_instruction = code_address + code.size();
    const std::uint64_t decoded_before = world_.decoded();
    set_up(code, call);
    const bool traps = what_.trap != COMET_TRAP_NONE;
    const state_hash hash_before = traps ? world_.hash() : state_hash{};
    const comet_stop stop = world_.run(fuel());
    std::string problem = traps ? check_trap(stop) : what_.halts ? check_halt(stop) : check_landing(stop);
    if (problem.empty() && traps && world_.hash() != hash_before)
      problem = "a trap changed the machine's state";
    if (problem.empty()) problem = compare();
#ifndef COMET_REFERENCE_ONLY
    if (problem.empty() && mode_ == run_mode::fast_loop && fuel() != 1 && world_.decoded() == decoded_before)
      problem = "it was not decoded for the fast loop";
#endif
    restore_memory();
    return problem;
  }

 private:
  void set_up(const bytes& code, const instruction& call) {
    world_.write(at_.program_counter, code);
    // Code ends here: nobody need look at the noise behind it.
    if (world_.executable(at_.next_instruction)) world_.write(at_.next_instruction, brk_code);
    if (what_.call_base) {
      window_ = *what_.call_base;
      depth_ = 2;
      const bytes call_code = encode(call, {window_, at_.program_counter - caller_address});
      at_.return_address = caller_address + call_code.size();
      world_.write(caller_address, call_code);
      world_.restart(caller_address);
      world_.run(1);
      world_.expect_call(window_);
    } else {
      world_.restart(at_.program_counter);
    }
    for (const auto& [index, number] : what_.before.registers)
      world_.set_register(window_ + index, at_.resolve(number));
    for (const auto& [index, number] : what_.before.thread_registers)
      world_.set_thread_register(static_cast<std::uint32_t>(index), at_.resolve(number));
    for (const auto& [address, content] : what_.before.memory) world_.write(address, content);
    landing_ = what_.program_counter ? at_.resolve(*what_.program_counter) : at_.next_instruction;
    if (mode_ == run_mode::fast_loop && stops_at_halt()) world_.write(landing_, halt_code);
  }

  bool goes_on() const { return what_.trap == COMET_TRAP_NONE && !what_.halts; }
  bool lands_in_itself() const { return landing_ - at_.program_counter < code_length_; }
  bool stops_at_halt() const { return goes_on() && world_.executable(landing_) && !lands_in_itself(); }

  std::uint64_t fuel() const {
    return mode_ == run_mode::single_step || (goes_on() && lands_in_itself()) ? 1 : 1000;
  }

  std::string check_trap(const comet_stop& stop) const {
    if (stop.reason != COMET_TRAP || stop.trap != what_.trap)
      return std::string("stopped with ") + comet_reason_name(stop.reason) + ", " +
             comet_trap_name(stop.trap) + " at " + hexadecimal(stop.address) + ", expected the trap " +
             comet_trap_name(what_.trap);
    if (what_.trap_address && stop.address != *what_.trap_address)
      return "the trap's address is " + hexadecimal(stop.address) + ", expected " +
             hexadecimal(*what_.trap_address);
    if (stop.message[0] == 0) return "the trap has no message";
    return check_counts(stop, at_.program_counter, 0);
  }

  std::string check_halt(const comet_stop& stop) const {
    if (stop.reason != COMET_HALTED || stop.exit_status != 0)
      return std::string("stopped with ") + comet_reason_name(stop.reason) + ", expected a halt";
    return check_counts(stop, at_.program_counter, 1);
  }

  std::string check_landing(const comet_stop& stop) const {
    if (fuel() == 1) {
      if (stop.reason != COMET_OUT_OF_FUEL)
        return std::string("stopped with ") + comet_reason_name(stop.reason) + ", " +
               comet_trap_name(stop.trap) + " at " + hexadecimal(stop.address) +
               ", expected to run out of fuel";
      return check_counts(stop, landing_, 1);
    }
    if (stops_at_halt()) {
      if (stop.reason != COMET_HALTED)
        return std::string("stopped with ") + comet_reason_name(stop.reason) + ", " +
               comet_trap_name(stop.trap) + " at " + hexadecimal(stop.address) +
               ", expected the halt behind the instruction";
      return check_counts(stop, landing_, 2);
    }
    if (stop.reason != COMET_TRAP || stop.trap != COMET_TRAP_EXECUTE || stop.address != landing_)
      return std::string("stopped with ") + comet_reason_name(stop.reason) + ", " +
             comet_trap_name(stop.trap) + " at " + hexadecimal(stop.address) + ", expected that " +
             hexadecimal(landing_) + " may not be executed";
    return check_counts(stop, landing_, 1);
  }

  std::string check_counts(const comet_stop& stop, std::uint64_t program_counter,
                           std::uint64_t executed) const {
    const comet_thread_info info = world_.thread();
    if (stop.pc != program_counter || info.pc != program_counter)
      return "pc is " + hexadecimal(stop.pc) + ", in the thread " + hexadecimal(info.pc) + ", expected " +
             hexadecimal(program_counter);
    if (stop.executed != executed)
      return std::to_string(stop.executed) + " instructions were counted, expected " +
             std::to_string(executed);
    if (stop.instruction_count != info.instruction_count)
      return "stop and thread disagree about the instruction count";
    return "";
  }

  std::string compare() {
    for (const auto& [index, number] : what_.after.registers)
      world_.expect_register(window_ + index, at_.resolve(number));
    for (const auto& [index, number] : what_.after.thread_registers)
      world_.expect_thread_register(static_cast<std::uint32_t>(index), at_.resolve(number));
    for (const auto& [address, content] : what_.after.memory) world_.expect_memory(address, content);
    const comet_thread_info info = world_.thread();
    const std::uint64_t window = what_.window.value_or(window_);
    const std::uint64_t depth = what_.depth.value_or(depth_);
    if (info.window != window || info.activations != depth)
      return "the window begins at " + std::to_string(info.window) + " with " +
             std::to_string(info.activations) + " activations, expected " + std::to_string(window) + " and " +
             std::to_string(depth);
    std::string problem = world_.compare_registers();
    if (problem.empty()) problem = world_.compare_memory_near(what_.before.memory);
    if (problem.empty()) problem = world_.compare_memory_near(what_.after.memory);
    return problem;
  }

  void restore_memory() {
    for (const memory_pieces* pieces : {&what_.before.memory, &what_.after.memory})
      for (const auto& [address, content] : *pieces)
        world_.write(address, world::background(address, content.size()));
  }

  world& world_;
  const scenario& what_;
  run_mode mode_;
  places at_;
  std::uint64_t code_length_ = 0;
  std::uint64_t window_ = 0;
  std::uint64_t depth_ = 1;
  std::uint64_t landing_ = 0;
};

}  // namespace

bytes encode(const instruction& what, const std::vector<std::uint64_t>& fields,
             const std::vector<std::size_t>& lengths) {
  bytes code;
  const auto length = [&](std::size_t n) { return n < lengths.size() ? lengths[n] : 1; };
  append_uleb128(code, what.opcode, length(0));
  for (std::size_t n = 0; n < fields.size(); ++n)
    append_uleb128(code, field_number(what.operands[n], fields[n]), length(n + 1));
  return code;
}

std::string run_scenario(world& where, const scenario& what, run_mode mode, std::uint64_t code_address,
                         const bytes& code, const instruction& call) {
  return scenario_run(where, what, mode).run(code_address, code, call);
}

scenario scenario_of(const value_case& what, assignment how) {
  scenario result;
  result.what = what.what;
  result.text = what.text;
  result.trap = what.trap;
  const std::string& operands = what.what->operands;

  const std::uint64_t shift = how == assignment::wide ? 70000 : 0;
  std::vector<std::uint64_t> sources;
  std::vector<std::uint64_t> source_values;
  std::optional<std::uint64_t> updated;  // the value of a field that is read and written
  std::size_t next = 0;
  for (const char operand : operands) {
    if (operand == 'd') continue;
    const std::uint64_t number = what.values.at(next++);
    if (operand == 'x') updated = number;
    if (operand != 's') continue;
    std::uint64_t index = 2 + sources.size() + shift;
    if (how == assignment::shared) {
      const auto same = std::find(source_values.begin(), source_values.end(), number);
      if (number == 0)
        index = 0;
      else if (same != source_values.end())
        index = sources[static_cast<std::size_t>(same - source_values.begin())];
      else
        index = 130 - sources.size();
    }
    sources.push_back(index);
    source_values.push_back(number);
  }

  std::uint64_t destination = 1 + shift;
  const auto try_destination = [&](std::uint64_t index, std::uint64_t number) {
    if (!updated || *updated == number) destination = index;
  };
  if (how == assignment::destination_is_first && !sources.empty())
    try_destination(sources.front(), source_values.front());
  if (how == assignment::destination_is_last && !sources.empty())
    try_destination(sources.back(), source_values.back());
  if (how == assignment::destination_is_zero) try_destination(0, 0);

  std::size_t source = 0;
  next = 0;
  for (const char operand : operands) {
    if (operand == 'd') {
      result.fields.push_back(destination);
      continue;
    }
    const std::uint64_t number = what.values.at(next++);
    if (operand == 'x') {
      result.fields.push_back(destination);
      result.before.registers.emplace_back(destination, value{value::base::absolute, number});
    } else if (operand == 's') {
      result.fields.push_back(sources.at(source));
      result.before.registers.emplace_back(sources.at(source), value{value::base::absolute, number});
      ++source;
    } else {
      result.fields.push_back(number);
    }
  }
  if (what.trap == COMET_TRAP_NONE)
    result.after.registers.emplace_back(destination, value{value::base::absolute, what.result});
  return result;
}

}  // namespace conformance
