#include "shape_cases.h"

#include <set>

#include "scenario_runner.h"

namespace conformance {
namespace {

// Borders in the list of pages of memory-model.scm.
constexpr std::uint64_t executable_border = 0x200000010000;  // executable on both sides
constexpr std::uint64_t end_of_mapped = 0x200000020000;      // nothing behind it
constexpr std::uint64_t end_of_executable = 0x20000;         // memory without the right behind it

struct shape_runner {
  world& where;
  const case_file& cases;
  coverage& counted;

  void run(const scenario& what, const std::string& how, std::uint64_t address, const bytes& code) const {
    for (const run_mode mode : {run_mode::single_step, run_mode::fast_loop}) {
      const std::string problem =
          run_scenario(where, what, mode, address, code, cases.instructions.at("call"));
      counted.record(what.what->name, what.trap,
                     how + (mode == run_mode::single_step ? ", single-stepped" : ", fast loop"), what.text,
                     problem);
    }
  }

  // The same instruction, which now must trap and leave everything as it was.
  static scenario trapping(const scenario& sample, comet_trap trap,
                           std::optional<std::uint64_t> address = {}) {
    scenario result = sample;
    result.trap = trap;
    result.trap_address = address;
    result.after = {};
    result.program_counter.reset();
    result.window.reset();
    result.depth.reset();
    result.halts = false;
    return result;
  }
};

// The sample with the bytes of one field replaced.
bytes encode_with_field(const scenario& sample, std::size_t field, const bytes& replacement) {
  bytes code;
  for (std::size_t n = 0; n <= sample.fields.size(); ++n) {
    if (n == field) {
      code.insert(code.end(), replacement.begin(), replacement.end());
    } else if (n == 0) {
      append_uleb128(code, sample.what->opcode);
    } else {
      append_uleb128(code, field_number(sample.what->operands[n - 1], sample.fields[n - 1]));
    }
  }
  return code;
}

void run_long_encodings(const shape_runner& runner, const scenario& sample) {
  const std::size_t count = sample.fields.size() + 1;
  for (std::size_t field = 0; field < count; ++field)
    for (const std::size_t length : {2, 5, 10}) {
      std::vector<std::size_t> lengths(count, 1);
      lengths[field] = length;
      runner.run(sample, "field " + std::to_string(field) + " of " + std::to_string(length) + " bytes",
                 usual_code_address, encode(*sample.what, sample.fields, lengths));
    }
  runner.run(sample, "every field of 10 bytes", usual_code_address,
             encode(*sample.what, sample.fields, std::vector<std::size_t>(count, 10)));
}

void run_overlong_fields(const shape_runner& runner, const scenario& sample) {
  const scenario illegal = shape_runner::trapping(sample, COMET_TRAP_ILLEGAL);
  bytes eleven(10, 0x80);
  eleven.push_back(0);
  bytes sixty_five_bits(9, 0x80);
  sixty_five_bits.push_back(2);
  bytes endless(64, 0xff);
  for (std::size_t field = 0; field <= sample.fields.size(); ++field) {
    const std::string name = "field " + std::to_string(field);
    runner.run(illegal, name + " of eleven bytes", usual_code_address,
               encode_with_field(sample, field, eleven));
    runner.run(illegal, name + " of 65 bits", usual_code_address,
               encode_with_field(sample, field, sixty_five_bits));
    runner.run(illegal, name + " without an end", usual_code_address,
               encode_with_field(sample, field, endless));
    if (field == 0 || sample.what->operands[field - 1] != 'g') continue;
    bytes thirty_three_bits;
    append_uleb128(thirty_three_bits, std::uint64_t{1} << 32);
    runner.run(illegal, name + " of 33 bits", usual_code_address,
               encode_with_field(sample, field, thirty_three_bits));
  }
}

void run_page_borders(const shape_runner& runner, const scenario& sample) {
  const bytes code = encode(*sample.what, sample.fields);
  for (std::size_t split = 1; split < code.size(); ++split) {
    runner.run(sample, "across two pages", executable_border - split, code);
    // Of the bytes behind the border only as many exist as are written.
    const bytes head(code.begin(), code.begin() + static_cast<std::ptrdiff_t>(split));
    runner.run(shape_runner::trapping(sample, COMET_TRAP_EXECUTE, end_of_mapped), "cut by unmapped memory",
               end_of_mapped - split, head);
    runner.run(shape_runner::trapping(sample, COMET_TRAP_EXECUTE, end_of_executable),
               "cut by memory that may not be executed", end_of_executable - split, head);
  }
}

void run_register_limits(const shape_runner& runner, const scenario& sample) {
  const scenario beyond = shape_runner::trapping(sample, COMET_TRAP_WINDOW);
  for (std::size_t n = 0; n < sample.fields.size(); ++n) {
    const char operand = sample.what->operands[n];
    if (operand != 'd' && operand != 's' && operand != 'x' && operand != 'w') continue;
    for (const std::uint64_t number : {register_reach, register_reach + 1, std::uint64_t{1} << 32,
                                       std::uint64_t{1} << 63, ~std::uint64_t{0}}) {
      scenario changed = beyond;
      changed.fields[n] = number;
      runner.run(changed, "register field of " + hexadecimal(number), usual_code_address,
                 encode(*changed.what, changed.fields));
    }
    if (operand == 'w') continue;
    // In a window that begins further up, the same numbers reach less far, and no sum wraps around.
    for (const std::uint64_t number : {register_reach - 1000, ~std::uint64_t{0} - 999, ~std::uint64_t{0}}) {
      scenario changed = beyond;
      changed.call_base = 1000;
      changed.fields[n] = number;
      runner.run(changed, "register field of " + hexadecimal(number) + " in a window at 1000",
                 usual_code_address, encode(*changed.what, changed.fields));
    }
    // The last register there is.
    scenario last = sample;
    const std::uint64_t index = register_reach - 1;
    for (state* part : {&last.before, &last.after})
      for (auto& [of, number] : part->registers)
        if (of == sample.fields[n]) of = index;
    for (std::size_t k = 0; k < last.fields.size(); ++k) {
      const char kind = last.what->operands[k];
      if ((kind == 'd' || kind == 's' || kind == 'x') && sample.fields[k] == sample.fields[n])
        last.fields[k] = index;
    }
    if (sample.fields[n] != 0)
      runner.run(last, "the last register", usual_code_address, encode(*last.what, last.fields));
  }
}

}  // namespace

void run_shape_cases(world& where, const scenario& sample, const case_file& cases, coverage& counted) {
  const shape_runner runner{where, cases, counted};
  run_long_encodings(runner, sample);
  run_overlong_fields(runner, sample);
  run_page_borders(runner, sample);
  run_register_limits(runner, sample);
}

void run_unknown_opcodes(world& where, const case_file& cases, coverage& counted) {
  std::set<std::uint64_t> known;
  for (const auto& [name, what] : cases.instructions) known.insert(what.opcode);
  std::vector<std::uint64_t> opcodes;
  for (std::uint64_t opcode = 0; opcode < 1100; ++opcode) opcodes.push_back(opcode);
  for (const std::uint64_t opcode : {0x3fff, 0x4000, 0xffff, 0x10000, 0x10033, 0x1000000})
    opcodes.push_back(opcode);
  // Opcodes whose low bits are those of a known one.
  for (unsigned bits = 8; bits < 64; ++bits) opcodes.push_back((std::uint64_t{1} << bits) + 51);
  opcodes.push_back(~std::uint64_t{0});
  for (const std::uint64_t opcode : opcodes) {
    if (known.count(opcode) != 0) continue;
    const instruction unknown{opcode, "(unknown)", ""};
    scenario what;
    what.what = &unknown;
    what.text = "opcode " + std::to_string(opcode);
    what.trap = COMET_TRAP_ILLEGAL;
    bytes code = encode(unknown, {});
    code.resize(code.size() + 8, 1);
    for (const run_mode mode : {run_mode::single_step, run_mode::fast_loop})
      counted.record(
          "(unknown)", what.trap, "unknown opcode", what.text,
          run_scenario(where, what, mode, usual_code_address, code, cases.instructions.at("call")));
  }
}

void run_limit_cases(world& where, const case_file& cases, coverage& counted) {
  const auto check = [&](const std::string& name, const std::string& how, comet_trap trap,
                         const std::vector<std::uint64_t>& fields, std::uint64_t executed) {
    const bytes code = encode(cases.instructions.at(name), fields);
    for (const bool stepped : {false, true}) {
      where.write(usual_code_address, code);
      where.restart(usual_code_address);
      where.set_register(5, usual_code_address);
      comet_stop stop{};
      if (stepped) {
        for (std::uint64_t n = 0; n < executed; ++n) where.run(1);
      } else {
        stop = where.run(executed);
      }
      const state_hash before = where.hash();
      const comet_thread_info info = where.thread();
      stop = where.run(stepped ? 1 : 1000);
      std::string problem;
      if (info.activations != executed + 1)
        problem = std::to_string(info.activations - 1) + " calls were made below the limit, expected " +
                  std::to_string(executed);
      else if (stop.reason != COMET_TRAP || stop.trap != trap)
        problem =
            std::string("stopped with ") + comet_reason_name(stop.reason) + ", " + comet_trap_name(stop.trap);
      else if (stop.executed != 0 || stop.pc != usual_code_address)
        problem = "the trap came after " + std::to_string(stop.executed) + " further instructions";
      else if (where.hash() != before)
        problem = "a trap changed the machine's state";
      counted.record(name, trap, how, name + " to itself", problem);
    }
  };
  check("call", "as many activations as allowed, and one more", COMET_TRAP_CALL_DEPTH, {10, 0},
        call_depth_limit - 1);
  check("call", "windows up to the limit, and one more", COMET_TRAP_WINDOW, {register_limit / 4, 0}, 4);
  check("call", "a window one below the limit", COMET_TRAP_WINDOW, {register_limit - 1, 0}, 1);
  check("call", "a window one beyond the limit", COMET_TRAP_WINDOW, {register_limit + 1, 0}, 0);
  // The callee's r5 is the caller's r5 only in a window that does not move.
  check("callr", "as many activations as allowed, and one more", COMET_TRAP_CALL_DEPTH, {0, 5},
        call_depth_limit - 1);
  check("callr", "a window one beyond the limit", COMET_TRAP_WINDOW, {register_limit + 1, 5}, 0);
}

}  // namespace conformance
