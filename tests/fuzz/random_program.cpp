#include "random_program.h"

#include <stdexcept>
#include <string>

#include "tests/conformance/encoder.h"

namespace fuzz {
namespace {

const std::vector<comet_instruction>& instructions() {
  static const std::vector<comet_instruction> all = [] {
    std::vector<comet_instruction> list;
    comet_instruction found = COMET_INSTRUCTION_INIT;
    for (std::size_t n = 0; comet_isa_instruction(n, &found, nullptr) == COMET_OK; ++n) list.push_back(found);
    return list;
  }();
  return all;
}

// A sequence of instructions that has a handler of its own, from fused.def: which instruction, and which of its
// sources the one before has written (bit 0: the first, bit 1: the second).
struct part {
  const comet_instruction* what;
  unsigned variant;
  const comet_instruction* callee_begins; // with this branch to its `ret`, in a call that does it too; else null
};
using sequence = std::vector<part>;

const comet_instruction* instruction_named(const std::string& name) {
  for (const comet_instruction& each : instructions())
    if (name == each.name) return &each;
  return nullptr;
}

// From "part_add<0>, part_call_blti_u<1>, part_ret<0>".
sequence parse_sequence(const std::string& text) {
  sequence result;
  for (std::size_t at = text.find("part_"); at != std::string::npos; at = text.find("part_", at)) {
    at += 5;
    const std::size_t end = text.find('<', at);
    const bool early_call = text.compare(at, 5, "call_") == 0;
    const comet_instruction* const named = instruction_named(text.substr(early_call ? at + 5 : at, end - (early_call ? at + 5 : at)));
    result.push_back({early_call ? instruction_named("call") : named, static_cast<unsigned>(text[end + 1] - '0'), early_call ? named : nullptr});
  }
  return result;
}

const std::vector<sequence>& sequences() {
  static const std::vector<sequence> all = {
#define FUSED(...) parse_sequence(#__VA_ARGS__),
#include "vm-ext/machine/fused.def"
#undef FUSED
  };
  return all;
}

// Registers 1 to 6 hold addresses, the others numbers; destinations are mostly others.
constexpr std::uint64_t first_number = 7;

std::uint64_t random_address(random_source& random) {
  const std::uint64_t base = pages[random.below(std::size(pages))].address;
  switch (random.below(4)) {
    case 0: return base + random.below(64);
    case 1: return base + COMET_PAGE_SIZE - random.below(24);
    default: return base + random.below(COMET_PAGE_SIZE);
  }
}

std::uint64_t random_number(random_source& random) {
  switch (random.below(6)) {
    case 0: return random.below(16);
    case 1: return 0 - random.below(16);
    case 2: return random_address(random);
    case 3:
      // a floating-point number near 1
      return (random.word() >> 12) | (0x3f0 + random.below(32)) << 52;
    case 4:
      return random.one_of({0x7fffffff, 0x80000000, 0xffffffff, 0x7fffffffffffffff, 0x8000000000000000,
                            0x7ff0000000000000, 0x7ff8000000000001, 0x7fc00000, 0x7f800001});
    default: return random.magnitude();
  }
}

std::uint64_t random_register(random_source& random, bool destination, bool address) {
  if (random.one_in(200))
    return random.one_of({0, 127, 128, 5000, 65535, 65536, 70000, 85535, 85536, ~std::uint64_t{0}});
  if (random.one_in(12)) return random.below(40);
  if (address) return 1 + random.below(first_number - 1);
  return random.below(destination ? 12 : 20) == 0 ? 0 : first_number + random.below(10);
}

// A body of a few parts that may or may not be right.
definition guess_definition(random_source& random) {
  definition guess;
  std::vector<const comet_instruction*> parts;
  const auto any = [&] { return &instructions()[random.below(instructions().size())]; };
  const std::uint64_t count = random.one_in(20) ? random.below(18) : 1 + random.below(4);
  for (std::uint64_t n = 0; n < count; ++n) parts.push_back(any());
  if (random.one_in(8)) {
    const comet_instruction* const replaced = any();
    guess = {replaced->name, replaced->opcode, replaced->operands, {}};
  } else {
    guess.opcode = 1024 + random.below(random.one_in(4) ? 100000 : 8);
    guess.name = "own-" + std::to_string(guess.opcode);
    for (std::uint64_t n = random.below(4); n > 0; --n) guess.operands += "ddxssuionctpwfgh"[random.below(16)];
  }
  std::vector<std::uint64_t> numbers;
  if (!guess.operands.empty() && random.one_in(4)) {
    numbers = {1, 1 + random.below(guess.operands.size()), random.below(8), random.below(64)};
  } else {
    numbers = {0};
  }
  numbers.push_back(parts.size());
  for (const comet_instruction* part : parts) {
    numbers.push_back(part->opcode);
    for (const char* kind = part->operands; *kind != 0; ++kind) {
      std::vector<std::uint64_t> like;
      for (std::size_t n = 0; n < guess.operands.size(); ++n) {
        const auto sort = [](char letter) { return std::string("dsx").find(letter) != std::string::npos ? 's'
                                                   : std::string("uioncuc").find(letter) != std::string::npos ? 'u' : letter; };
        if (sort(guess.operands[n]) == sort(*kind) && (guess.operands[n] != 's' || *kind == 's')) like.push_back(n + 1);
      }
      if (!like.empty() && !random.one_in(5)) {
        numbers.push_back(like[random.below(like.size())]);
      } else {
        numbers.push_back(0);
        const bool is_register = std::string("dsxw").find(*kind) != std::string::npos;
        numbers.push_back(is_register ? random_register(random, *kind == 'd', false) : *kind == 't' ? random.below(16) : random.below(70));
      }
    }
  }
  for (const std::uint64_t number : numbers) conformance::append_uleb128(guess.body, number, 1);
  return guess;
}

// Those of many guesses that the library takes.
std::vector<definition> random_definitions(random_source& random) {
  std::vector<definition> found;
  comet_image* image = nullptr;
  comet_machine* machine = nullptr;
  comet_config config = COMET_CONFIG_INIT;
  config.window = 0;
  config.register_limit = register_limit;
  config.call_depth_limit = call_depth_limit;
  if (comet_image_new(&image, nullptr) != COMET_OK || comet_machine_new(&config, &machine, nullptr) != COMET_OK)
    throw std::runtime_error("no memory");
  for (unsigned tries = 0; tries < 60; ++tries) {
    definition guess = guess_definition(random);
    const comet_definition given = guess.given();
    const bool in_image = guess.opcode < 1024 || comet_image_add_instruction(image, &given, nullptr) == COMET_OK;
    if (in_image && comet_machine_define(machine, &given, nullptr) == COMET_OK) found.push_back(std::move(guess));
  }
  comet_machine_free(machine);
  comet_image_free(image);
  return found;
}

class writer {
 public:
  explicit writer(random_source& random) : random_(random) {
    if (!random_.one_in(3)) result_.definitions = random_definitions(random_);
    result_.address = random.one_of({0x10000, 0x10000, 0x1ff00, 0x50000, 0x5ff80, 0x100000000, 0x10000fff0});
  }

