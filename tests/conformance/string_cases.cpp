#include "string_cases.h"

#include "scenario_runner.h"

namespace conformance {
namespace {

constexpr std::size_t cases_in_a_program = 60;
constexpr std::uint64_t first_result = 100;
constexpr std::uint64_t first_source = 40;

// A program that computes each case into a register of its own.
class program {
 public:
  explicit program(const case_file& cases) : cases_(&cases) {}

  void add(const value_case& what) {
    const std::uint64_t destination = first_result + members_.size();
    std::vector<std::uint64_t> fields;
    std::uint64_t source = first_source;
    std::size_t next = 0;
    for (const char operand : what.what->operands) {
      if (operand == 'd') {
        fields.push_back(destination);
        continue;
      }
      const std::uint64_t number = what.values.at(next++);
      if (operand == 's' || operand == 'x') {
        const std::uint64_t index = operand == 'x' ? destination : source++;
        append("imm", {index, number});
        fields.push_back(index);
      } else {
        fields.push_back(number);
      }
    }
    append(what.what->name, fields);
    members_.push_back(&what);
  }

  void run(world& where, coverage& counted) {
    if (members_.empty()) return;
    append("halt", {});
    where.write(usual_code_address, code_);
    const std::uint64_t plenty = ~std::uint64_t{0};
    for (const std::uint64_t fuel : {plenty, std::uint64_t{1}, std::uint64_t{3}, std::uint64_t{64}}) {
      const std::string how =
          fuel == plenty ? "among others" : "among others, in slices of " + std::to_string(fuel);
      const std::uint64_t executed = run_in_slices(where, fuel);
      counted.record("halt", COMET_TRAP_NONE, how, "a program of many cases",
                     executed == instructions_
                         ? ""
                         : std::to_string(executed) + " instructions were counted, expected " +
                               std::to_string(instructions_));
      for (std::size_t n = 0; n < members_.size(); ++n)
        counted.record(members_[n]->what->name, COMET_TRAP_NONE, how, members_[n]->text, compare(where, n));
    }
  }

 private:
  void append(const std::string& name, const std::vector<std::uint64_t>& fields) {
    const bytes code = encode(cases_->instructions.at(name), fields);
    code_.insert(code_.end(), code.begin(), code.end());
    ++instructions_;
  }

  // The number of instructions executed until the halt.
  static std::uint64_t run_in_slices(world& where, std::uint64_t fuel) {
    where.restart(usual_code_address);
    std::uint64_t executed = 0;
    comet_stop stop{};
    do {
      stop = where.run(fuel);
      executed += stop.executed;
    } while (stop.reason == COMET_OUT_OF_FUEL);
    return executed;
  }

  std::string compare(const world& where, std::size_t n) const {
    std::uint64_t found = 0;
    comet_get_register(where.machine(), 0, 0, first_result + n, &found, nullptr);
    if (found == members_[n]->result) return "";
    return "the result is " + hexadecimal(found) + ", expected " + hexadecimal(members_[n]->result);
  }

  const case_file* cases_;
  bytes code_;
  std::vector<const value_case*> members_;
  std::uint64_t instructions_ = 0;
};

}  // namespace

void run_string_cases(world& where, const case_file& cases, coverage& counted) {
  // A stride mixes instructions of all kinds in each program.
  constexpr std::size_t stride = 1009;
  const std::size_t count = cases.value_cases.size();
  program current(cases);
  std::size_t members = 0;
  for (std::size_t start = 0; start < stride; ++start)
    for (std::size_t n = start; n < count; n += stride) {
      if (cases.value_cases[n].trap != COMET_TRAP_NONE) continue;
      current.add(cases.value_cases[n]);
      if (++members == cases_in_a_program) {
        current.run(where, counted);
        current = program(cases);
        members = 0;
      }
    }
  current.run(where, counted);
}

}  // namespace conformance
