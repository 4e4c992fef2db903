#include "threaded_program.h"

#include <cstring>
#include <string>

namespace fuzz {
namespace {

using comet::r;
using comet::to;

constexpr std::uint64_t origin = 0x10000, shared = 0x20000;
constexpr std::uint64_t words = 8;  // that threads meet at
constexpr const char* calls[] = {"spawn", "join", "leave", "self", "yield", "wait64", "wait32", "notify", "on", "pause",
                                 "ask",   "random"};

comet::operand n(std::uint64_t number) { return comet::n(static_cast<std::int64_t>(number)); }

// Registers 1 to 6 hold numbers, 7 an address, 8 where the words are, 9 a thread; calls take theirs from 11 on.
class writer {
 public:
  explicit writer(random_source& random) : random_(random) {
    for (comet_label& label : functions_) label = code_.label();
    for (comet_label& label : handlers_) label = code_.label();
  }

  comet::image write() {
    begin_function();
    handle_traps();
    if (!random_.one_in(4)) handle_something();
    for (std::uint64_t threads = 1 + random_.below(4); threads > 0; --threads) spawn();
    write_pieces(10 + random_.below(20));
    if (random_.one_in(2)) join();
    code_.emit(random_.one_in(2) ? "halt" : "ret");
    for (const comet_label function : functions_) {
      code_.place(function);
      begin_function();
      if (random_.one_in(2)) handle_traps();
      write_pieces(4 + random_.below(16));
      code_.emit("ret");
    }
    for (const comet_label handler : handlers_) write_handler(handler);
    comet::image made;
    made.section(".text", origin, code_.finish(), COMET_READ | COMET_WRITE | COMET_EXECUTE);
    made.section(".data", shared, {}, COMET_READ | COMET_WRITE, COMET_PAGE_SIZE);
    for (const char* name : calls) made.import(name);
    made.entry(origin);
    return made;
  }

 private:
  void begin_function() {
    code_.emit("imm", {r(8), n(shared)});
    for (std::uint64_t number = 1; number < 7; ++number)
      if (random_.one_in(2)) code_.emit("imm", {r(number), n(random_.magnitude())});
  }

  // Else most would soon end in a trap.
  void handle_traps() {
    if (random_.one_in(12)) return;
    for (const comet_trap trap : {COMET_TRAP_BRK, COMET_TRAP_READ, COMET_TRAP_WRITE, COMET_TRAP_DIVIDE, COMET_TRAP_OVERFLOW,
                                  COMET_TRAP_USER, COMET_TRAP_MISALIGNED})
      if (!random_.one_in(30)) call("on", {n(COMET_ON_TRAP), n(trap), to(any(handlers_)), n(0)});
  }

  comet::operand number() { return r(1 + random_.below(6)); }
  std::uint64_t word() { return shared + 8 * random_.below(words); }
  comet_label any(const comet_label (&labels)[4]) { return labels[random_.below(std::size(labels))]; }

  void call(const char* name, std::initializer_list<comet::operand> arguments) {
    std::uint64_t place = 11;
    for (const comet::operand& argument : arguments) {
      code_.emit(argument.kind == COMET_OPERAND_REGISTER ? "mov" : "imm", {r(place), argument});
      ++place;
    }
    std::uint64_t index = 0;
    while (std::strcmp(calls[index], name) != 0) ++index;
    code_.emit("hcall", {r(10), n(index)});
  }

  void spawn() {
    call("spawn", {to(any(functions_)), number()});
    code_.emit("mov", {r(9), r(11)});
  }
  void join() { call("join", {random_.one_in(3) ? n(random_.below(5)) : r(9)}); }

  void handle_something() {
    if (random_.one_in(2))
      call("on", {n(COMET_ON_POSTED), n(random_.below(4)), to(any(handlers_)), n(random_.below(100))});
    else
      call("on", {n(COMET_ON_TRAP), n(random_.one_of({COMET_TRAP_BRK, COMET_TRAP_READ, COMET_TRAP_WRITE, COMET_TRAP_DIVIDE,
                                                      COMET_TRAP_USER, COMET_TRAP_MISALIGNED, COMET_TRAP_CALL_DEPTH})),
                  to(any(handlers_)), n(0)});
  }

  void write_pieces(std::uint64_t count) {
    for (; count > 0; --count) write_piece();
  }