  program write() {
    // Functions that are there already are called without a jump over them in front of the call.
    if (random_.one_in(2)) {
      callee_that_begins(instruction_named("blti_u"));
      for (unsigned n = 0; n < 2; ++n) callee_that_begins(a_branch());
    }
    const std::uint64_t count = 1 + random_.below(120);
    for (std::uint64_t n = 0; n < count; ++n)
      if (random_.one_in(4))
        add_sequence();
      else
        add_instruction();
    for (std::uint64_t n = 1; n < first_number; ++n)
      result_.registers.emplace_back(n, random_address(random_));
    for (std::uint64_t n = first_number; n < 24; ++n)
      result_.registers.emplace_back(n, random_number(random_));
    // Somewhere to jump to.
    result_.registers.emplace_back(first_number, result_.address + random_.below(result_.code.size()));
    result_.registers.emplace_back(first_number + 1, result_.starts[random_.below(result_.starts.size())]);
    mutilate();
    return result_;
  }

 private:
  // A function that begins with a branch to its `ret`, with a jump over it.
  struct callee {
    const comet_instruction* begins;
    std::uint64_t address, tested; // a register of its own
  };
  const callee& callee_that_begins(const comet_instruction* branch) {
    for (const callee& each : callees_)
      if (each.begins == branch) return each;
    const std::uint64_t tested = random_.one_in(8) ? 0 : 1 + random_.below(2);
    std::vector<std::uint8_t> body, end;
    conformance::append_uleb128(end, instruction_named("nop")->opcode, 1);
    conformance::append_uleb128(body, branch->opcode, 1);
    conformance::append_uleb128(body, tested, 1);
    conformance::append_uleb128(body, conformance::field_number(branch->operands[1], random_.one_of({0, 1, 2, 9, 50})), 1);
    conformance::append_uleb128(body, conformance::field_number('p', body.size() + 1 + end.size()), 1);
    const std::size_t place_of_end = body.size() + end.size();
    body.insert(body.end(), end.begin(), end.end());
    conformance::append_uleb128(body, instruction_named("ret")->opcode, 1);
    conformance::append_uleb128(result_.code, instruction_named("jump")->opcode, 1);
    constexpr std::uint64_t length_of_jump = 2;
    conformance::append_uleb128(result_.code, conformance::field_number('p', length_of_jump + body.size()), 1);
    const std::uint64_t address = result_.address + result_.code.size();
    for (const std::uint64_t start : {address, address + place_of_end}) result_.starts.push_back(start);
    result_.code.insert(result_.code.end(), body.begin(), body.end());
    callees_.push_back({branch, address, tested});
    return callees_.back();
  }

