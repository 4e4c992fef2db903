#include "case_file.h"

#include <fstream>
#include <sstream>
#include <stdexcept>

namespace conformance {
namespace {

using words = std::vector<std::string>;

words split(const std::string& line) {
  std::istringstream stream(line);
  words result;
  for (std::string word; stream >> word;) result.push_back(word);
  return result;
}

std::uint64_t parse_number(const std::string& text) {
  const bool negative = !text.empty() && text[0] == '-';
  std::size_t used = 0;
  const std::string digits = negative ? text.substr(1) : text;
  const std::uint64_t magnitude = std::stoull(digits, &used, 16);
  if (used != digits.size()) throw std::invalid_argument("not a number: " + text);
  return negative ? 0 - magnitude : magnitude;
}

value parse_value(const std::string& text) {
  if (text == "next") return {value::base::next_instruction, 0};
  if (text == "return") return {value::base::return_address, 0};
  if (text.rfind("pc+", 0) == 0) return {value::base::program_counter, parse_number(text.substr(3))};
  return {value::base::absolute, parse_number(text)};
}

bytes parse_bytes(const std::string& text) {
  bytes result;
  for (std::size_t n = 0; n + 1 < text.size(); n += 2)
    result.push_back(static_cast<std::uint8_t>(std::stoul(text.substr(n, 2), nullptr, 16)));
  return result;
}

int parse_protection(const std::string& text) {
  int protection = 0;
  for (const char right : text) {
    if (right == 'r') protection |= COMET_READ;
    if (right == 'w') protection |= COMET_WRITE;
    if (right == 'x') protection |= COMET_EXECUTE;
  }
  return protection;
}

comet_trap parse_trap(const std::string& name) {
  static const std::map<std::string, comet_trap> traps = {
      {"brk", COMET_TRAP_BRK},         {"illegal", COMET_TRAP_ILLEGAL},
      {"read", COMET_TRAP_READ},       {"write", COMET_TRAP_WRITE},
      {"execute", COMET_TRAP_EXECUTE}, {"misaligned", COMET_TRAP_MISALIGNED},
      {"divide", COMET_TRAP_DIVIDE},   {"overflow", COMET_TRAP_OVERFLOW},
      {"invalid", COMET_TRAP_INVALID}, {"call_depth", COMET_TRAP_CALL_DEPTH},
      {"window", COMET_TRAP_WINDOW},   {"host_call", COMET_TRAP_HOST_CALL},
      {"user", COMET_TRAP_USER},
  };
  return traps.at(name);
}

// Words that name state are the same before and after.
bool parse_state_word(const std::string& word, state& into) {
  const std::size_t equals = word.find('=');
  if (equals == std::string::npos || word.compare(0, 2, "pc") == 0) return false;
  const std::string rest = word.substr(equals + 1);
  if (word.compare(0, 5, "call=") == 0 || word.compare(0, 6, "depth=") == 0 ||
      word.compare(0, 7, "window=") == 0)
    return false;
  const std::uint64_t number = parse_number(word.substr(1, equals - 1));
  switch (word[0]) {
    case 'r': into.registers.emplace_back(number, parse_value(rest)); return true;
    case 't': into.thread_registers.emplace_back(number, parse_value(rest)); return true;
    case 'm': into.memory.emplace_back(number, parse_bytes(rest)); return true;
    default: return false;
  }
}

void parse_after_word(const std::string& word, scenario& into) {
  if (word == "halt") {
    into.halts = true;
  } else if (word[0] == '!') {
    const std::size_t at = word.find('@');
    into.trap = parse_trap(word.substr(1, at == std::string::npos ? at : at - 1));
    if (at != std::string::npos) into.trap_address = parse_number(word.substr(at + 1));
  } else if (word.compare(0, 3, "pc=") == 0) {
    into.program_counter = parse_value(word.substr(3));
  } else if (word.compare(0, 7, "window=") == 0) {
    into.window = parse_number(word.substr(7));
  } else if (word.compare(0, 6, "depth=") == 0) {
    into.depth = parse_number(word.substr(6));
  } else if (!parse_state_word(word, into.after)) {
    throw std::invalid_argument("unknown word: " + word);
  }
}

scenario parse_scenario(const case_file& file, const std::string& line, const words& parts) {
  scenario result;
  result.what = &file.instructions.at(parts.at(1));
  result.text = line;
  std::size_t n = 2;
  for (; n < 2 + result.what->operands.size(); ++n) result.fields.push_back(parse_number(parts.at(n)));
  for (; parts.at(n) != ">"; ++n) {
    if (parts[n].compare(0, 5, "call=") == 0)
      result.call_base = parse_number(parts[n].substr(5));
    else if (!parse_state_word(parts[n], result.before))
      throw std::invalid_argument("unknown word: " + parts[n]);
  }
  for (++n; n < parts.size(); ++n) parse_after_word(parts[n], result);
  return result;
}

value_case parse_value_case(const case_file& file, const std::string& line, const words& parts) {
  value_case result;
  result.what = &file.instructions.at(parts.at(1));
  result.text = line;
  for (std::size_t n = 2; n + 1 < parts.size(); ++n) result.values.push_back(parse_number(parts[n]));
  if (parts.back()[0] == '!')
    result.trap = parse_trap(parts.back().substr(1));
  else
    result.result = parse_number(parts.back());
  return result;
}

void parse_line(case_file& file, const std::string& line) {
  const words parts = split(line);
  if (parts.empty()) return;
  if (parts[0] == "i") {
    const std::string operands = parts.at(3) == "-" ? "" : parts.at(3);
    file.instructions[parts.at(2)] = {parse_number(parts.at(1)), parts.at(2), operands};
  } else if (parts[0] == "g") {
    file.pages.push_back({parse_number(parts.at(1)), parse_protection(parts.at(2))});
  } else if (parts[0] == "v") {
    file.value_cases.push_back(parse_value_case(file, line, parts));
  } else if (parts[0] == "s") {
    file.scenarios.push_back(parse_scenario(file, line, parts));
  } else {
    throw std::invalid_argument("unknown kind of line: " + parts[0]);
  }
}

}  // namespace

case_file read_case_file(const std::string& path) {
  std::ifstream stream(path);
  if (!stream) throw std::runtime_error(path + ": cannot be opened; generate.scm writes it");
  case_file file;
  std::size_t number = 0;
  for (std::string line; std::getline(stream, line);) {
    ++number;
    try {
      parse_line(file, line);
    } catch (const std::exception& problem) {
      throw std::runtime_error(path + ":" + std::to_string(number) + ": " + problem.what() + "; in: " + line);
    }
  }
  return file;
}

}  // namespace conformance
