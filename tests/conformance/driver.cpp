// The conformance test: runs the cases of the oracle on the machine.
//
//   conformance CASES REPORT [EVERY]
//
// CASES is the file that generate.scm writes, REPORT the Markdown table to be written; EVERY takes only each
// so-manieth value case, for slow builds. Each case runs
// single-stepped and in the fast loop; value cases also with registers that coincide, with r0, with register
// numbers of three bytes, and among others in one program. The scenarios, which touch memory, run again on
// machines without a fast window and with one that ends in the middle of the mapped pages.
#include <algorithm>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <set>

#include "case_file.h"
#include "coverage.h"
#include "scenario_runner.h"
#include "shape_cases.h"
#include "string_cases.h"
#include "world.h"

namespace conformance {
namespace {

constexpr std::uint64_t usual_window = std::uint64_t{1} << 32;

// Pages where code may stand: near the data, beyond 4 GiB, in a page that is writable too.
constexpr std::uint64_t code_addresses[] = {usual_code_address, 0x200000008000, 0xb8000};

const char* mode_name(run_mode mode) {
  return mode == run_mode::single_step ? "single-stepped" : "fast loop";
}

const char* assignment_name(assignment how) {
  static const char* const names[assignment_count] = {
      "distinct registers", "destination is the first source", "destination is the last source",
      "destination is r0",  "wide register numbers",           "sources share a register or are r0"};
  return names[static_cast<unsigned>(how)];
}

// Two machines of one kind. What looks at a thread's registers costs what the highest register costs that
// was ever used, so cases with high register numbers have a machine of their own.
class worlds {
 public:
  worlds(const std::vector<page>& pages, std::uint64_t window) : low_(pages, window), high_(pages, window) {}
  world& for_scenario(const scenario& what) {
    for (std::size_t n = 0; n < what.fields.size(); ++n)
      if (std::string("dsxw").find(what.what->operands[n]) != std::string::npos && what.fields[n] >= 200)
        return high_;
    return what.call_base.value_or(0) >= 200 ? high_ : low_;
  }
  world& low() { return low_; }
  world& high() { return high_; }