  // A number that a callee may find too small to do anything.
  void add_small_argument() {
    result_.starts.push_back(result_.address + result_.code.size());
    last_written_ = random_register(random_, true, false);
    conformance::append_uleb128(result_.code, instruction_named("andi")->opcode, 1);
    for (const std::uint64_t field : {last_written_, random_register(random_, false, false), conformance::field_number('i', 3)})
      conformance::append_uleb128(result_.code, field, 1);
  }

  const comet_instruction* a_branch() {
    for (;;) {
      const comet_instruction& what = instructions()[random_.below(instructions().size())];
      if (std::string(what.operands) == "sip" || std::string(what.operands) == "ssp") return &what;
    }
  }

  void add_instruction() {
    comet_instruction what = instructions()[random_.below(instructions().size())];
    if (!result_.definitions.empty() && random_.one_in(4)) {
      const definition& own = result_.definitions[random_.below(result_.definitions.size())];
      what = {sizeof what, own.name.c_str(), own.opcode, own.operands.c_str(), "own", ""};
    }
    const std::string name = what.name;
    // What ends a program is rare.
    if ((name == "halt" || name == "brk" || name == "trap" || name == "ret") && !random_.one_in(10))
      return add_instruction();
    const comet_instruction* const begins = name == "call" && !random_.one_in(3) ? a_branch() : nullptr;
    if (begins != nullptr) {
      callee_that_begins(begins);
      if (random_.one_in(2)) add_small_argument();
    }
    add({&what, 0, begins}, false);
  }

  void add_sequence() {
    const sequence& parts = sequences()[random_.below(sequences().size())];
    for (const part& each : parts)
      if (each.callee_begins != nullptr) callee_that_begins(each.callee_begins);
    for (const part& each : parts) add(each, true);
  }

  // In a sequence, numbers are small and sources are what its parts are made for.
  void add(const part& which, bool in_sequence) {
    const comet_instruction& what = *which.what;
    const std::string name = what.name;
    const std::string group = what.group;
    const bool memory = group == "memory" || group == "atomic";
    const callee* const early = which.callee_begins != nullptr ? &callee_that_begins(which.callee_begins) : nullptr;
    const std::uint64_t table = name == "jtab" && random_.one_in(2) ? add_table() : 0;
    result_.starts.push_back(result_.address + result_.code.size());
    conformance::append_uleb128(result_.code, what.opcode, random_length());
    bool first_source = true;
    unsigned source_bit = name.compare(0, 3, "stx") == 0 ? 0 : 1; // its first source is never the one before's
    for (const char* operand = what.operands; *operand != 0; ++operand) {
      std::uint64_t number = 0;
      switch (*operand) {
        case 'd':
          number = random_register(random_, true, in_sequence && random_.one_in(8));
          break;
        case 's':
        case 'x':
          number = random_register(random_, *operand == 'x', memory && first_source);
          if (*operand == 's') {
            first_source = false;
            if ((which.variant & source_bit) != 0) number = last_written_;
            source_bit = source_bit == 0 ? 1 : source_bit * 2;
          }
          break;
        case 'w':
          number = random_.one_in(20) ? random_.magnitude() : random_.below(24);
          if (early != nullptr && last_written_ >= early->tested && !random_.one_in(4)) number = last_written_ - early->tested;
          break;
        case 'p':
          number = table != 0 ? table - result_.starts.back() : early != nullptr ? early->address - result_.starts.back() : random_distance();
          break;
        case 'o': number = random_.one_in(8) ? random_number(random_) : random_.below(32) - 16; break;
        case 't':
          number = random_.one_in(30) ? random_.magnitude() : random_.below(COMET_THREAD_REGISTERS);
          break;
        case 'h': number = random_.below(3); break;
        case 'u': number = name == "jtab" ? random_.below(8) : random_number(random_); break;
        default: number = in_sequence && !random_.one_in(8) ? random_.below(16) - 8 : random_number(random_);
      }
      if (*operand == 'd' || *operand == 'x') last_written_ = number;
      conformance::append_uleb128(result_.code, conformance::field_number(*operand, number), random_length());
    }
  }