  void write_piece() {
    switch (random_.below(24)) {
      case 0: return call("yield", {});
      case 1: return random_.one_in(3) ? spawn() : join();
      case 2: return handle_something();
      case 3: return call(random_.one_in(2) ? "wait64" : "wait32", {n(word()), n(random_.below(2)), n(UINT64_MAX)});
      case 4:
      case 5: return call("notify", {n(word()), n(random_.below(4))});
      case 6: return call("ask", {number()});
      case 7: return write_trap();
      case 8: return write_loop();
      case 9: return void(code_.emit("call", {r(16 + random_.below(4)), to(any(functions_))}));
      case 10: return void(code_.emit("tset", {comet::t(random_.below(4)), number()}));
      case 11: return void(code_.emit("tget", {number(), comet::t(random_.below(4))}));
      case 12: return call("self", {});
      case 13:
        if (random_.one_in(4)) return call(random_.one_in(2) ? "leave" : "pause", {number()});
        return call("random", {n(shared + 256), n(random_.below(20))});
      case 14:
      case 15: return of_group("atomic");
      case 16:
      case 17: return of_group("memory");
      default: return of_group(random_.one_in(2) ? "integer" : "integer32");
    }
  }

  void write_trap() {
    switch (random_.below(6)) {
      case 0: code_.emit("brk"); break;
      case 1: code_.emit("div_u", {number(), number(), r(0)}); break;
      case 2: code_.emit("ldu64", {number(), r(0), n(0)}); break;
      case 3: code_.emit("st64", {r(0), number(), n(8)}); break;
      case 4: code_.emit("aadd64", {number(), r(5), number()}); break;
      default: code_.emit("trap", {n(random_.below(10))});
    }
  }

  void write_loop() {
    const std::uint64_t counter = 20 + depth_;
    if (depth_ == 3) return;
    ++depth_;
    code_.emit("imm", {r(counter), n(1 + random_.below(12))});
    const comet_label begin = code_.here();
    write_pieces(1 + random_.below(4));
    code_.emit("addi", {r(counter), r(counter), n(UINT64_MAX)}).emit("bnei", {r(counter), n(0), to(begin)});
    --depth_;
  }

  // Any instruction of a group of the table; addresses are those of the words, most of the time.
  void of_group(const char* group) {
    comet_instruction what = COMET_INSTRUCTION_INIT;
    do comet_isa_instruction(random_.below(instruction_count()), &what, nullptr);
    while (std::strcmp(what.group, group) != 0);
    const bool memory = std::strcmp(group, "memory") == 0, atomic = std::strcmp(group, "atomic") == 0;
    if (atomic) code_.emit("imm", {r(7), n(word())});
    bool address = memory || atomic;
    std::vector<comet::operand> operands;
    for (const char* kind = what.operands; *kind != 0; ++kind) {
      switch (*kind) {
        case 's':
          operands.push_back(address ? r(atomic ? 7 : 8) : memory && random_.one_in(2) ? r(0) : number());
          address = false;
          break;
        case 'd':
        case 'x': operands.push_back(number()); break;
        case 'o': operands.push_back(n(8 * random_.below(words))); break;
        case 'c': operands.push_back(n(random_.below(64))); break;
        case 'i': operands.push_back(n(random_.below(16) - 8)); break;
        default: operands.push_back(n(random_.below(8)));
      }
    }
    comet::detail::checked(comet_code_emit_opcode, code_.get(), what.opcode,
                           static_cast<const comet_operand*>(operands.data()), operands.size());
  }

  static std::size_t instruction_count() {
    static const std::size_t count = [] {
      std::size_t found = 0;
      comet_instruction what = COMET_INSTRUCTION_INIT;
      while (comet_isa_instruction(found, &what, nullptr) == COMET_OK) ++found;
      return found;
    }();
    return count;
  }

  // The same ones serve events, whose result is not looked at, and traps, where it says how to go on.
  void write_handler(comet_label handler) {
    code_.place(handler);
    begin_function();
    code_.emit("aadd64", {r(7), r(8), r(3)});
    write_pieces(random_.below(2));
    code_.emit("imm", {r(1), n(random_.one_in(8) ? random_.below(4) : 2)}).emit("ret");
  }

  random_source& random_;
  comet::code code_{origin};
  comet_label functions_[4] = {}, handlers_[4] = {};
  unsigned depth_ = 0;
};

}  // namespace

comet::image threaded_program(random_source& random) { return writer(random).write(); }

}  // namespace fuzz