 private:
  world low_;
  world high_;
};

void run_both_ways(worlds& where, const case_file& cases, coverage& counted, const scenario& what,
                   const std::string& how, std::uint64_t code_address) {
  const bytes code = encode(*what.what, what.fields);
  for (const run_mode mode : {run_mode::single_step, run_mode::fast_loop})
    counted.record(what.what->name, what.trap, how + ", " + mode_name(mode), what.text,
                   run_scenario(where.for_scenario(what), what, mode, code_address, code,
                                cases.instructions.at("call")));
}

void check_whole_memory(worlds& where, coverage& counted, const std::string& instruction) {
  for (const world* each : {&where.low(), &where.high()}) {
    const std::string difference = each->compare_memory();
    if (!difference.empty())
      counted.record(instruction, COMET_TRAP_NONE, "all of memory", instruction, difference);
  }
}

void run_value_cases(worlds& where, const case_file& cases, coverage& counted) {
  constexpr std::size_t wide_every = 6;
  constexpr assignment others[] = {assignment::destination_is_first, assignment::destination_is_last,
                                   assignment::destination_is_zero, assignment::shared};
  std::size_t turn = 0;
  for (const value_case& each : cases.value_cases) {
    ++turn;
    const std::uint64_t code_address = code_addresses[turn % std::size(code_addresses)];
    const auto run = [&](assignment how) {
      run_both_ways(where, cases, counted, scenario_of(each, how), assignment_name(how), code_address);
    };
    run(assignment::plain);
    run(others[turn % std::size(others)]);
    if (turn % wide_every == 0) run(assignment::wide);
  }
  check_whole_memory(where, counted, "imm");
}

void run_scenarios(worlds& where, const case_file& cases, coverage& counted, const std::string& how) {
  std::size_t turn = 0;
  const instruction* previous = nullptr;
  for (const scenario& each : cases.scenarios) {
    if (previous != nullptr && previous != each.what) check_whole_memory(where, counted, previous->name);
    previous = each.what;
    // Distances are meant from the usual place.
    const bool relative = each.what->operands.find('p') != std::string::npos;
    const std::uint64_t code_address =
        relative ? usual_code_address : code_addresses[turn++ % std::size(code_addresses)];
    run_both_ways(where, cases, counted, each, how, code_address);
  }
  if (previous != nullptr) check_whole_memory(where, counted, previous->name);
}

// One scenario for each instruction, without a trap where there is such a one.
std::vector<scenario> samples(const case_file& cases) {
  std::map<std::string, scenario> chosen;
  const auto offer = [&](const scenario& candidate) {
    const auto found = chosen.find(candidate.what->name);
    if (found == chosen.end() || (found->second.trap != COMET_TRAP_NONE && candidate.trap == COMET_TRAP_NONE))
      chosen[candidate.what->name] = candidate;
  };
  for (const value_case& each : cases.value_cases) offer(scenario_of(each, assignment::plain));
  for (const scenario& each : cases.scenarios) offer(each);
  std::vector<scenario> result;
  for (const auto& [name, sample] : chosen) result.push_back(sample);
  return result;
}

// The library must have the instructions that the table's text has.
void check_table(const case_file& cases, coverage& counted) {
  std::set<std::string> seen;
  comet_instruction found = COMET_INSTRUCTION_INIT;
  for (std::size_t n = 0; comet_isa_instruction(n, &found, nullptr) == COMET_OK; ++n) {
    seen.insert(found.name);
    const auto known = cases.instructions.find(found.name);
    const bool same = known != cases.instructions.end() && known->second.opcode == found.opcode &&
                      known->second.operands == found.operands;
    if (!same)
      counted.record(found.name, COMET_TRAP_NONE, "the table", found.name, "the library's table differs");
  }
  for (const auto& [name, what] : cases.instructions) {
    counted.expect(name, what.opcode);
    if (seen.count(name) == 0)
      counted.record(name, COMET_TRAP_NONE, "the table", name, "the library does not know it");
  }
}

// Keeps one of each `every` value cases, by turns: values come again and again, and a step of one length would miss some.
void thin(std::vector<value_case>& all, std::size_t every) {
  std::size_t kept = 0;
  for (std::size_t n = 0; n < all.size(); n += every, ++kept) all[kept] = all[std::min(n + kept % every, all.size() - 1)];
  all.resize(kept);
}

int run(const std::string& cases_path, const std::string& report_path, std::size_t every) {
  case_file cases = read_case_file(cases_path);
  thin(cases.value_cases, every);
  coverage counted;
  check_table(cases, counted);

  worlds usual(cases.pages, usual_window);
  run_value_cases(usual, cases, counted);
  run_string_cases(usual.low(), cases, counted);
  run_scenarios(usual, cases, counted, "usual window");
  for (const scenario& sample : samples(cases)) run_shape_cases(usual.high(), sample, cases, counted);
  run_unknown_opcodes(usual.low(), cases, counted);
  run_limit_cases(usual.high(), cases, counted);

  worlds without_window(cases.pages, 0);
  run_scenarios(without_window, cases, counted, "no window");
  worlds short_window(cases.pages, 0x30000);
  run_scenarios(short_window, cases, counted, "window of 0x30000 bytes");

  counted.finish(report_path);
  std::cout << counted.passed() << " passed, " << counted.failed() << " failed\n";
  return counted.failed() == 0 ? 0 : 1;
}

}  // namespace
}  // namespace conformance

int main(int argc, char** argv) {
  const std::size_t every = argc == 4 ? std::strtoull(argv[3], nullptr, 10) : 1;
  if (argc < 3 || argc > 4 || every == 0) {
    std::cerr << "usage: conformance CASES REPORT [EVERY]\n";
    return 2;
  }
  try {
    return conformance::run(argv[1], argv[2], every);
  } catch (const std::exception& problem) {
    std::cerr << "conformance: " << problem.what() << "\n";
    return 2;
  }
}