  std::size_t random_length() { return random_.one_in(30) ? 1 + random_.below(10) : 1; }

  // Distances to instructions already written, with a jump over them; gives where they are.
  std::uint64_t add_table() {
    constexpr std::uint64_t entries = 6, length_of_jump = 2;
    if (result_.starts.empty()) return 0;
    for (const comet_instruction& each : instructions())
      if (std::string(each.name) == "jump") conformance::append_uleb128(result_.code, each.opcode, 1);
    conformance::append_uleb128(result_.code, conformance::field_number('p', length_of_jump + 4 * entries), 1);
    const std::uint64_t table = result_.address + result_.code.size();
    for (std::uint64_t n = 0; n < entries; ++n) {
      const std::uint64_t distance = result_.starts[random_.below(result_.starts.size())] - table;
      for (unsigned i = 0; i < 4; ++i) result_.code.push_back(static_cast<std::uint8_t>(distance >> (8 * i)));
    }
    return table;
  }

  // To an instruction already written, a little forward, into the middle of something, or anywhere.
  std::uint64_t random_distance() {
    const std::uint64_t here = result_.starts.back();
    if (random_.one_in(40)) return random_address(random_) - here;
    if (random_.one_in(3)) return result_.starts[random_.below(result_.starts.size())] - here;
    return random_.below(60) - (random_.one_in(4) ? 30 : 0);
  }

  void mutilate() {
    if (random_.one_in(12)) {
      for (std::uint8_t& byte : result_.code) byte = static_cast<std::uint8_t>(random_.magnitude());
    } else if (random_.one_in(4)) {
      for (std::uint64_t n = 1 + random_.below(6); n > 0; --n)
        result_.code[random_.below(result_.code.size())] = static_cast<std::uint8_t>(random_.word());
    }
    // Code may end at the end of its page.
    const std::uint64_t room = COMET_PAGE_SIZE - result_.address % COMET_PAGE_SIZE;
    if (result_.code.size() > room) result_.code.resize(room);
  }

  random_source& random_;
  program result_;
  std::uint64_t last_written_ = 0;
  std::vector<callee> callees_;
};

void check(comet_status status, const comet_error& error) {
  if (status != COMET_OK) throw std::runtime_error(std::string("the library refused: ") + error.message);
}

comet_status serve_mix(comet_call* call, void*) {
  comet_call_result(call, comet_call_argument(call, 0) * 31 + comet_call_argument(call, 1));
  return COMET_OK;
}

// Adds to a word of guest memory.
comet_status serve_count(comet_call* call, void*) {
  std::uint8_t byte = 0;
  comet_status status = comet_call_read(call, comet_call_argument(call, 0), &byte, 1);
  if (status != COMET_OK) return status;
  ++byte;
  return comet_call_write(call, comet_call_argument(call, 0), &byte, 1);
}

}  // namespace

comet_definition definition::given() const {
  return {sizeof(comet_definition), name.c_str(), opcode, operands.c_str(), "random", body.data(), body.size(), nullptr};
}

program random_program(random_source& random) { return writer(random).write(); }

void prepare(comet_machine* machine, const program& what) {
  comet_error error = COMET_ERROR_INIT;
  check(comet_machine_reset(machine, &error), error);
  for (const page& each : pages)
    check(comet_map(machine, 0, each.address, COMET_PAGE_SIZE, each.protection, &error), error);
  check(comet_write(machine, 0, what.address, what.code.data(), what.code.size(), &error), error);
  std::uint32_t index = 0;
  check(comet_host_grant(machine, "mix", serve_mix, nullptr, &error), error);
  check(comet_host_grant(machine, "count", serve_count, nullptr, &error), error);
  check(comet_host_import(machine, "mix", &index, &error), error);
  check(comet_host_import(machine, "count", &index, &error), error);
  for (const definition& each : what.definitions) {
    const comet_definition given = each.given();
    check(comet_machine_define(machine, &given, &error), error);
  }
  check(comet_thread_restart(machine, 0, what.address, &error), error);
  for (const auto& [number, value] : what.registers)
    check(comet_set_register(machine, 0, 0, number, value, &error), error);
}

}  // namespace fuzz
